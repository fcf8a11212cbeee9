"""Ask the cluster's DNS for an address, as a pod's resolver would: search domains, then the name itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

_TIMEOUT = 2.0
_NDOTS = 5

#: One question: name → (addresses, whether the name exists).
Ask = Callable[[str], Awaitable[list[str]]]


async def resolve(name: str, namespace: str, domain: str, ask: Ask) -> list[str]:
    """IPv4 addresses, empty if there is no such name."""
    search = [f"{namespace}.svc.{domain}", f"svc.{domain}", domain] if namespace else [f"svc.{domain}", domain]
    longer = [] if name.endswith(".") else [f"{name}.{suffix}" for suffix in search]
    plain = [name.rstrip(".")]
    for candidate in [*plain, *longer] if name.count(".") >= _NDOTS else [*longer, *plain]:
        if found := await ask(candidate):
            return found
    return []


async def query(server: tuple[str, int], name: str) -> list[str]:
    """The A records of `name`, by UDP. Raises TimeoutError when nobody answers, OSError when nobody listens."""
    import dnslib

    question = dnslib.DNSRecord.question(name, "A")
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[bytes] = loop.create_future()

    class Reply(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, _address: object) -> None:
            if not answer.done():
                answer.set_result(data)

        def error_received(self, error: Exception) -> None:
            if not answer.done():
                answer.set_exception(error)

    transport, _ = await loop.create_datagram_endpoint(Reply, remote_addr=server)
    try:
        transport.sendto(question.pack())
        async with asyncio.timeout(_TIMEOUT):
            reply = dnslib.DNSRecord.parse(await answer)
    finally:
        transport.close()
    return [str(record.rdata) for record in reply.rr if record.rtype == dnslib.QTYPE.A]

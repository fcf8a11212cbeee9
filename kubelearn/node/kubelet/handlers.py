"""Ask a container something: the HTTP, TCP, gRPC and exec handlers that probes and lifecycle hooks share.

Answers are (ok, output) with the words that the kubelet puts into its events.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl

from kubelearn.api.cri import Container, CriError, RuntimeService
from kubelearn.api.resource import Obj
from kubelearn.kit.underlay import Underlay
from kubelearn.node.kubelet import grpc_health

_BODY_LIMIT = 10 * 1024
_USER_AGENT = "kube-probe/1.36"
Verdict = tuple[bool, str]


class Handlers:
    """Calls go from the node to the pod's address."""

    def __init__(self, cri: RuntimeService, network: Underlay) -> None:
        self._cri = cri
        self._network = network

    async def ask(self, handler: Obj, spec: Obj, container: Container, pod_ip: str, seconds: float) -> Verdict:
        """Never raises for what the container does wrong."""
        if action := handler.get("httpGet"):
            return await self._http(action, spec, pod_ip, seconds)
        if action := handler.get("tcpSocket"):
            return await self._tcp(action, spec, pod_ip, seconds)
        if action := handler.get("grpc"):
            return await self._grpc(action, pod_ip, seconds)
        if action := handler.get("exec"):
            return await self._exec(action["command"], container, seconds)
        if action := handler.get("sleep"):
            await asyncio.sleep(min(action["seconds"], seconds))
            return True, ""
        return False, f"probes of type {next(iter(handler), 'none')} are not supported by this kubelet"

    async def _exec(self, command: list[str], container: Container, seconds: float) -> Verdict:
        try:
            result = await self._cri.exec_sync(container.id, command, seconds)
        except CriError as error:
            return False, error.message
        return result.exit_code == 0, (result.stdout + result.stderr).decode(errors="replace")

    async def _tcp(self, action: Obj, spec: Obj, pod_ip: str, seconds: float) -> Verdict:
        host, port = action.get("host") or pod_ip, port_of(action["port"], spec)
        problem, streams = await self._dial(host, port, seconds, None)
        if streams is None:
            return False, problem
        streams[1].close()
        return True, ""

    async def _dial(
        self, host: str, port: int, seconds: float, tls: ssl.SSLContext | None
    ) -> tuple[str, tuple[asyncio.StreamReader, asyncio.StreamWriter] | None]:
        where = f"dial tcp {host}:{port}"
        try:
            async with asyncio.timeout(seconds):
                return "", await asyncio.open_connection(*self._network.dial(host, port), ssl=tls)
        except TimeoutError:
            return f"{where}: i/o timeout", None
        except ConnectionRefusedError:
            return f"{where}: connect: connection refused", None
        except OSError as error:
            return f"{where}: connect: {(error.strerror or str(error)).lower()}", None

    async def _grpc(self, action: Obj, pod_ip: str, seconds: float) -> Verdict:
        address, service = f"{pod_ip}:{action['port']}", action.get("service") or ""
        try:
            async with asyncio.timeout(seconds):
                problem, streams = await self._dial(pod_ip, action["port"], seconds, None)
                if streams is None:
                    return False, f'error: failed to connect service at "{address}": {problem}'
                try:
                    status = await grpc_health.check(*streams, address, service, _USER_AGENT)
                finally:
                    streams[1].close()
        except TimeoutError:
            return False, f"timeout: health rpc did not complete within {seconds:g}s"
        except (grpc_health.Broken, ConnectionError, asyncio.IncompleteReadError) as error:
            return False, f"error: health rpc probe failed: {error}"
        return status == "SERVING", "" if status == "SERVING" else f'service unhealthy (responded with "{status}")'

    async def _http(self, action: Obj, spec: Obj, pod_ip: str, seconds: float) -> Verdict:
        scheme = action.get("scheme", "HTTP").lower()
        host, port, path = action.get("host") or pod_ip, port_of(action["port"], spec), action.get("path") or "/"
        path = path if path.startswith("/") else "/" + path
        url = f'Get "{scheme}://{host}:{port}{path}"'
        try:
            async with asyncio.timeout(seconds):
                problem, streams = await self._dial(host, port, seconds, _trusting() if scheme == "https" else None)
                if streams is None:
                    return False, f"{url}: {problem}"
                return await self._exchange(action, f"{host}:{port}", path, streams, url)
        except TimeoutError:
            return False, f"{url}: context deadline exceeded (Client.Timeout exceeded while awaiting headers)"

    async def _exchange(
        self,
        action: Obj,
        authority: str,
        path: str,
        streams: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        url: str,
    ) -> Verdict:
        reader, writer = streams
        headers = {"Host": authority, "User-Agent": _USER_AGENT, "Accept": "*/*", "Connection": "close"}
        headers |= {h["name"]: h["value"] for h in action.get("httpHeaders") or ()}
        head = f"GET {path} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in headers.items())
        try:
            writer.write((head + "\r\n").encode())
            answer = await reader.readuntil(b"\r\n")
        except (ConnectionError, asyncio.IncompleteReadError):
            return False, f"{url}: EOF"
        except asyncio.LimitOverrunError:
            answer = b""
        finally:
            with contextlib.suppress(ConnectionError):
                writer.close()
        words = answer.split(b" ", 2)
        if len(words) < 2 or not words[1].isdigit():
            return False, f'{url}: malformed HTTP response "{answer.decode(errors="replace").strip()}"'
        code = int(words[1])
        if 200 <= code < 400:
            return True, ""
        return False, f"HTTP probe failed with statuscode: {code}"


def port_of(port: int | str, spec: Obj) -> int:
    """A number, or the name of one of the container's ports (0, which refuses, if there is none)."""
    if isinstance(port, int):
        return port
    named = {p.get("name"): int(p["containerPort"]) for p in spec.get("ports") or ()}
    return named.get(port, int(port) if port.isdigit() else 0)


def _trusting() -> ssl.SSLContext:
    """The kubelet does not verify a probed server's certificate."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context

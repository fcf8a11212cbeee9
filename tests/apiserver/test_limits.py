"""What one client can take from the others: time, memory, size; and what is refused, in Kubernetes' words."""

from __future__ import annotations

import asyncio
import io
from typing import Any

import aiohttp
import pytest
from apiserver.conftest import Secure
from support.api import NS, Api, configmap

from kubelearn.api.errors import ApiError
from kubelearn.apiserver import deadline, http
from kubelearn.apiserver.flow import Flow, width_of
from kubelearn.apiserver.server import MAX_OBJECT, ApiServer
from kubelearn.client.transport import Request, Response

MAPS = f"{NS}/configmaps"


def session(secure: Secure) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(secure.url, connector=aiohttp.TCPConnector(ssl=secure.client_tls("admin")))


async def test_a_body_of_three_megabytes_and_a_byte_is_413(secure: Secure) -> None:
    async with session(secure) as client, client.post(MAPS, data=io.BytesIO(b"x" * (http.MAX_BODY + 1))) as answer:
        found = await answer.json()
    assert (answer.status, found["reason"]) == (413, "RequestEntityTooLarge")
    assert found["message"] == "Request entity too large: limit is 3145728"


async def test_an_object_that_etcd_would_not_take(api: Api) -> None:
    big = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "big"}}
    secrets = [{"name": f"s{n:06d}-{'x' * 200}"} for n in range(MAX_OBJECT // 200)]
    status, found = await api("POST", f"{NS}/serviceaccounts", {**big, "secrets": secrets})
    assert (status, found["message"]) == (500, "etcdserver: request is too large")
    assert "reason" not in found
    assert (await api("GET", f"{NS}/serviceaccounts/big"))[0] == 404


# ---- time


@pytest.mark.parametrize(
    ("given", "seconds"), [("5s", 5), ("1m30s", 60), ("250ms", 0.25), ("0", 60), ("1.5s", 1.5), ("", 60)]
)
def test_a_timeout_in_go_s_notation(given: str, seconds: float) -> None:
    assert deadline.seconds(Request("GET", "/api", [("timeout", given)])) == seconds


@pytest.mark.parametrize(
    ("given", "says"),
    [("5", "missing unit in duration"), ("5parsecs", 'unknown unit "parsecs" in duration'), ("x", "invalid duration")],
)
def test_a_timeout_that_is_none(given: str, says: str) -> None:
    with pytest.raises(ApiError, match=f"invalid timeout specified in the request URL - time: {says}") as refused:
        deadline.seconds(Request("GET", "/api", [("timeout", given)]))
    assert refused.value.code == 400


@pytest.mark.parametrize(
    ("path", "long"),
    [
        (f"{MAPS}?watch=1", True),
        (f"{NS}/pods/p/log", True),
        ("/api/v1/nodes/n/proxy/stats", True),
        (f"{NS}/pods/p:80/proxy", True),
        (MAPS, False),
        (f"{MAPS}/log", False),
        ("/api/v1/namespaces/proxy/pods", False),
        ("/healthz/log", False),
    ],
)
def test_what_runs_long(path: str, long: bool) -> None:
    path, _, watch = path.partition("?")
    assert deadline.runs_long(Request("GET", path, [("watch", "1")] if watch else [])) is long


async def test_the_client_s_timeout_ends_a_read(secure: Secure, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*_: Any) -> Response:
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(secure.server, "handle", never)
    async with session(secure) as client, client.get(f"{MAPS}?timeout=50ms") as answer:
        found = await answer.json()
    assert (answer.status, found["reason"]) == (504, "Timeout")
    assert found["message"] == (
        "Timeout: request did not complete within requested timeout - context deadline exceeded"
    )


async def test_a_write_goes_on_when_nobody_waits_for_it(secure: Secure, monkeypatch: pytest.MonkeyPatch) -> None:
    put, go = secure.server.store.put, asyncio.Event()

    async def slowly(*args: Any, **options: Any) -> Any:
        await go.wait()
        return await put(*args, **options)

    monkeypatch.setattr(secure.server.store, "put", slowly)
    path = "/apis/rbac.authorization.k8s.io/v1/clusterroles"
    async with session(secure) as client:
        async with client.post(f"{path}?timeout=50ms", json={"metadata": {"name": "late"}}) as answer:
            assert answer.status == 504
        go.set()
        async with asyncio.timeout(5):
            while (await client.get(f"{path}/late")).status != 200:
                await asyncio.sleep(0.005)
    assert secure.server.rbac.role_rules("ClusterRole", "", "late") == [], "and the server knows of it"


async def test_a_watcher_that_takes_nothing_is_cut_off(secure: Secure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "_STALLED_SECONDS", 0.2)
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", secure.site.port, ssl=secure.client_tls("admin"), limit=1024
    )
    writer.write(f"GET {MAPS}?watch=1 HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    await reader.readuntil(b"\r\n\r\n")
    writer.transport.pause_reading()  # type: ignore[attr-defined]
    api = Api(secure.server)
    assert len(secure.server.store._watches) == 1  # type: ignore[attr-defined]
    await api.ok("POST", MAPS, configmap("c", a="x" * 900_000))
    async with asyncio.timeout(20):
        number = 0
        while secure.server.store._watches:  # type: ignore[attr-defined]
            number += 1
            await api.patch(f"{MAPS}/c", {"data": {"n": str(number)}})
            await asyncio.sleep(0.01)
    writer.transport.abort()


# ---- seats


async def test_a_long_list_takes_more_seats(api: Api, server: ApiServer) -> None:
    for number in range(250):
        await server.store.put(f"/registry/configmaps/default/c{number}", b"")
    listing = {
        MAPS: 3,
        "/api/v1/configmaps": 3,
        f"{MAPS}?limit=100": 1,
        f"{MAPS}/c1": 1,
        "/api/v1/namespaces": 1,
        "/version": 1,
        "/api/v1/nothings": 1,
    }
    for path, width in listing.items():
        plain, _, limit = path.partition("?limit=")
        query = [("limit", limit)] if limit else []
        assert await width_of(server, Request("GET", plain, query)) == width, path


async def test_wide_requests_wait_for_their_seats_in_turn() -> None:
    flow, done = Flow(seats=10), []
    ends = [asyncio.Event() for _ in range(3)]

    async def work(number: int, width: int) -> None:
        async with flow.admit("user", width):
            done.append(number)
            await ends[number].wait()

    async with asyncio.TaskGroup() as group:
        for number, width in enumerate((8, 10, 1)):
            group.create_task(work(number, width))
            await asyncio.sleep(0)
        assert done == [0], "the third could sit, but the second came first"
        ends[0].set()
        await asyncio.sleep(0.01)
        assert done == [0, 1]
        ends[1].set()
        ends[2].set()
    assert done == [0, 1, 2]


async def test_who_gives_up_waiting_lets_others_pass() -> None:
    flow, end, done = Flow(seats=10), asyncio.Event(), []

    async def work(name: str, width: int) -> None:
        async with flow.admit("user", width):
            done.append(name)
            await end.wait()

    async with asyncio.TaskGroup() as group:
        group.create_task(work("first", 8))
        await asyncio.sleep(0)
        wide = group.create_task(work("wide", 10))
        await asyncio.sleep(0)
        group.create_task(work("narrow", 2))
        await asyncio.sleep(0)
        wide.cancel()
        await asyncio.sleep(0.01)
        assert done == ["first", "narrow"]
        end.set()

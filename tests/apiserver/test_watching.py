"""Watches: order, selections that objects enter and leave, bookmarks, ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from support.api import NS, Api, configmap

from kubelearn.api.resource import Obj
from kubelearn.apiserver.auth import User

MAPS = f"{NS}/configmaps"
SCHEDULER = User("system:kube-scheduler", ("system:authenticated",))


async def take(events: AsyncIterator[Obj], count: int) -> list[tuple[str, str]]:
    """The next events as (type, name)."""
    async with asyncio.timeout(5):
        return [
            (e["type"], e["object"]["metadata"].get("name", "")) for e in [await anext(events) for _ in range(count)]
        ]


async def close(events: AsyncIterator[Obj]) -> None:
    await events.aclose()  # type: ignore[attr-defined]


async def test_from_nothing_and_from_a_revision(api: Api) -> None:
    made = await api.ok("POST", MAPS, configmap("a"))
    events = api.watch(MAPS)
    assert await take(events, 1) == [("ADDED", "a")]
    await api.patch(f"{MAPS}/a", {"data": {"x": "1"}})
    await api.ok("DELETE", f"{MAPS}/a")
    assert await take(events, 2) == [("MODIFIED", "a"), ("DELETED", "a")]
    await close(events)
    again = api.watch(f"{MAPS}?resourceVersion={made['metadata']['resourceVersion']}")
    assert await take(again, 2) == [("MODIFIED", "a"), ("DELETED", "a")]
    await close(again)


async def test_objects_enter_and_leave_a_selection(api: Api) -> None:
    events = api.watch(f"{MAPS}?labelSelector=app=web")
    await api.ok("POST", MAPS, configmap("a", {"app": "db"}))
    await api.ok("POST", MAPS, configmap("b", {"app": "web"}))
    assert await take(events, 1) == [("ADDED", "b")]
    await api.patch(f"{MAPS}/a", {"metadata": {"labels": {"app": "web"}}})
    await api.patch(f"{MAPS}/b", {"data": {"x": "1"}})
    await api.patch(f"{MAPS}/b", {"metadata": {"labels": {"app": "db"}}})
    await api.ok("DELETE", f"{MAPS}/b")
    await api.ok("DELETE", f"{MAPS}/a")
    assert await take(events, 4) == [("ADDED", "a"), ("MODIFIED", "b"), ("DELETED", "b"), ("DELETED", "a")]
    await close(events)


async def test_one_object(api: Api) -> None:
    events = api.watch(f"{MAPS}?fieldSelector=metadata.name=a")
    for name in ("a1", "a"):
        await api.ok("POST", MAPS, configmap(name))
    assert await take(events, 1) == [("ADDED", "a")]
    await close(events)


async def test_initial_events_end_with_a_bookmark(api: Api) -> None:
    await api.ok("POST", MAPS, configmap("a"))
    query = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
    events = api.watch(f"{MAPS}?{query}")
    assert await take(events, 1) == [("ADDED", "a")]
    bookmark = await anext(events)
    assert bookmark["type"] == "BOOKMARK"
    assert bookmark["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
    assert bookmark["object"]["metadata"]["resourceVersion"] == str(api.server.store.revision)
    await close(events)


async def test_compacted_history_is_gone(api: Api) -> None:
    for name in ("a", "b", "c"):
        await api.ok("POST", MAPS, configmap(name))
    await api.server.store.compact(api.server.store.revision)
    events = [e async for e in api.watch(f"{MAPS}?resourceVersion=1")]
    assert [(e["type"], e["object"]["code"], e["object"]["reason"]) for e in events] == [("ERROR", 410, "Expired")]


async def test_a_watch_ends_in_its_time(api: Api) -> None:
    for user in (SCHEDULER, None):
        options = {"user": user} if user else {}
        async with asyncio.timeout(5):
            assert len([e async for e in api.watch("/api/v1/namespaces?timeoutSeconds=1", **options)]) == 4


async def test_tables_define_their_columns_once(api: Api) -> None:
    await api.ok("POST", MAPS, configmap("a"))
    headers = {"accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}
    events = api.watch(MAPS, headers=headers)
    await api.ok("POST", MAPS, configmap("b"))
    first, second = await anext(events), await anext(events)
    assert first["object"]["columnDefinitions"]
    assert not second["object"]["columnDefinitions"]
    assert second["object"]["rows"][0]["cells"][0] == "b"
    await close(events)


async def test_a_held_component_waits_and_lists_the_past(api: Api) -> None:
    events = api.watch(f"{MAPS}?resourceVersion={api.server.store.revision}", user=SCHEDULER)
    next_event = asyncio.ensure_future(anext(events))
    await asyncio.sleep(0)
    api.server.gate.pause("kube-scheduler")
    await api.ok("POST", MAPS, configmap("a"))
    async with asyncio.timeout(5):
        while not api.server.gate.waiting("kube-scheduler"):
            await asyncio.sleep(0.001)
    assert not next_event.done()
    assert (await api.ok("GET", MAPS, user=SCHEDULER))["items"] == []
    assert len((await api.ok("GET", MAPS))["items"]) == 1
    assert api.server.gate.step("kube-scheduler") == 1
    async with asyncio.timeout(5):
        assert (await next_event)["object"]["metadata"]["name"] == "a"
    await close(events)


async def test_watchers_share_one_encoding(api: Api) -> None:
    start = f"{MAPS}?resourceVersion={api.server.store.revision}"
    answers = [await api.send("GET", f"{start}&watch=1") for _ in range(2)]
    await api.ok("POST", MAPS, configmap("a"))
    streams = [a.stream for a in answers if a.stream is not None]
    one, other = [await anext(s) for s in streams]
    assert one is other
    for stream in streams:
        await stream.aclose()  # type: ignore[attr-defined]

"""resourceVersion and its match, of lists and watches: the table of the Kubernetes documentation, line by line."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import orjson
import pytest
from support.api import NS, Api, configmap

from kubelearn.apiserver import watching

MAPS = f"{NS}/configmaps"


async def names(api: Api, query: str) -> list[str]:
    found = await api.ok("GET", f"{MAPS}?{query}")
    return [item["metadata"]["name"] for item in found["items"]]


@pytest.fixture
async def past(api: Api) -> int:
    """The revision at which `a` is there and `b` is not yet."""
    made = await api.ok("POST", MAPS, configmap("a"))
    await api.ok("POST", MAPS, configmap("b"))
    return int(made["metadata"]["resourceVersion"])


async def test_which_revision_a_list_is_of(api: Api, past: int) -> None:
    newest = ["a", "b"]
    for query in ("", "resourceVersion=0", f"resourceVersion={past}", "limit=5", "resourceVersion=0&limit=5"):
        assert await names(api, query) == newest, query
    assert await names(api, f"resourceVersion={past}&resourceVersionMatch=NotOlderThan") == newest
    assert await names(api, f"resourceVersion={past}&resourceVersionMatch=NotOlderThan&limit=5") == newest
    assert await names(api, "resourceVersion=0&resourceVersionMatch=NotOlderThan") == newest
    assert await names(api, f"resourceVersion={past}&resourceVersionMatch=Exact") == ["a"]
    assert await names(api, f"resourceVersion={past}&resourceVersionMatch=Exact&limit=5") == ["a"]
    assert await names(api, f"resourceVersion={past}&limit=5") == ["a"], "with a limit, unset means exact"
    exact = await api.ok("GET", f"{MAPS}?resourceVersion={past}&resourceVersionMatch=Exact")
    assert exact["metadata"]["resourceVersion"] == str(past)


LIST, INVALID = "ListOptions.meta.k8s.io", "is invalid: resourceVersionMatch: "


@pytest.mark.parametrize(
    ("query", "says"),
    [
        (
            "resourceVersionMatch=Exact",
            "Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided",
        ),
        (
            "resourceVersionMatch=Exact&resourceVersion=0",
            'Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
        ),
        (
            "resourceVersionMatch=Newer&resourceVersion=1",
            'Unsupported value: "Newer": supported values: "Exact", "NotOlderThan", ""',
        ),
        (
            "resourceVersionMatch=Exact&resourceVersion=1&continue=x",
            "Forbidden: resourceVersionMatch is forbidden when continue is provided",
        ),
        (
            "watch=1&resourceVersionMatch=NotOlderThan&resourceVersion=1",
            "Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
        ),
        (
            "watch=1&sendInitialEvents=true",
            "Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
        ),
    ],
)
async def test_what_does_not_go_together(api: Api, query: str, says: str) -> None:
    status, found = await api("GET", f"{MAPS}?{query}")
    assert (status, found["reason"]) == (422, "Invalid")
    assert found["message"] == f'{LIST} "" {INVALID}{says}'


async def test_initial_events_are_for_watches(api: Api) -> None:
    status, found = await api("GET", f"{MAPS}?sendInitialEvents=true")
    assert (status, found["details"]["causes"][0]["field"]) == (422, "sendInitialEvents")


async def test_what_is_no_version(api: Api) -> None:
    for path in (f"{MAPS}?resourceVersion=x", f"{MAPS}/a?resourceVersion=x", f"{MAPS}?watch=1&resourceVersion=x"):
        status, found = await api("GET", path)
        assert (status, found["reason"]) == (400, "BadRequest")
        assert 'parsing "x": invalid syntax' in found["message"]


async def test_a_version_that_is_not_written_yet(api: Api, past: int) -> None:
    now = api.server.store.revision
    initial = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
    for path in ("?", "?resourceVersionMatch=Exact&", "?limit=1&", "/a?", f"?watch=1&{initial}&"):
        status, found = await api("GET", f"{MAPS}{path}resourceVersion={now + 5}")
        assert (status, found["reason"]) == (504, "Timeout"), path
        assert found["message"] == f"Timeout: Too large resource version: {now + 5}, current: {now}"
        assert found["details"]["causes"] == [
            {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
        ]
        assert found["details"]["retryAfterSeconds"] == 1


async def test_compacted_lists_say_so_and_pages_can_go_on(api: Api, past: int) -> None:
    page = await api.ok("GET", f"{MAPS}?limit=1")
    token = page["metadata"]["continue"]
    await api.ok("POST", MAPS, configmap("c"))
    await api.server.store.compact(api.server.store.revision)
    status, found = await api("GET", f"{MAPS}?resourceVersion={past}&resourceVersionMatch=Exact")
    assert (status, found["reason"]) == (410, "Expired")
    assert found["message"] == "The resourceVersion for the provided list is too old."
    status, found = await api("GET", f"{MAPS}?limit=1&continue={token}")
    assert (status, found["reason"]) == (410, "Expired")
    assert found["message"].startswith(
        "The provided continue parameter is too old to display a consistent list result."
    )
    rest = found["metadata"]["continue"]
    assert orjson.loads(base64.urlsafe_b64decode(rest))["rv"] == -1
    assert await names(api, f"limit=5&continue={rest}") == ["b", "c"]


async def test_a_continue_token_stands_alone(api: Api, past: int) -> None:
    token = (await api.ok("GET", f"{MAPS}?limit=1"))["metadata"]["continue"]
    status, found = await api("GET", f"{MAPS}?continue={token}&resourceVersion={past}")
    assert (status, found["message"]) == (400, "specifying resource version is not allowed when using continue")
    await api.ok("POST", MAPS, configmap("aa"))
    assert await names(api, f"continue={token}") == ["b"], "the pages of one list are of one revision"
    assert (await api("GET", f"{MAPS}?continue=nonsense"))[0] == 400


# ---- watches


async def events(api: Api, query: str) -> list[dict[str, Any]]:
    async with asyncio.timeout(5):
        return [event async for event in api.watch(f"{MAPS}?{query}")]


async def test_bookmarks_tell_how_far_a_quiet_watch_has_come(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "_BOOKMARK_SECONDS", 0.05)
    start = api.server.store.revision
    watch = api.watch(f"{MAPS}?resourceVersion={start}&allowWatchBookmarks=true")
    async with asyncio.timeout(5):
        first = await anext(watch)
        assert (first["type"], first["object"]["metadata"]["resourceVersion"]) == ("BOOKMARK", str(start))
        await api.ok("POST", f"{NS}/secrets", {"metadata": {"name": "s"}})
        later = await anext(watch)
    assert later["object"]["metadata"]["resourceVersion"] == str(start + 1), "others' writes have been seen, too"
    assert later["object"]["kind"] == "ConfigMap"
    await watch.aclose()  # type: ignore[attr-defined]


async def test_bookmarks_come_though_others_events_keep_the_watch_busy(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "_BOOKMARK_SECONDS", 0.05)
    watch = api.watch(f"{MAPS}?resourceVersion=1&labelSelector=app=x&allowWatchBookmarks=true")

    async def chatter() -> None:
        number = 0
        while True:
            number += 1
            await api.ok("POST", MAPS, configmap(f"c{number}"))
            await asyncio.sleep(0.01)

    talking = asyncio.ensure_future(chatter())
    async with asyncio.timeout(5):
        assert (await anext(watch))["type"] == "BOOKMARK"
    talking.cancel()
    await watch.aclose()  # type: ignore[attr-defined]


async def test_a_watch_that_ends_says_where_to_go_on(api: Api) -> None:
    start = api.server.store.revision
    found = await events(api, f"resourceVersion={start}&timeoutSeconds=1&allowWatchBookmarks=true")
    assert [(e["type"], e["object"]["metadata"]["resourceVersion"]) for e in found] == [("BOOKMARK", str(start))]
    assert await events(api, f"resourceVersion={start}&timeoutSeconds=1") == []


async def test_initial_events_and_their_end(api: Api, past: int) -> None:
    base = "timeoutSeconds=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"
    for version in ("", "&resourceVersion=0", f"&resourceVersion={past}"):
        found = await events(api, f"{base}&allowWatchBookmarks=true{version}")
        assert [e["type"] for e in found] == ["ADDED", "ADDED", "BOOKMARK", "BOOKMARK"]
        ends = [e["object"]["metadata"].get("annotations") for e in found[2:]]
        assert ends == [{"k8s.io/initial-events-end": "true"}, None]
    assert [e["type"] for e in await events(api, base)] == ["ADDED", "ADDED"], "bookmarks were not asked for"
    none = "timeoutSeconds=1&sendInitialEvents=false&resourceVersionMatch=NotOlderThan"
    assert await events(api, none) == []


async def test_a_watch_from_what_is_compacted(api: Api, past: int) -> None:
    await api.server.store.compact(past + 1)
    (found,) = await events(api, "resourceVersion=2")
    assert (found["type"], found["object"]["code"], found["object"]["reason"]) == ("ERROR", 410, "Expired")
    assert found["object"]["message"] == f"too old resource version: 2 ({past + 1})"

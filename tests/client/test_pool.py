"""Informers that share their objects: one copy of each version, none of what is gone."""

from __future__ import annotations

import asyncio

from client.test_informer import PODS, Server, pod

from kubelearn.api.resource import Obj
from kubelearn.client.informer import Informer
from kubelearn.client.pool import Pool
from kubelearn.client.rest import Client
from kubelearn.kit.tasks import Tasks


def test_one_copy_of_the_newest_version() -> None:
    pool = Pool()
    first, again = pod("a", 3), pod("a", 3)
    assert pool.one(first) is first
    assert pool.one(again) is first
    newer, late = pod("a", 5), pod("a", 3)
    assert pool.one(newer) is newer
    assert pool.one(late) is late, "an informer that is held back sees its own version"
    assert pool.one(pod("a", 5)) is newer
    assert pool.one(pod("a", 5, uid="another")) is not newer


def test_forms_are_kept_apart_and_what_has_no_version_is_not_kept() -> None:
    pool = Pool()
    whole, part = pod("a", 3), pod("a", 3)
    assert pool.one(whole) is whole
    assert pool.one(part, metadata_only=True) is part
    nameless: Obj = {"metadata": {"name": "a"}}
    assert pool.one(nameless) is nameless
    assert len(pool) == 2
    pool.forget(whole)
    pool.forget(part, metadata_only=True)
    pool.forget(nameless)
    assert len(pool) == 0


async def test_informers_of_one_pool_hold_the_same_objects() -> None:
    pool, servers = Pool(), [Server(), Server()]
    async with Tasks("test") as tasks:
        informers = []
        for server in servers:
            server.items = [pod("a", 5), pod("b", 6)]
            informers.append(Informer(Client(server, pool=pool), PODS))
            informers[-1].start(tasks)
            await asyncio.wait_for(informers[-1].synced(), 5)
        one, other = informers
        assert one.get("d", "a") is other.get("d", "a") is not None
        for server in servers:
            await server.tell(("MODIFIED", pod("a", 11)), ("DELETED", pod("b", 12)))
        assert one.get("d", "a") is other.get("d", "a")
        assert one.resource_version == other.resource_version == "12"
        assert one.get("d", "b") is other.get("d", "b") is None
        assert len(pool) == 1

"""Garbage collection: what is owned goes when its last owner is gone; foreground, background and orphan deletion.

It follows the metadata of everything that can be deleted; keys are uids. Before anything is deleted the object is
read again, and the deletion names its uid. Source: Kubernetes' pkg/controller/garbagecollector.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from kubelearn.api.errors import ApiError
from kubelearn.api.kinds import customresourcedefinition as crd
from kubelearn.api.resource import Obj, Resource
from kubelearn.client.discovery import Mapper, NoMatch, discover
from kubelearn.client.informer import Informer, acting_on
from kubelearn.client.rest import STRATEGIC_MERGE_PATCH
from kubelearn.controllers._gc_graph import FOREGROUND, ORPHAN, Graph, Node
from kubelearn.controllers.base import Controller, ControllerContext, Watch
from kubelearn.trace import cause

_IGNORED = {"events", "events.events.k8s.io"}
_NEEDED = {"delete", "list", "watch"}
#: A key that is no uid: look again at what is served.
_DISCOVER = "discover"


async def setup(context: ControllerContext) -> None:
    """Follow every resource that the server serves; returns when all have been listed."""
    context.state |= {"graph": Graph(), "following": {}}
    await _follow_all(context)


def _definition(_context: ControllerContext, event: str, _old: Obj | None, new: Obj) -> Iterable[str]:
    """A custom resource begins or ceases to be served."""
    return (_DISCOVER,) if event == "DELETED" or crd.established(new) else ()


async def _follow_all(context: ControllerContext) -> None:
    """Follow what is served now and was not before, and nothing that is served no more."""
    mapper = context.state["mapper"] = await discover(context.client)
    following: dict[str, asyncio.Task[None]] = context.state["following"]
    served: dict[str, Resource] = {}
    for resource in mapper.all():
        if set(resource.verbs) >= _NEEDED and resource.group_resource not in _IGNORED:
            served.setdefault(resource.group_resource, resource)
    for name in following.keys() - served.keys():
        following.pop(name).cancel()
        context.state["graph"].forget(name)
    new = [_follow(context, resource) for name, resource in served.items() if name not in following]
    await asyncio.gather(*(informer.synced() for informer in new))


def _follow(context: ControllerContext, resource: Resource) -> Informer:
    graph: Graph = context.state["graph"]
    informer = Informer(context.client, resource, metadata_only=True)

    def changed(event_type: str, _old: Obj | None, new: Obj) -> None:
        work = graph.drop(new["metadata"]["uid"]) if event_type == "DELETED" else graph.put(resource, new)
        acting = acting_on(new)
        for uid in work:
            context.queue.add(uid, acting)

    informer.add_handler(changed)
    context.state["following"][resource.group_resource] = informer.start(context.tasks)
    return informer


async def reconcile(context: ControllerContext, key: str) -> None:
    if key == _DISCOVER:
        await _follow_all(context)
        return
    graph: Graph = context.state["graph"]
    node = graph.nodes.get(key)
    if node is None:
        return
    if node.orphaning:
        await _orphan(context, graph, node)
    elif node.deleting_dependents:
        await _delete_dependents(context, graph, node)
    elif not node.deleting:
        await _delete_if_ownerless(context, graph, node)


async def _orphan(context: ControllerContext, graph: Graph, owner: Node) -> None:
    found = graph.of(owner.uid)
    cause.add_note(reconcile=f"{_name(owner)} is deleted as orphan → let go of {len(found)} dependents")
    for dependent in found:
        await _drop_owners(context, dependent, [owner.uid])
    await _drop_finalizer(context, owner, ORPHAN)


async def _delete_dependents(context: ControllerContext, graph: Graph, owner: Node) -> None:
    found = graph.of(owner.uid)
    if not any(dependent.blocks(owner.uid) for dependent in found):
        cause.add_note(reconcile=f"nothing holds {_name(owner)} any more → let it go")
        await _drop_finalizer(context, owner, FOREGROUND)
        return
    acting = cause.current()
    for dependent in found:
        if not dependent.deleting:
            context.queue.add(dependent.uid, acting)


async def _delete_if_ownerless(context: ControllerContext, graph: Graph, node: Node) -> None:
    live = await _live(context, node)
    if live is None or not live.owners or live.deleting:
        return
    solid, dangling, waiting = await _classify(context, graph, live)
    unwanted = dangling + waiting
    if solid:
        if unwanted:
            cause.add_note(reconcile=f"{_name(live)} lost {len(unwanted)} of its owners")
            await _drop_owners(context, live, unwanted)
        return
    policy = "Background"
    if waiting and graph.of(live.uid):
        policy = "Foreground"
    elif live.finalized_by(ORPHAN):
        policy = "Orphan"
    elif live.finalized_by(FOREGROUND):
        policy = "Foreground"
    owners = ", ".join(f"{ref['kind']} {ref['name']}" for ref in live.owners)
    going = "is being deleted" if waiting else "is gone"
    cause.add_note(reconcile=f"owner {owners} {going} → delete {_name(live)}")
    options = {"propagationPolicy": policy, "preconditions": {"uid": live.uid}}
    await context.delete(live.resource, {"metadata": live.metadata}, options)


async def _live(context: ControllerContext, node: Node) -> Node | None:
    """The object as it is now, None if it is gone or another has its name."""
    meta = node.metadata
    try:
        found = await context.client.get(node.resource, meta["name"], meta.get("namespace", ""))
    except ApiError as error:
        if error.code != 404:
            raise
        return None
    return Node(node.resource, found["metadata"]) if found["metadata"]["uid"] == node.uid else None


async def _classify(context: ControllerContext, graph: Graph, node: Node) -> tuple[list[str], list[str], list[str]]:
    """Uids of the owners that are there, those that are gone, and those that wait for this one to go."""
    solid, dangling, waiting = [], [], []
    for ref in node.owners:
        owner = graph.nodes.get(ref["uid"]) or await _look_up(context, node, ref)
        if owner is None:
            dangling.append(ref["uid"])
        elif owner.deleting_dependents and ref.get("blockOwnerDeletion"):
            waiting.append(ref["uid"])
        else:
            solid.append(ref["uid"])
    return solid, dangling, waiting


async def _look_up(context: ControllerContext, node: Node, ref: dict[str, Any]) -> Node | None:
    """An owner that the graph does not know is asked for: it may be too new, or never have been."""
    mapper: Mapper = context.state["mapper"]
    try:
        resource = mapper.for_kind(ref["apiVersion"], ref["kind"])
    except NoMatch:
        mapper = context.state["mapper"] = await discover(context.client)
        resource = mapper.for_kind(ref["apiVersion"], ref["kind"])
    namespace = node.metadata.get("namespace", "") if resource.namespaced else ""
    return await _live(context, Node(resource, {**ref, "namespace": namespace}))


async def _drop_owners(context: ControllerContext, node: Node, uids: list[str]) -> None:
    gone = [{"$patch": "delete", "uid": uid} for uid in uids]
    patch: Obj = {"metadata": {"uid": node.uid, "ownerReferences": gone}}
    try:
        await context.patch(node.resource, {"metadata": node.metadata}, patch, STRATEGIC_MERGE_PATCH)
    except ApiError as error:
        if error.code == 415:  # a custom resource knows no strategic merge
            left = [ref for ref in node.owners if ref["uid"] not in uids]
            patch["metadata"]["ownerReferences"] = left
            await context.patch(node.resource, {"metadata": node.metadata}, patch)
        elif error.code != 404:
            raise


async def _drop_finalizer(context: ControllerContext, node: Node, name: str) -> None:
    live = await _live(context, node)
    if live is None or not live.finalized_by(name):
        return
    left = [f for f in live.metadata["finalizers"] if f != name]
    version = live.metadata["resourceVersion"]
    patch: Obj = {"metadata": {"resourceVersion": version, "finalizers": left}}
    await context.patch(live.resource, {"metadata": live.metadata}, patch)


def _name(node: Node) -> str:
    return f"{node.resource.kind} {node.metadata['name']}"


CONTROLLER = Controller("generic-garbage-collector", (Watch(crd.RESOURCE, _definition),), reconcile, setup=setup)

"""What the picture is drawn from: the objects of a cluster at one moment, read over the Kubernetes API.

`take` reads once; `LiveSnapshot` keeps one current with informers. On a foreign cluster there are no gates and no
spans; the picture then simply lacks them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from kubelearn.api.errors import ApiError
from kubelearn.api.resource import Obj, Resource
from kubelearn.client.informer import Informer
from kubelearn.client.rest import Client
from kubelearn.graph.node_type import node_types
from kubelearn.kit.tasks import Tasks

GATES = Resource("kubelearn.dev", "v1alpha1", "Gate", "gates", "gate", False)


def resources() -> list[Resource]:
    """What a snapshot reads: what the node types draw, and the gates."""
    return [*(t.resource for t in node_types().values()), GATES]


@dataclass(slots=True)
class Snapshot:
    """`objects` by group resource (`pods`, `deployments.apps`)."""

    objects: dict[str, list[Obj]] = field(default_factory=dict)
    revision: int = 0

    def of(self, group_resource: str) -> list[Obj]:
        return self.objects.get(group_resource, [])


async def take(client: Client, at: int = 0) -> Snapshot:
    """Read everything once, as it is or as it was at revision `at`. Resources that the cluster does not serve are
    left out; raises ApiError for the rest: 410 when `at` is compacted, 504 when it is still to come.

    What waits at the gate is not remembered, so a picture of the past is without it."""
    snapshot = Snapshot()
    past: dict[str, Any] = {"resourceVersion": at, "resourceVersionMatch": "Exact"} if at else {}

    async def read(resource: Resource) -> None:
        try:
            answer = await client.list(resource, **past)
        except ApiError as error:
            if error.code != 404:
                raise
            return
        snapshot.objects[resource.group_resource] = answer["items"]
        version = answer["metadata"].get("resourceVersion", "")
        if version.isdigit():
            snapshot.revision = max(snapshot.revision, int(version))

    await asyncio.gather(*(read(r) for r in resources() if not (at and r is GATES)))
    return snapshot


class LiveSnapshot:
    """A snapshot that follows the cluster; `on_change` is called, on the loop, whenever anything in it changed."""

    def __init__(self, client: Client, on_change: Callable[[], None]) -> None:
        self._client = client
        self._on_change = on_change
        self._informers: dict[str, Informer] = {}
        self._revision = 0

    async def start(self, tasks: Tasks) -> None:
        """Start following; returns when the first full picture is there."""
        for resource in resources():
            if resource is GATES and not await self._serves(resource):
                continue
            informer = Informer(self._client, resource)
            informer.add_handler(self._changed)
            informer.start(tasks)
            self._informers[resource.group_resource] = informer
        await asyncio.gather(*(i.synced() for i in self._informers.values()))
        self._on_change()

    async def _serves(self, resource: Resource) -> bool:
        try:
            await self._client.list(resource)
        except ApiError:
            return False
        return True

    def _changed(self, _type: str, _old: Obj | None, new: Obj) -> None:
        version = new["metadata"].get("resourceVersion", "")
        if version.isdigit():
            self._revision = max(self._revision, int(version))
        self._on_change()

    def current(self) -> Snapshot:
        return Snapshot({name: list(i.items()) for name, i in self._informers.items()}, self._revision)

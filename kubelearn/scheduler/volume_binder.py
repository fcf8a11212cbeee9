"""What a pod's volumes need before the pod can be bound: the chosen volumes are reserved for its claims, provisioners
are told the node, and then the controllers are waited for.

A volume that was chosen counts as taken at once, long before its reservation is seen.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from kubelearn.api import volume_matching as matching
from kubelearn.api.errors import ApiError
from kubelearn.api.kinds import persistentvolume, persistentvolumeclaim, storageclass
from kubelearn.api.resource import Obj
from kubelearn.client.informer import Informer
from kubelearn.client.rest import Client
from kubelearn.client.transport import TransportError
from kubelearn.scheduler import volumes
from kubelearn.scheduler.framework import NodeInfo, PodInfo, Storage
from kubelearn.scheduler.volumes import Plan

VOLUMES, CLAIMS, CLASSES = persistentvolume.RESOURCE, persistentvolumeclaim.RESOURCE, storageclass.RESOURCE
LONGEST_WAIT = 600.0


class VolumeBindingError(Exception):
    """The pod's volumes could not be bound; the message is kube-scheduler's."""

    def __init__(self, why: object) -> None:
        super().__init__(f'running PreBind plugin "VolumeBinding": binding volumes: {why}')


class VolumeBinder:
    """`informers` are to be started by the owner; `moved` is told of each change that may help a pod."""

    def __init__(self, client: Client, moved: Callable[[str, Obj], None]) -> None:
        self._client = client
        self._claims, self._volumes, self._classes = (Informer(client, r) for r in (CLAIMS, VOLUMES, CLASSES))
        self.informers = (self._claims, self._volumes, self._classes)
        self._assumed: dict[str, Obj] = {}
        self._changed = asyncio.Event()
        for informer, change in zip(self.informers, ("claim", "volume", "class"), strict=True):
            informer.add_handler(self._handler(change, moved))

    def _handler(self, change: str, moved: Callable[[str, Obj], None]) -> Callable[[str, Obj | None, Obj], None]:
        def changed(event: str, _old: Obj | None, new: Obj) -> None:
            self.wake()
            if event != "DELETED":
                moved(change, new)

        return changed

    def wake(self) -> None:
        """Something changed that those who wait may want to see."""
        self._changed.set()
        self._changed = asyncio.Event()

    def storage(self, pod: PodInfo) -> Storage:
        """What there is, volumes that were promised counted as taken; nothing for a pod that has no claims."""
        if not any(matching.claim_names(pod.obj)):
            return Storage()
        claims = {(c["metadata"]["namespace"], c["metadata"]["name"]): c for c in self._claims.items()}
        found = {v["metadata"]["name"]: v for v in self._volumes.items()}
        found |= {name: volume for name, volume in self._assumed.items() if name in found}
        return Storage(claims, found, {c["metadata"]["name"]: c for c in self._classes.items()})

    def plan(self, pod: PodInfo, node: NodeInfo | None) -> Plan:
        """For the node that the pod was decided to go to."""
        storage = self.storage(pod)
        claims = volumes.claims_of(pod, storage)
        made = volumes.plan(claims, node, storage) if node is not None and isinstance(claims, volumes.Claims) else None
        return made if isinstance(made, Plan) else Plan()

    @contextmanager
    def assumed(self, plan: Plan) -> Iterator[None]:
        """While this lasts, the chosen volumes are nobody else's. The informers show the own writes thereafter."""
        try:
            yield
        finally:
            for volume, _ in plan.bindings:
                self._assumed.pop(volume["metadata"]["name"], None)

    def assume(self, plan: Plan) -> None:
        for volume, claim in plan.bindings:
            self._assumed[volume["metadata"]["name"]] = _reserved(volume, claim)

    async def bind(self, plan: Plan, node: str, gone: Callable[[], bool]) -> None:
        """Returns when all of the pod's claims are bound. Raises VolumeBindingError."""
        try:
            for volume, claim in plan.bindings:
                if (volume["spec"].get("claimRef") or {}).get("uid") != claim["metadata"]["uid"]:
                    self._volumes.written(await self._client.update(VOLUMES, _reserved(volume, claim)))
            for claim in plan.provisions:
                chosen = copy.deepcopy(claim)
                chosen["metadata"].setdefault("annotations", {})[matching.SELECTED_NODE] = node
                if chosen != claim:
                    self._claims.written(await self._client.update(CLAIMS, chosen))
        except (ApiError, TransportError) as error:
            raise VolumeBindingError(error) from error
        try:
            async with asyncio.timeout(LONGEST_WAIT):
                while not self._all_bound(plan, node):
                    if gone():
                        raise VolumeBindingError("pod does not exist any more")
                    await self._changed.wait()
        except TimeoutError:
            raise VolumeBindingError("context deadline exceeded") from None

    def _all_bound(self, plan: Plan, node: str) -> bool:
        wanted = [self._seen(claim) for claim in plan.claims]
        for volume, _ in plan.bindings:
            name = volume["metadata"]["name"]
            if (seen := self._volumes.get("", name)) is None or not seen["spec"].get("claimRef"):
                raise VolumeBindingError(f'PersistentVolume "{name}" is gone or was taken back')
        for claim in plan.provisions:
            seen = self._seen(claim)
            if matching.marks_of(seen).get(matching.SELECTED_NODE) != node:
                raise VolumeBindingError(f'provisioning failed for PVC "{claim["metadata"]["name"]}"')
        return all(matching.fully_bound(claim) for claim in wanted)

    def _seen(self, claim: Obj) -> Obj:
        about = claim["metadata"]
        seen = self._claims.get(about["namespace"], about["name"])
        if seen is None or seen["metadata"]["uid"] != about["uid"]:
            raise VolumeBindingError(f'persistentvolumeclaim "{about["name"]}" not found')
        return seen


def _reserved(volume: Obj, claim: Obj) -> Obj:
    new, about = copy.deepcopy(volume), claim["metadata"]
    if not volume["spec"].get("claimRef"):
        new["metadata"].setdefault("annotations", {})[matching.BOUND_BY_CONTROLLER] = "yes"
    new["spec"]["claimRef"] = {
        "kind": "PersistentVolumeClaim",
        "apiVersion": "v1",
        **{key: about[key] for key in ("namespace", "name", "uid", "resourceVersion")},
    }
    return new

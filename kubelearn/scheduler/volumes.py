"""Where a pod's volumes let it run, and what must be bound for it there. Pure.

Claims are bound already, or the pod waits (immediate binding), or the scheduler chooses with the node (class with
WaitForFirstConsumer): a free volume within reach of the node, else one is made for it, which `Plan` tells.
Source: kube-scheduler's plugins/volumebinding.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from kubelearn.api import volume_matching as matching
from kubelearn.api.resource import Obj
from kubelearn.scheduler.framework import NodeInfo, PodInfo, Rejection, Storage

UNBOUND = "pod has unbound immediate PersistentVolumeClaims"
OUT_OF_REACH = "node(s) didn't match PersistentVolume's node affinity"
NO_MATCH = "node(s) didn't find available persistent volumes to bind"
NO_VOLUME = "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)"
_NO_PROVISIONER = ("", "kubernetes.io/no-provisioner")


@dataclass(frozen=True, slots=True)
class Claims:
    bound: Sequence[Obj] = ()
    late: Sequence[Obj] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """`bindings`: volume and claim to be bound to each other; `provisions`: claims that a volume is to be made for.
    `claims` are all that the pod names and must be bound before it is."""

    bindings: Sequence[tuple[Obj, Obj]] = ()
    provisions: Sequence[Obj] = ()
    claims: Sequence[Obj] = field(default=())

    def __bool__(self) -> bool:
        return bool(self.bindings or self.provisions)


def claims_of(pod: PodInfo, storage: Storage) -> Claims | Rejection | None:
    """None for a pod without claims; a Rejection while one of them stands in the way everywhere."""
    bound, late, immediate = [], [], False
    names = list(matching.claim_names(pod.obj))
    if not names:
        return None
    for name, ephemeral in names:
        claim = storage.claims.get((pod.namespace, name))
        if why := _unusable(pod, name, claim, ephemeral):
            return Rejection((why,), final=True)
        assert claim is not None
        if matching.fully_bound(claim):
            bound.append(claim)
        elif _binds_late(claim, storage.classes):
            late.append(claim)
        else:
            immediate = True
    return Rejection((UNBOUND,), final=True) if immediate else Claims(bound, late)


def _unusable(pod: PodInfo, name: str, claim: Obj | None, ephemeral: bool) -> str:
    if claim is None:
        if ephemeral:
            return f'waiting for ephemeral volume controller to create the persistentvolumeclaim "{name}"'
        return f'persistentvolumeclaim "{name}" not found'
    if (claim.get("status") or {}).get("phase") == "Lost":
        volume = claim["spec"].get("volumeName", "")
        return f'persistentvolumeclaim "{name}" bound to non-existent persistentvolume "{volume}"'
    if "deletionTimestamp" in claim["metadata"]:
        return f'persistentvolumeclaim "{name}" is being deleted'
    if ephemeral and not any(ref.get("uid") == pod.uid for ref in claim["metadata"].get("ownerReferences") or ()):
        where = pod.namespace
        return f"PVC {where}/{name} was not created for pod {where}/{pod.name} (pod is not owner)"
    return ""


def _binds_late(claim: Obj, classes: Mapping[str, Obj]) -> bool:
    found = classes.get(matching.class_of(claim))
    late = found is not None and found.get("volumeBindingMode") == "WaitForFirstConsumer"
    return late and not claim["spec"].get("volumeName")


def plan(claims: Claims, node: NodeInfo, storage: Storage) -> Plan | Rejection:
    """What is to be done for the pod to run on `node`."""
    reasons = _bound_reasons(claims.bound, node, storage)
    made = _late_plan(claims, node, storage)
    if made is None:
        reasons.append(NO_MATCH)
    if reasons or made is None:
        return Rejection(tuple(reasons), final=True)
    return made


def _bound_reasons(bound: Sequence[Obj], node: NodeInfo, storage: Storage) -> list[str]:
    for claim in bound:
        volume = storage.volumes.get(claim["spec"]["volumeName"])
        if volume is None:
            return [NO_VOLUME]
        if not matching.within_reach(volume, node.name, node.labels):
            return [OUT_OF_REACH]
    return []


def _late_plan(claims: Claims, node: NodeInfo, storage: Storage) -> Plan | None:
    bindings: list[tuple[Obj, Obj]] = []
    provisions: list[Obj] = []
    taken: set[str] = set()
    for claim in sorted(claims.late, key=lambda c: matching.asked_size(c)):
        chosen = matching.marks_of(claim).get(matching.SELECTED_NODE)
        if chosen is not None and chosen != node.name:
            return None
        volume = None if chosen else _match(claim, node, storage, taken)
        if volume is not None:
            taken.add(volume["metadata"]["name"])
            bindings.append((volume, claim))
        elif _can_be_made(storage.classes[matching.class_of(claim)], node):
            provisions.append(claim)
        else:
            return None
    return Plan(bindings, provisions, [*claims.bound, *claims.late])


def _match(claim: Obj, node: NodeInfo, storage: Storage, taken: set[str]) -> Obj | None:
    def free(volume: Obj) -> bool:
        if volume["metadata"]["name"] in taken:
            return False
        available = (volume.get("status") or {}).get("phase") == "Available"
        return available and matching.within_reach(volume, node.name, node.labels)

    candidates = [v for v in storage.volumes.values() if matching.is_for(v, claim) or free(v)]
    found = matching.best(candidates, claim)
    return found if found is not None and matching.within_reach(found, node.name, node.labels) else None


def _can_be_made(found: Obj, node: NodeInfo) -> bool:
    if found.get("provisioner", "") in _NO_PROVISIONER:
        return False
    terms = found.get("allowedTopologies") or []
    return not terms or any(
        all(node.labels.get(e["key"]) in e["values"] for e in term.get("matchLabelExpressions") or ()) for term in terms
    )

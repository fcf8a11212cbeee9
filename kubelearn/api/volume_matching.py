"""Which PersistentVolume suits a claim: the binder and the scheduler must agree on it. Pure.

Source: component-helpers' storage/volume/pv_helpers.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from kubelearn.api import placement, quantity, selectors
from kubelearn.api.resource import Obj

BIND_COMPLETED = "pv.kubernetes.io/bind-completed"
BOUND_BY_CONTROLLER = "pv.kubernetes.io/bound-by-controller"
SELECTED_NODE = "volume.kubernetes.io/selected-node"
_BETA_CLASS = "volume.beta.kubernetes.io/storage-class"


def marks_of(obj: Obj) -> dict[str, str]:
    return obj["metadata"].get("annotations") or {}


def class_of(obj: Obj) -> str:
    """The StorageClass of a volume or a claim, empty for none."""
    return str(marks_of(obj).get(_BETA_CLASS) or obj["spec"].get("storageClassName") or "")


def size(capacity: Obj | None) -> Any:
    return quantity.parse((capacity or {}).get("storage", "0"))


def asked_size(claim: Obj) -> Any:
    return size((claim["spec"].get("resources") or {}).get("requests"))


def fully_bound(claim: Obj) -> bool:
    return bool(claim["spec"].get("volumeName")) and BIND_COMPLETED in marks_of(claim)


def within_reach(volume: Obj, node: str, labels: Mapping[str, Any]) -> bool:
    """Whether the volume's node affinity lets it be used on the node of that name and labels."""
    required = (volume["spec"].get("nodeAffinity") or {}).get("required")
    if required is None:
        return True
    return any(placement.matches_term(term, node, labels) for term in required.get("nodeSelectorTerms") or [])


def is_for(volume: Obj, claim: Obj) -> bool:
    """Whether the volume is reserved for this claim, by name at least."""
    ref, about = volume["spec"].get("claimRef"), claim["metadata"]
    if not ref or (ref.get("namespace"), ref.get("name")) != (about["namespace"], about["name"]):
        return False
    return ref.get("uid") in (None, "", about["uid"])


def fits(volume: Obj, claim: Obj) -> bool:
    """Modes, class, size, labels: everything but whether it is free."""
    offered, asked = volume["spec"], claim["spec"]
    if "deletionTimestamp" in volume["metadata"] or class_of(volume) != class_of(claim):
        return False
    if offered.get("volumeMode", "Filesystem") != asked.get("volumeMode", "Filesystem"):
        return False
    if not set(asked.get("accessModes") or ()) <= set(offered.get("accessModes") or ()):
        return False
    if size(offered.get("capacity")) < asked_size(claim):
        return False
    wanted = asked.get("selector")
    return wanted is None or selectors.from_label_selector(wanted).matches(volume["metadata"].get("labels") or {})


def best(volumes: Iterable[Obj], claim: Obj) -> Obj | None:
    """One that is reserved for the claim, else the smallest free one that is large enough."""
    free: list[Obj] = []
    for volume in volumes:
        if is_for(volume, claim):
            return volume if fits(volume, claim) else None
        if volume["spec"].get("claimRef") is None and fits(volume, claim):
            free.append(volume)
    return min(free, key=lambda v: (size(v["spec"].get("capacity")), v["metadata"]["name"]), default=None)


def claim_names(pod: Obj) -> Iterator[tuple[str, bool]]:
    """The claims that a pod mounts, by name, and whether it is one that is made for the pod alone (ephemeral)."""
    for volume in pod["spec"].get("volumes") or ():
        if "persistentVolumeClaim" in volume:
            yield volume["persistentVolumeClaim"]["claimName"], False
        elif "ephemeral" in volume:
            yield f"{pod['metadata']['name']}-{volume['name']}", True

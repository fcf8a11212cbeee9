"""Binds PersistentVolumeClaims to PersistentVolumes, and releases volumes whose claim is gone.

Keys are `claim/NAMESPACE/NAME` and `volume/NAME`. Volumes are not made here: a class with a provisioner waits for it.
Source: Kubernetes' pkg/controller/volume/persistentvolume.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable

from kubelearn.api import volume_matching as matching
from kubelearn.api.kinds import persistentvolume, persistentvolumeclaim, storageclass
from kubelearn.api.resource import Obj
from kubelearn.controllers.base import Controller, ControllerContext, Watch
from kubelearn.trace import cause

VOLUMES, CLAIMS, CLASSES = persistentvolume.RESOURCE, persistentvolumeclaim.RESOURCE, storageclass.RESOURCE
_CLAIM, _VOLUME = "claim/", "volume/"
_NO_PROVISIONER = "kubernetes.io/no-provisioner"


def _claim_key(namespace: str, name: str) -> str:
    return f"{_CLAIM}{namespace}/{name}"


def _of_claim(_context: ControllerContext, _type: str, old: Obj | None, new: Obj) -> Iterable[str]:
    yield _claim_key(new["metadata"]["namespace"], new["metadata"]["name"])
    for obj in (old, new):
        if obj is not None and (volume := obj["spec"].get("volumeName")):
            yield f"{_VOLUME}{volume}"


def _of_volume(context: ControllerContext, event: str, _old: Obj | None, new: Obj) -> Iterable[str]:
    """Itself and its claim; and those that wait, for which a free one may do."""
    if event != "DELETED":
        yield f"{_VOLUME}{new['metadata']['name']}"
    if ref := new["spec"].get("claimRef"):
        yield _claim_key(ref.get("namespace", ""), ref.get("name", ""))
    else:
        yield from _waiting(context)


def _of_class(context: ControllerContext, _type: str, _old: Obj | None, _new: Obj) -> Iterable[str]:
    return _waiting(context)


def _waiting(context: ControllerContext) -> Iterable[str]:
    for claim in context.informer(CLAIMS).items():
        if (claim.get("status") or {}).get("phase") != "Bound":
            yield _claim_key(claim["metadata"]["namespace"], claim["metadata"]["name"])


async def reconcile(context: ControllerContext, key: str) -> None:
    if key.startswith(_CLAIM):
        namespace, _, name = key.removeprefix(_CLAIM).partition("/")
        claim = context.informer(CLAIMS).get(namespace, name)
        if claim is not None:
            await _sync_claim(context, claim)
        return
    volume = context.informer(VOLUMES).get("", key.removeprefix(_VOLUME))
    if volume is not None:
        await _sync_volume(context, volume)


# ---- claims


async def _sync_claim(context: ControllerContext, claim: Obj) -> None:
    if matching.BIND_COMPLETED in matching.marks_of(claim):
        await _sync_bound(context, claim)
        return
    wanted = claim["spec"].get("volumeName")
    if wanted:
        volume = context.informer(VOLUMES).get("", wanted)
        if volume is not None and (volume["spec"].get("claimRef") is None or matching.is_for(volume, claim)):
            await _bind(context, volume, claim)
        else:
            await _phase(context, CLAIMS, claim, "Pending")
        return
    late = _binds_late(context, claim)
    volumes = context.informer(VOLUMES).items()
    found = matching.best([v for v in volumes if matching.is_for(v, claim)] if late else volumes, claim)
    if found is not None:
        await _bind(context, found, claim)
        return
    if late and matching.SELECTED_NODE not in matching.marks_of(claim):
        text = "waiting for first consumer to be created before binding"
        await context.recorder.event(claim, "Normal", "WaitForFirstConsumer", text)
    else:
        await _say_why(context, claim)
    await _phase(context, CLAIMS, claim, "Pending")


def _binds_late(context: ControllerContext, claim: Obj) -> bool:
    """With WaitForFirstConsumer the scheduler chooses, with a node: it reserves a volume that can be used there, or
    has one provisioned. Only what was reserved is bound here."""
    found = context.informer(CLASSES).get("", matching.class_of(claim))
    return found is not None and found.get("volumeBindingMode") == "WaitForFirstConsumer"


async def _say_why(context: ControllerContext, claim: Obj) -> None:
    name = matching.class_of(claim)
    found = context.informer(CLASSES).get("", name) if name else None
    if not name:
        text = "no persistent volumes available for this claim and no storage class is set"
        told = ("Normal", "FailedBinding", text)
    elif found is None:
        told = ("Warning", "ProvisioningFailed", f'storageclass.storage.k8s.io "{name}" not found')
    elif found["provisioner"] == _NO_PROVISIONER:
        told = ("Normal", "FailedBinding", "no persistent volumes available for this claim")
    else:
        text = (
            f"Waiting for a volume to be created either by the external provisioner '{found['provisioner']}' or "
            "manually by the system administrator. If volume creation is delayed, please verify that the provisioner "
            "is running and correctly registered."
        )
        told = ("Normal", "ExternalProvisioning", text)
    await context.recorder.event(claim, *told)


async def _sync_bound(context: ControllerContext, claim: Obj) -> None:
    volume = context.informer(VOLUMES).get("", claim["spec"].get("volumeName", ""))
    lost = ""
    if volume is None:
        lost, why = "ClaimLost", "Bound claim has lost its PersistentVolume. Data on the volume is lost!"
    elif volume["spec"].get("claimRef") is not None and not matching.is_for(volume, claim):
        lost, why = "ClaimMisbound", "Two claims are bound to the same volume, this one is bound incorrectly"
    if lost:
        if (claim.get("status") or {}).get("phase") != "Lost":
            await context.recorder.event(claim, "Warning", lost, why)
        await _phase(context, CLAIMS, claim, "Lost")
    elif volume is not None:
        await _bind(context, volume, claim)


# ---- binding


async def _bind(context: ControllerContext, volume: Obj, claim: Obj) -> None:
    """Both ends point to each other; each write is of its own, so that it may be interrupted at any point."""
    cause.add_note(reconcile=f"claim {claim['metadata']['name']} ↔ volume {volume['metadata']['name']}")
    volume = await _point_to_claim(context, volume, claim)
    volume = await _phase(context, VOLUMES, volume, "Bound")
    claim = await _point_to_volume(context, claim, volume)
    offered = volume["spec"]
    status = {"phase": "Bound", "accessModes": offered["accessModes"], "capacity": offered["capacity"]}
    now = claim.get("status") or {}
    if any(now.get(field) != value for field, value in status.items()):
        await context.update(CLAIMS, {**claim, "status": {**now, **status}}, "status")


async def _point_to_claim(context: ControllerContext, volume: Obj, claim: Obj) -> Obj:
    ref, about = volume["spec"].get("claimRef"), claim["metadata"]
    if ref and ref.get("uid") == about["uid"]:
        return volume
    new = copy.deepcopy(volume)
    if ref is None:
        new["metadata"].setdefault("annotations", {})[matching.BOUND_BY_CONTROLLER] = "yes"
    new["spec"]["claimRef"] = {
        "kind": "PersistentVolumeClaim",
        "apiVersion": "v1",
        **{key: about[key] for key in ("namespace", "name", "uid", "resourceVersion")},
    }
    return await context.update(VOLUMES, new)


async def _point_to_volume(context: ControllerContext, claim: Obj, volume: Obj) -> Obj:
    new = copy.deepcopy(claim)
    marks = new["metadata"].setdefault("annotations", {})
    if new["spec"].get("volumeName") != volume["metadata"]["name"]:
        new["spec"]["volumeName"] = volume["metadata"]["name"]
        marks[matching.BOUND_BY_CONTROLLER] = "yes"
    marks[matching.BIND_COMPLETED] = "yes"
    return await context.update(CLAIMS, new) if new != claim else claim


# ---- volumes


async def _sync_volume(context: ControllerContext, volume: Obj) -> None:
    ref = volume["spec"].get("claimRef")
    if not ref or not ref.get("uid"):
        await _phase(context, VOLUMES, volume, "Available")
        return
    claim = context.informer(CLAIMS).get(ref.get("namespace", ""), ref.get("name", ""))
    if claim is not None and claim["metadata"]["uid"] == ref["uid"]:
        await _sync_claim(context, claim)
        return
    cause.add_note(reconcile=f"the claim of volume {volume['metadata']['name']} is gone → Released")
    if (volume.get("status") or {}).get("phase") != "Failed":
        volume = await _phase(context, VOLUMES, volume, "Released")
        if volume["spec"].get("persistentVolumeReclaimPolicy") != "Retain":
            await _cannot_reclaim(context, volume)


async def _cannot_reclaim(context: ControllerContext, volume: Obj) -> None:
    """What nobody provisioned here, nobody here can delete or recycle; an external provisioner looks for itself."""
    if "pv.kubernetes.io/provisioned-by" in matching.marks_of(volume):
        return
    policy = volume["spec"]["persistentVolumeReclaimPolicy"]
    word, verb = ("VolumeFailedDelete", "deleter") if policy == "Delete" else ("VolumeFailedRecycle", "recycler")
    name = volume["metadata"]["name"]
    text = f"error getting {verb} volume plugin for volume {name!r}: no volume plugin matched".replace("'", '"')
    await context.recorder.event(volume, "Warning", word, text)
    await _phase(context, VOLUMES, volume, "Failed", text)


async def _phase(context: ControllerContext, resource: object, obj: Obj, phase: str, message: str = "") -> Obj:
    status = obj.get("status") or {}
    if status.get("phase") == phase:
        return obj
    new = {**{key: value for key, value in status.items() if key != "message"}, "phase": phase}
    if message:
        new["message"] = message
    if resource is VOLUMES:
        new["lastPhaseTransitionTime"] = context.timestamp()
    return await context.update(VOLUMES if resource is VOLUMES else CLAIMS, {**obj, "status": new}, "status")


CONTROLLER = Controller(
    "persistent-volume-binder",
    (Watch(CLAIMS, _of_claim), Watch(VOLUMES, _of_volume), Watch(CLASSES, _of_class)),
    reconcile,
    workers=1,
    source="persistentvolume-controller",
)

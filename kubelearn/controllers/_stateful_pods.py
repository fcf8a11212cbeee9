"""A StatefulSet's pods: their names, identities and claims, and making and deleting them.

Source: Kubernetes' pkg/controller/statefulset/stateful_set_utils.go and stateful_pod_control.go.
"""

from __future__ import annotations

import copy

from kubelearn.api import meta
from kubelearn.api.errors import ApiError
from kubelearn.api.resource import Obj, Resource
from kubelearn.controllers import _pod_control, _revisions
from kubelearn.controllers.base import PODS, ControllerContext

CLAIMS = Resource("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", "persistentvolumeclaim", True)
_NAME, _INDEX = "statefulset.kubernetes.io/pod-name", "apps.kubernetes.io/pod-index"


def ordinal(owner: Obj, pod: Obj) -> int | None:
    """The number at the end of the pod's name, None if it is not one of the owner's names."""
    base, _, number = pod["metadata"]["name"].rpartition("-")
    return int(number) if base == owner["metadata"]["name"] and number.isdecimal() else None


def make(owner: Obj, number: int, revision: Obj) -> Obj:
    pod = _pod_control.pod_from_template(owner)
    about, name = pod["metadata"], f"{owner['metadata']['name']}-{number}"
    del about["generateName"]
    about["name"] = name
    revision_name = revision["metadata"]["name"]
    about["labels"] = {
        **about.get("labels", {}),
        _INDEX: str(number),
        _revisions.HASH_LABEL: revision_name,
        _NAME: name,
    }
    pod["spec"]["hostname"] = name
    if service := owner["spec"].get("serviceName"):
        pod["spec"]["subdomain"] = service
    claims = [template["metadata"]["name"] for template in owner["spec"].get("volumeClaimTemplates") or ()]
    others = [v for v in pod["spec"].get("volumes", ()) if v["name"] not in claims]
    if claims:
        claimed = [{"name": c, "persistentVolumeClaim": {"claimName": f"{c}-{name}"}} for c in claims]
        pod["spec"]["volumes"] = [*others, *claimed]
    return pod


async def create(context: ControllerContext, owner: Obj, number: int, revision: Obj) -> ApiError | None:
    """The pod's claims first."""
    pod = make(owner, number, revision)
    try:
        await _make_claims(context, owner, pod["metadata"]["name"])
        await context.create(PODS, pod)
    except ApiError as error:
        await _tell(context, owner, "create", pod["metadata"]["name"], error)
        return error
    await _tell(context, owner, "create", pod["metadata"]["name"])
    return None


async def _make_claims(context: ControllerContext, owner: Obj, pod_name: str) -> None:
    """Those that are not there yet; they outlive their pod unless the set's retention policy says otherwise."""
    namespace = owner["metadata"]["namespace"]
    retention = owner["spec"].get("persistentVolumeClaimRetentionPolicy") or {}
    for template in owner["spec"].get("volumeClaimTemplates") or ():
        name = f"{template['metadata']['name']}-{pod_name}"
        if context.informer(CLAIMS).get(namespace, name) is not None:
            continue
        given = template["metadata"]
        labels = {**(given.get("labels") or {}), **(owner["spec"]["selector"].get("matchLabels") or {})}
        about: Obj = {"name": name, "namespace": namespace, "labels": labels}
        if given.get("annotations"):
            about["annotations"] = given["annotations"]
        if retention.get("whenDeleted") == "Delete":
            about["ownerReferences"] = [meta.owner_reference(owner)]
        claim = {"metadata": about, "spec": copy.deepcopy(template["spec"])}
        try:
            await context.create(CLAIMS, claim)
        except ApiError as error:
            if error.code != 409:
                raise
            continue
        text = f"create Claim {name} Pod {pod_name} in StatefulSet {owner['metadata']['name']} success"
        await context.recorder.event(owner, "Normal", "SuccessfulCreate", text)


async def delete(context: ControllerContext, owner: Obj, pod: Obj) -> ApiError | None:
    try:
        await context.delete(PODS, pod)
    except ApiError as error:
        await _tell(context, owner, "delete", pod["metadata"]["name"], error)
        return error
    await _tell(context, owner, "delete", pod["metadata"]["name"])
    return None


async def _tell(
    context: ControllerContext, owner: Obj, verb: str, pod_name: str, error: ApiError | None = None
) -> None:
    text, outcome = f"{verb} Pod {pod_name} in StatefulSet {owner['metadata']['name']}", verb.capitalize()
    if error is None:
        await context.recorder.event(owner, "Normal", f"Successful{outcome}", f"{text} successful")
    else:
        await context.recorder.event(owner, "Warning", f"Failed{outcome}", f"{text} failed error: {error.message}")

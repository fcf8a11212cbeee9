"""pods/binding: the scheduler's verdict, the pod's node, once and for ever.

Source: Kubernetes' pkg/registry/core/pod/storage (BindingREST).
"""

from __future__ import annotations

from kubelearn.api import errors, names
from kubelearn.api.kind import FieldError, Kind
from kubelearn.api.resource import Obj
from kubelearn.apiserver import keys, rest
from kubelearn.apiserver.call import Call
from kubelearn.apiserver.routing import Route
from kubelearn.apiserver.subresources._base import Subresource, body_of, only, success
from kubelearn.client.transport import Response
from kubelearn.kit import clock


async def _binding(call: Call, kind: Kind, route: Route) -> Response:
    only(call, "POST")
    return await assign(call, kind, route.namespace, route.name, body_of(call, "", "v1", "Binding"))


async def assign(call: Call, kind: Kind, namespace: str, name: str, binding: Obj) -> Response:
    """Raises ApiError 404, 409, and 422 for a binding to anything but a node."""
    node, about = _node(binding, name), binding.get("metadata", {})

    async def bind(pod: Obj) -> Obj:
        if about.get("uid", pod["metadata"]["uid"]) not in ("", pod["metadata"]["uid"]):
            raise _another(kind, pod, about["uid"])
        if pod["metadata"].get("deletionTimestamp"):
            raise errors.conflict(kind.resource, name, f"pod {name} is being deleted, cannot be assigned to a host")
        if pod["spec"].get("nodeName"):
            why = f'pod {name} is already assigned to node "{pod["spec"]["nodeName"]}"'
            raise errors.conflict(kind.resource, name, why)
        if pod["spec"].get("schedulingGates"):
            raise errors.conflict(kind.resource, name, f"pod {name} has non-empty .spec.schedulingGates")
        pod["spec"]["nodeName"] = node
        if annotations := about.get("annotations"):
            pod["metadata"]["annotations"] = {**(pod["metadata"].get("annotations") or {}), **annotations}
        condition = {
            "type": "PodScheduled", "status": "True", "lastProbeTime": None,
            "lastTransitionTime": clock.rfc3339(clock.utc_now()),
        }  # fmt: skip
        others = [c for c in pod.get("status", {}).get("conditions", ()) if c["type"] != "PodScheduled"]
        status = pod.setdefault("status", {})
        status["conditions"] = [*others, condition]
        status.pop("nominatedNodeName", None)
        return pod

    await rest.write(call, kind, namespace, name, bind, "bind")
    return success()


def _node(binding: Obj, name: str) -> str:
    """The node that a binding names."""
    target = binding.get("target") or {}
    problems = []
    if target.get("kind", "") not in ("", "Node"):
        text = f'Unsupported value: {names.quote(target["kind"])}: supported values: "Node", "<empty>"'
        problems.append(FieldError("target.kind", "FieldValueNotSupported", text))
    if not target.get("name"):
        problems.append(rest.required("target.name"))
    if problems:
        raise errors.invalid("", "Binding", name, problems)
    return str(target["name"])


def _another(kind: Kind, pod: Obj, wanted: str) -> errors.ApiError:
    """The pod that was decided on is gone, and another has its name."""
    meta = pod["metadata"]
    text = f"Precondition failed: UID in precondition: {wanted}, UID in object meta: {meta['uid']}"
    where = keys.key(kind.resource, meta["namespace"], meta["name"])
    why = f"StorageError: invalid object, Code: 4, Key: {where}, ResourceVersion: 0, AdditionalErrorMsg: {text}"
    return errors.conflict(kind.resource, meta["name"], why)


SUBRESOURCE = Subresource(_binding, ("create",), "", "v1", "Binding")

"""The scale subresource: replicas as an autoscaling/v1 Scale, wherever the kind keeps them."""

from __future__ import annotations

from typing import Any

from kubelearn.api import errors, selectors
from kubelearn.api.kind import FieldError, Kind, Scale
from kubelearn.api.resource import Obj
from kubelearn.apiserver import codec, patching, rest
from kubelearn.apiserver.answers import json_response
from kubelearn.apiserver.call import Call
from kubelearn.apiserver.routing import Route
from kubelearn.apiserver.subresources._base import Subresource, body_of, only
from kubelearn.client.transport import Response


async def _scale(call: Call, kind: Kind, route: Route) -> Response:
    only(call, "GET", "PUT", "PATCH")
    paths = kind.scale or Scale()
    kv = await rest.read(call.server, kind, route.namespace, route.name)
    if call.request.method == "GET":
        return json_response(_scale_of(codec.decode(kv), paths))
    apply = patching.parse(call.request, kind) if call.request.method == "PATCH" else None
    given = body_of(call) if apply is None else {}

    async def scale(obj: Obj) -> Obj:
        wanted = apply(_scale_of(obj, paths)) if apply is not None else given
        about, spec = wanted.get("metadata") or {}, wanted.get("spec") or {}
        version = about.get("resourceVersion")
        if version and version != obj["metadata"]["resourceVersion"]:
            raise errors.conflict(kind.resource, route.name)
        replicas = spec.get("replicas", 0)
        if not isinstance(replicas, int) or isinstance(replicas, bool):
            raise errors.bad_request('Scale in version "v1" cannot be handled as a Scale: spec.replicas is no int32')
        if replicas < 0:
            text = f"Invalid value: {replicas}: must be greater than or equal to 0"
            problem = FieldError("spec.replicas", "FieldValueInvalid", text)
            raise errors.invalid("autoscaling", "Scale", route.name, [problem])
        _put(obj, paths.spec_replicas, replicas)
        return obj

    changed = await rest.change(call, kind, route.namespace, route.name, "", scale, "scale")
    return json_response(_scale_of(codec.decode(changed), paths))


def _scale_of(obj: Obj, paths: Scale) -> Obj:
    about = obj["metadata"]
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    status: Obj = {"replicas": _at(obj, paths.status_replicas) or 0}
    if selector := _at(obj, paths.selector):
        plain = all(isinstance(value, str) for value in selector.values())  # a ReplicationController's
        status["selector"] = str(selectors.from_label_selector({"matchLabels": selector} if plain else selector))
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {k: about[k] for k in kept if k in about},
        "spec": {"replicas": _at(obj, paths.spec_replicas) or 0},
        "status": status,
    }


def _at(obj: Obj, path: str) -> Any:
    found: Any = obj
    for part in path.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found


def _put(obj: Obj, path: str, value: Any) -> None:
    *parents, last = path.split(".")
    for part in parents:
        obj = obj.setdefault(part, {})
    obj[last] = value


SUBRESOURCE = Subresource(_scale, ("get", "patch", "update"), "autoscaling", "v1", "Scale")

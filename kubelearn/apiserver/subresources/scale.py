"""The scale subresource: replicas as an autoscaling/v1 Scale, wherever the kind keeps them."""

from __future__ import annotations

from typing import Any

from kubelearn.api import apply as applied
from kubelearn.api import errors, managed_fields, scale_fields, selectors, shape
from kubelearn.api.kind import FieldError, Kind, Scale
from kubelearn.api.kinds import _read as r
from kubelearn.api.resource import Obj, Resource
from kubelearn.apiserver import applying, bodies, codec, patching, rest, tracking
from kubelearn.apiserver.answers import json_response
from kubelearn.apiserver.call import Call
from kubelearn.apiserver.routing import Route
from kubelearn.apiserver.subresources._base import Subresource, body_of, only, typed
from kubelearn.client.transport import Response

_SCALE = ("autoscaling", "v1", "Scale")
_RESOURCE = Resource(*_SCALE, "scales", "scale", True)


async def _scale(call: Call, kind: Kind, route: Route) -> Response:
    only(call, "GET", "PUT", "PATCH")
    paths = kind.scale or Scale()
    if call.request.method == "GET":
        return json_response(
            _scale_of(codec.decode(await rest.read(call.server, kind, route.namespace, route.name)), paths)
        )
    write = _applied if bodies.media_type(call.request) == patching.APPLY else _updated
    make, track = write(call, kind, route, paths)
    where = route.namespace, route.name, ""
    changed = await rest.change(call, kind, *where, make, "scale", track, lambda obj: _scale_of(obj, paths))
    return json_response(_scale_of(codec.decode(changed), paths))


def _updated(call: Call, kind: Kind, route: Route, paths: Scale) -> tuple[rest.Change, tracking.Track]:
    """A PUT or a patch of the Scale."""
    patched = call.request.method == "PATCH"
    apply = patching.parse(call.request, _RESOURCE, strategic=kind.structure is None) if patched else None
    tracking.check_options(call.request, "PatchOptions" if patched else "UpdateOptions")
    given = body_of(call, *_SCALE) if apply is None else {}

    async def scale(obj: Obj) -> Obj:
        wanted = typed(apply(_scale_of(obj, paths)), *_SCALE) if apply is not None else given
        return _scaled(obj, wanted, kind, route, paths)

    def track(old: Obj, new: Obj, stored: list[Obj]) -> list[Obj]:
        before, after = _scale_of(old, paths), _scale_of(new, paths)
        if not stored or before["spec"] == after["spec"]:
            return stored
        parent = managed_fields.stored(stored)
        path = scale_fields.path_of(paths.spec_replicas)
        owner = managed_fields.updater(tracking.manager(call.request), scale_fields.SCALE, "scale")
        seen = scale_fields.to_scale(parent, path)
        seen = managed_fields.update(before, after, _shape(), seen, owner, tracking.now(), ("status",))
        return managed_fields.encode(scale_fields.to_parent(parent, seen, path, kind.resource.api_version))

    return scale, track


def _applied(call: Call, kind: Kind, route: Route, paths: Scale) -> tuple[rest.Change, tracking.Track]:
    """An applied configuration of the Scale, which may conflict with who else owns the replicas."""
    config = applying.configuration(call, *_SCALE, _shape())
    path = scale_fields.path_of(paths.spec_replicas)
    owners: list[Obj] = []

    async def scale(obj: Obj) -> Obj:
        parent = managed_fields.stored(obj["metadata"].get("managedFields", []))
        try:
            done = applied.apply(
                _scale_of(obj, paths),
                config,
                _shape(),
                scale_fields.to_scale(parent, path),
                tracking.manager(call.request),
                tracking.now(),
                subresource="scale",
                force=applying.force(call.request),
                ignored=("status",),
            )
        except applied.ApplyConflict as error:
            raise error.error() from error
        after = scale_fields.to_parent(parent, done.managed, path, kind.resource.api_version)
        owners[:] = managed_fields.encode(after)
        return _scaled(obj, done.obj, kind, route, paths)

    return scale, lambda _old, _new, _stored: list(owners)


def _shape() -> shape.Shape:
    return shape.of_kind(*_SCALE)


def _scaled(obj: Obj, wanted: Obj, kind: Kind, route: Route, paths: Scale) -> Obj:
    """The object with the replicas that a Scale asks for. Raises ApiError."""
    about, spec = wanted.get("metadata") or {}, wanted.get("spec") or {}
    version = about.get("resourceVersion")
    if version and version != obj["metadata"]["resourceVersion"]:
        raise errors.conflict(kind.resource, route.name)
    replicas = spec.get("replicas", 0)
    if replicas < 0:
        text = f"Invalid value: {replicas}: must be greater than or equal to 0"
        problem = FieldError("spec.replicas", "FieldValueInvalid", text)
        raise errors.invalid("autoscaling", "Scale", route.name, [problem])
    _put(obj, paths.spec_replicas, replicas)
    return obj


def _scale_of(obj: Obj, paths: Scale) -> Obj:
    about = obj["metadata"]
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    status: Obj = {"replicas": r.at(obj, paths.status_replicas) or 0}
    selector = r.at(obj, paths.selector)
    if isinstance(selector, str):  # a custom resource's, written out
        status["selector"] = selector
    elif selector:
        plain = all(isinstance(value, str) for value in selector.values())  # a ReplicationController's
        status["selector"] = str(selectors.from_label_selector({"matchLabels": selector} if plain else selector))
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {k: about[k] for k in kept if k in about},
        "spec": {"replicas": r.at(obj, paths.spec_replicas) or 0},
        "status": status,
    }


def _put(obj: Obj, path: str, value: Any) -> None:
    *parents, last = path.split(".")
    for part in parents:
        obj = obj.setdefault(part, {})
    obj[last] = value


SUBRESOURCE = Subresource(_scale, ("get", "patch", "update"), "autoscaling", "v1", "Scale")

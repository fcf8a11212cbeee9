"""PATCH with `application/apply-patch+yaml`: server-side apply, from the request to the stored object."""

from __future__ import annotations

from typing import Any

import orjson

from kubelearn.api import apply, errors, managed_fields, merging
from kubelearn.api.apply import Applied, ApplyConflict
from kubelearn.api.errors import ApiError
from kubelearn.api.kind import Kind
from kubelearn.api.resource import Obj
from kubelearn.api.shape import Shape, ShapeError
from kubelearn.apiserver import bodies, keys, rest, tracking, versions
from kubelearn.apiserver.call import Call
from kubelearn.client.transport import Request
from kubelearn.store.interface import KeyValue


def configuration(call: Call, group: str, version: str, kind: str, shape: Shape) -> Obj:
    """The applied configuration. Raises ApiError 400 for what is none of this kind, 500 (as Kubernetes does) for
    one that breaks the schema."""
    request = call.request
    tracking.check_options(request, "PatchOptions", applying=True)
    config = _parse(request)
    _check_duplicates(call)
    wanted = f"{group}/{version}" if group else version
    if (config.get("apiVersion"), config.get("kind")) != (wanted, kind):
        raise errors.bad_request(f"invalid object type: {_gvk(config)}")
    about = config.get("metadata")
    if isinstance(about, dict) and about.get("managedFields") is not None:
        raise errors.bad_request("metadata.managedFields must be nil")
    if found := merging.problems(config, shape):
        where = about if isinstance(about, dict) else {}
        text = found[0] if len(found) == 1 else "errors:\n" + "\n".join(f"  {line}" for line in found)
        what = f"{where.get('namespace', '')}/{where.get('name', '')}; {_gvk(config)}"
        raise ApiError(500, "", f"failed to create typed patch object ({what}): {text}")
    return {**config, "metadata": dict(about or {})}


def _parse(request: Request) -> Obj:
    found: Any
    try:
        found = bodies.bounded(orjson.loads(request.body))
    except orjson.JSONDecodeError:
        found = bodies.parse_yaml(request.body, "error decoding YAML: error converting YAML to JSON")
    if not isinstance(found, dict):
        raise errors.bad_request("error decoding YAML: the configuration is no object")
    return found


def _check_duplicates(call: Call) -> None:
    """Keys given twice are an error or a warning, as `fieldValidation` says. Raises ApiError 400."""
    how = call.request.param("fieldValidation") or "Warn"
    if how == "Ignore" or not (found := bodies.duplicate_keys(call.request.body)):
        return
    text = "error converting YAML to JSON: yaml: unmarshal errors:\n  " + "\n  ".join(found)
    if how == "Strict":
        raise errors.bad_request(f"error strict decoding YAML: {text}")
    call.warn([text.replace("\n", " ")])


def _gvk(config: Obj) -> str:
    group, _, version = str(config.get("apiVersion") or "").rpartition("/")
    return f"{group}/{version}, Kind={config.get('kind') or ''}"


def force(request: Request) -> bool:
    return request.param("force").lower() in ("1", "true", "t")


async def patch(call: Call, kind: Kind, namespace: str, name: str, subresource: str) -> tuple[KeyValue, bool]:
    """Apply to the object, creating it if need be; the bool says whether it was. Raises ApiError."""
    resource, asked = kind.resource, versions.asked(call, kind)
    of = asked.resource
    config = configuration(call, of.group, of.version, of.kind, tracking.shape_of(asked))
    config = versions.to_stored(call, config)
    about = config["metadata"]
    if namespace and about.get("namespace", namespace) != namespace:
        text = f"({about['namespace']}) does not match the namespace on the request ({namespace})"
        raise errors.bad_request(f"the namespace of the object {text}")
    if about.get("name") and about["name"] != name:
        raise errors.bad_request(
            f"the name of the object ({about['name']}) does not match the name on the URL ({name})"
        )
    while True:
        if await call.server.store.get(keys.key(resource, namespace, name)) is not None:
            return await _change(call, kind, namespace, name, subresource, config), False
        if subresource:
            raise errors.not_found(resource, name)
        try:
            return await _create(call, kind, namespace, name, config), True
        except ApiError as error:
            if error.reason != "AlreadyExists":
                raise


def _apply(call: Call, kind: Kind, live: Obj, entries: list[Obj], config: Obj, subresource: str) -> Applied:
    try:
        return apply.apply(
            live,
            config,
            tracking.shape_of(kind),
            managed_fields.stored(entries),
            tracking.manager(call.request),
            tracking.now(),
            blank=tracking.blank_of(kind),
            subresource=subresource,
            force=force(call.request),
            ignored=tracking.unreached(kind, subresource),
        )
    except ApplyConflict as error:
        raise error.error() from error
    except ShapeError as error:  # of the live object: the configuration has been looked at
        about = live.get("metadata", {})
        what = f"{about.get('namespace', '')}/{about.get('name', '')}; {_gvk(config)}"
        raise ApiError(500, "", f"failed to create typed live object ({what}): {error}") from error


async def _create(call: Call, kind: Kind, namespace: str, name: str, config: Obj) -> KeyValue:
    about = config["metadata"]
    if not about.get("name"):
        raise errors.bad_request(
            f"the name of the object ({name} based on URL) was undeterminable: name must be provided"
        )
    call.authorize_create(kind, namespace, name)
    if about.get("uid"):
        why = f"uid mismatch: the provided object specified uid {about['uid']}, and no existing object was found"
        raise errors.conflict(kind.resource, name, why)
    if about.get("resourceVersion"):
        raise errors.conflict(kind.resource, name)
    done = _apply(call, kind, {}, [], config, "")
    decoded = bodies.check(done.obj, kind, call.request)
    call.warn(decoded.warnings)
    return await rest.create_object(call, kind, namespace, decoded.obj, managed_fields.encode(done.managed))


async def _change(call: Call, kind: Kind, namespace: str, name: str, subresource: str, config: Obj) -> KeyValue:
    owners: list[Obj] = []

    async def applied(live: Obj) -> Obj:
        entries = live["metadata"].pop("managedFields", [])
        done = _apply(call, kind, live, entries, config, subresource)
        owners[:] = managed_fields.encode(done.managed)
        decoded = bodies.check(done.obj, kind, call.request)
        call.warn(decoded.warnings)
        return decoded.obj

    def track(_old: Obj, _new: Obj, _stored: list[Obj]) -> list[Obj]:
        return list(owners)

    return await rest.change(call, kind, namespace, name, subresource, applied, "apply", track)

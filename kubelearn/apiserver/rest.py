"""The verbs of a kind: create, get, list, update, patch. Deletion has a file of its own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import orjson

from kubelearn.api import errors, managed_fields, meta, schema
from kubelearn.api.errors import ApiError
from kubelearn.api.kind import FieldError, Kind
from kubelearn.api.kinds._meta import validate_metadata, validate_metadata_update
from kubelearn.api.resource import Obj
from kubelearn.apiserver import (
    allocators,
    bodies,
    codec,
    deletion,
    keys,
    patching,
    tracking,
    versions,
)
from kubelearn.apiserver.admission import _chain as admission
from kubelearn.apiserver.admission._base import Attempt
from kubelearn.apiserver.rbac import check_escalation
from kubelearn.client.transport import Request
from kubelearn.kit import clock
from kubelearn.store.interface import Conflict, KeyValue

if TYPE_CHECKING:
    from kubelearn.apiserver.call import Call
    from kubelearn.apiserver.server import ApiServer

_RETRIES = 8
_SERVER_FIELDS = ("deletionTimestamp", "deletionGracePeriodSeconds", "selfLink")


async def read(server: ApiServer, kind: Kind, namespace: str, name: str) -> KeyValue:
    """The stored object; raises ApiError 404."""
    kv = await server.store.get(keys.key(kind.resource, namespace, name))
    if kv is None:
        raise errors.not_found(kind.resource, name)
    return kv


# ---- create


async def create(call: Call, kind: Kind, namespace: str) -> KeyValue:
    tracking.check_options(call.request, "CreateOptions")
    decoded = versions.decode(call, kind)
    call.warn(decoded.warnings)
    return await create_object(call, kind, namespace, decoded.obj)


async def create_object(call: Call, kind: Kind, namespace: str, obj: Obj, owners: list[Obj] | None = None) -> KeyValue:
    """Default, admit, validate and store a new object. `owners` are its managedFields where the caller knows them
    already. Raises ApiError."""
    server, resource = call.server, kind.resource
    about = obj["metadata"]
    _place(about, kind, namespace)
    if about.get("resourceVersion") and not call.dry_run:
        raise errors.internal("resourceVersion should not be set on objects to be created")
    generated = not about.get("name") and about.get("generateName", "")
    if generated:
        about["name"] = meta.generate_name(about["generateName"])
    for field in (*_SERVER_FIELDS, "resourceVersion"):
        about.pop(field, None)
    about["uid"] = meta.new_uid()
    about["creationTimestamp"] = clock.rfc3339(clock.utc_now())
    about.pop("generation", None)
    if kind.has_generation:
        about["generation"] = 1
    if resource.plural == "namespaces":
        about["labels"] = {**about.get("labels", {}), "kubernetes.io/metadata.name": about.get("name", "")}
    kind.default(obj)
    given = about.pop("managedFields", None)
    if owners is None:
        # Before admission: nobody asked for what that adds, so nobody owns it.
        schema.complete(obj, resource.group, resource.version, resource.kind)
        owners = tracking.created(call.request, kind, obj, given)
    if kind.prepare:
        kind.prepare(obj, None)
    attempt = Attempt(call, kind, obj)
    await admission.admit(attempt)
    kind.default(obj)
    besides = call.version.validate(obj) if call.version else []
    _refuse(kind, obj, [*validate_metadata(obj, kind), *kind.validate(obj), *besides])
    if resource.plural == "services":
        _refuse(kind, obj, server.services.assign(obj))
    check_escalation(call, resource, obj)
    try:
        await admission.validate(attempt)
    except ApiError:
        if resource.plural == "services":
            server.services.release(obj)
        raise
    schema.complete(obj, resource.group, resource.version, resource.kind)
    if owners:
        about["managedFields"] = owners
    key = keys.key(resource, namespace, about["name"])
    if call.dry_run:
        if await server.store.get(key):
            raise errors.already_exists(resource, about["name"])
        if resource.plural == "services":
            server.services.release(obj)
        return KeyValue(key, codec.encode(obj), 0, 0)
    try:
        return await server.put(key, codec.encode(obj), expect=0, cause=call.cause("create"))
    except Conflict as error:
        if resource.plural == "services":
            server.services.release(obj)
        if generated:
            again = {**obj, "metadata": {**about, "name": ""}}
            return await create_object(call, kind, namespace, again, owners)
        raise errors.already_exists(resource, about["name"]) from error


def _place(about: Obj, kind: Kind, namespace: str) -> None:
    if not kind.resource.namespaced:
        about.pop("namespace", None)
        return
    if about.get("namespace", namespace) != namespace:
        raise errors.bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )
    about["namespace"] = namespace


def _refuse(kind: Kind, obj: Obj, problems: list[Any]) -> None:
    if problems:
        raise errors.invalid(kind.resource.group, kind.resource.kind, obj["metadata"].get("name", ""), problems)


# ---- update and patch

Change = Callable[[Obj], Awaitable[Obj]]


async def update(call: Call, kind: Kind, namespace: str, name: str, subresource: str) -> tuple[KeyValue, bool]:
    """PUT; the bool says whether it created the object."""
    tracking.check_options(call.request, "UpdateOptions")
    decoded = versions.decode(call, kind)
    call.warn(decoded.warnings)
    new = decoded.obj
    given = new["metadata"].get("name")
    if given and given != name:
        raise errors.bad_request(f"the name of the object ({given}) does not match the name on the URL ({name})")
    new["metadata"]["name"] = name
    _place(new["metadata"], kind, namespace)
    if (
        kind.create_on_update
        and not subresource
        and await call.server.store.get(keys.key(kind.resource, namespace, name)) is None
    ):
        call.authorize_create(kind, namespace, name)
        return await create_object(call, kind, namespace, new), True

    async def replace(_old: Obj) -> Obj:
        return copy_of(new)

    return await change(call, kind, namespace, name, subresource, replace, "update"), False


_NO_VERSION = FieldError(
    "metadata.resourceVersion", "FieldValueInvalid", "Invalid value: 0x0: must be specified for an update"
)


def required(field: str) -> FieldError:
    return FieldError(field, "FieldValueRequired", "Required value")


async def write(call: Call, kind: Kind, namespace: str, name: str, make: Change, verb: str) -> KeyValue:
    """Change an object past the rules for clients: for subresources that write what an update may not."""
    server = call.server
    for _ in range(_RETRIES):
        kv = await read(server, kind, namespace, name)
        value = codec.encode(await make(codec.decode(kv)))
        if call.dry_run:
            return kv
        try:
            return await server.put(kv.key, value, expect=kv.mod_revision, cause=call.cause(verb))
        except Conflict:
            continue
    raise errors.conflict(kind.resource, name)


def copy_of(obj: Obj) -> Obj:
    copied: Obj = orjson.loads(orjson.dumps(obj))
    return copied


async def patch(call: Call, kind: Kind, namespace: str, name: str, subresource: str) -> KeyValue:
    """PATCH with anything but an applied configuration."""
    shape = versions.asked(call, kind)
    apply = patching.parse(call.request, shape.resource, strategic=kind.structure is None)
    tracking.check_options(call.request, "PatchOptions")

    async def patched(old: Obj) -> Obj:
        new = apply(versions.to_asked(call, old))
        decoded = bodies.check(new, shape, call.request)
        call.warn(decoded.warnings)
        return versions.to_stored(call, decoded.obj)

    return await change(call, kind, namespace, name, subresource, patched, "patch")


async def change(
    call: Call,
    kind: Kind,
    namespace: str,
    name: str,
    subresource: str,
    make: Change,
    verb: str,
    track: tracking.Track | None = None,
    seen: Callable[[Obj], Obj] | None = None,
) -> KeyValue:
    """Read, let `make` give the new object, validate, and store it unless someone else was faster. `track` says who
    owns its fields then, where that is not simply the writer; with `seen` it is a write of a Scale, which that gives of
    an object. Raises ApiError."""
    server = call.server
    for _ in range(_RETRIES):
        kv = await read(server, kind, namespace, name)
        old = codec.decode(kv)
        new = await make(copy_of(old))
        if verb == "update" and not kind.unconditional_update and not new["metadata"].get("resourceVersion"):
            raise errors.invalid(kind.resource.group, kind.resource.plural, name, [_NO_VERSION])
        given, stored = new["metadata"].pop("managedFields", None), old["metadata"].pop("managedFields", [])
        wanted = new["metadata"].get("resourceVersion") or str(kv.mod_revision)
        if wanted != str(kv.mod_revision):
            raise errors.conflict(kind.resource, name)
        _keep_identity(kind, new, old, kv)
        new = _only_subresource(kind, new, old, subresource)
        kind.default(new)
        schema.complete(new, kind.resource.group, kind.resource.version, kind.resource.kind)
        owners = (track or tracking.updater(call.request, kind, subresource, given))(old, new, stored)
        attempt = Attempt(call, kind, new, old, "scale" if seen else subresource, seen=seen)
        if not subresource:
            await admission.admit(attempt)
        _prepare_update(call, kind, new, old, subresource)
        check_escalation(call, kind.resource, new, old)
        await admission.validate(attempt)
        if new == old and managed_fields.same_but_for_times(owners, stored):
            return kv
        if owners:
            new["metadata"]["managedFields"] = owners
        value = codec.encode(new)
        if call.dry_run:
            return KeyValue(kv.key, value, kv.create_revision, kv.mod_revision)
        try:
            if deletion.is_finished(new):
                gone = await server.delete(kv.key, expect=kv.mod_revision, cause=call.cause("delete"))
                deletion.forget(server, kind, new)
                return KeyValue(kv.key, value, kv.create_revision, gone.mod_revision if gone else kv.mod_revision)
            return await server.put(kv.key, value, expect=kv.mod_revision, cause=call.cause(verb))
        except Conflict:
            if verb == "update" and _has_version(call.request):
                raise errors.conflict(kind.resource, name) from None
    raise errors.conflict(kind.resource, name)


def _has_version(request: Request) -> bool:
    return b'"resourceVersion"' in request.body


def _keep_identity(kind: Kind, new: Obj, old: Obj, kv: KeyValue) -> None:
    """What a client cannot change: identity, age and the course of a deletion."""
    about, was = new["metadata"], old["metadata"]
    if about.get("uid") not in (None, "", was["uid"]):
        text = f"Precondition failed: UID in precondition: {about['uid']}, UID in object meta: {was['uid']}"
        why = f"StorageError: invalid object, Code: 4, Key: {kv.key}, ResourceVersion: 0, AdditionalErrorMsg: {text}"
        raise errors.conflict(kind.resource, was["name"], why)
    about["resourceVersion"] = str(kv.mod_revision)
    for field in (
        "name",
        "namespace",
        "uid",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "generation",
        "generateName",
    ):
        if field in was:
            about[field] = was[field]
        else:
            about.pop(field, None)
    if kind.resource.plural == "namespaces":
        about["labels"] = {**about.get("labels", {}), "kubernetes.io/metadata.name": was["name"]}


def _only_subresource(kind: Kind, new: Obj, old: Obj, subresource: str) -> Obj:
    """A status write changes the status alone, a part's the part, any other write all but the status."""
    if (part := kind.parts.get(subresource)) is not None:
        return part.take(new, old)
    if subresource in ("status", "finalize"):
        kept = "status" if subresource == "status" else "spec"
        return {**{k: v for k, v in old.items() if k != kept}, kept: new.get(kept, {})}
    if kind.has_status:
        if "status" in old:
            new["status"] = old["status"]
        else:
            new.pop("status", None)
    return new


def _prepare_update(call: Call, kind: Kind, new: Obj, old: Obj, subresource: str) -> None:
    resource = kind.resource
    if kind.prepare and not subresource:
        kind.prepare(new, old)
    if resource.plural == "services" and not subresource:
        allocators.keep_addresses(new, old)
        _refuse(
            kind,
            new,
            [
                *validate_metadata_update(new, old),
                *validate_metadata(new, kind),
                *kind.validate(new),
                *kind.validate_update(new, old),
            ],
        )
        _refuse(kind, new, call.server.services.assign(new) if not call.dry_run else [])
    elif (part := kind.parts.get(subresource)) is not None:
        _refuse(kind, new, part.validate_update(new, old))
    elif subresource not in ("status", "finalize"):
        problems = [*validate_metadata_update(new, old), *validate_metadata(new, kind)]
        _refuse(kind, new, [*problems, *kind.validate(new), *kind.validate_update(new, old)])
    elif subresource == "status":
        _refuse(kind, new, kind.validate_status(new))
    schema.complete(new, resource.group, resource.version, resource.kind)
    counts = not subresource or subresource in kind.parts
    if kind.has_generation and counts and kind.generation_of(new) != kind.generation_of(old):
        new["metadata"]["generation"] = old["metadata"].get("generation", 0) + 1

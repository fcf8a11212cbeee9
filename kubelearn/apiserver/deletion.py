"""Deletion: grace, finalizers, propagation, preconditions. Source: Kubernetes' documentation on garbage collection."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from kubelearn.api import errors, schema
from kubelearn.api.kind import FieldError, Kind
from kubelearn.api.resource import Obj
from kubelearn.apiserver import bodies, codec, keys, rest, selection
from kubelearn.apiserver.admission import _chain as admission
from kubelearn.apiserver.admission._base import Attempt
from kubelearn.kit import clock
from kubelearn.store.interface import Conflict, KeyValue

if TYPE_CHECKING:
    from kubelearn.apiserver.call import Call
    from kubelearn.apiserver.server import ApiServer

_UNDELETABLE = ("default", "kube-system", "kube-public")
_FOREGROUND, _ORPHAN = "foregroundDeletion", "orphan"


def is_finished(obj: Obj) -> bool:
    """Whether an object that is being deleted has nothing left to wait for."""
    about = obj["metadata"]
    if not about.get("deletionTimestamp") or about.get("finalizers"):
        return False
    if obj["kind"] == "Namespace":
        return not obj.get("spec", {}).get("finalizers")
    return obj["kind"] != "Pod" or not about.get("deletionGracePeriodSeconds")


def forget(server: ApiServer, kind: Kind, obj: Obj) -> None:
    """Give back what was allocated to an object that is gone."""
    if kind.resource.plural == "services":
        server.services.release(obj)


def options(call: Call) -> Obj:
    """DeleteOptions from the body and the query; raises ApiError 400."""
    given: Any = (bodies.parse(call.request) if call.request.body else None) or {}
    if not isinstance(given, dict):
        raise errors.bad_request("DeleteOptions must be an object")
    if policy := call.request.param("propagationPolicy"):
        given["propagationPolicy"] = policy
    if call.request.param("gracePeriodSeconds"):
        given["gracePeriodSeconds"] = selection.number(call.request, "gracePeriodSeconds")
    if orphan := call.request.param("orphanDependents"):
        given["orphanDependents"] = orphan == "true"
    return checked(call, given)


def checked(call: Call, given: Any) -> Obj:
    """DeleteOptions that hold together; dryRun in them is noted on the call. Raises ApiError 400 or 422."""
    if not isinstance(given, dict):
        raise errors.bad_request("DeleteOptions must be an object")
    found, check = schema.normalize(given, "", "v1", "DeleteOptions")
    if check.errors:
        raise errors.bad_request(check.message("DeleteOptions", "v1"))
    if found.get("orphanDependents"):
        found["propagationPolicy"] = "Orphan"
    if found.get("dryRun"):
        call.dry_run = True
    policy = found.get("propagationPolicy", "Background")
    if policy not in ("Background", "Foreground", "Orphan"):
        text = f'Unsupported value: "{policy}": supported values: "Foreground", "Background", "Orphan", "nil"'
        problem = FieldError("propagationPolicy", "FieldValueNotSupported", text)
        raise errors.invalid("meta.k8s.io", "DeleteOptions", "", [problem])
    return found


async def delete(call: Call, kind: Kind, namespace: str, name: str, wanted: Obj) -> tuple[KeyValue, bool]:
    """One object. The bool says whether it is gone; otherwise it is on its way. Raises ApiError."""
    server = call.server
    if kind.resource.plural == "namespaces" and name in _UNDELETABLE:
        raise errors.forbidden(kind.resource, name, "this namespace may not be deleted")
    while True:
        kv = await rest.read(server, kind, namespace, name)
        obj = codec.decode(kv)
        _preconditions(kind, obj, wanted)
        await admission.remove(Attempt(call, kind, obj, obj, deletes=True))
        before = codec.encode(obj)
        grace = _grace(kind, obj, wanted)
        _finalizers(obj, wanted.get("propagationPolicy", ""))
        waits = bool(obj["metadata"].get("finalizers")) or grace > 0 or kind.resource.plural == "namespaces"
        if kind.on_delete is not None:
            kind.on_delete(obj)
            waits = waits or bool(obj["metadata"].get("finalizers"))
        if waits or obj["metadata"].get("deletionTimestamp"):
            _mark(obj, kind, grace)
        finished = not waits or is_finished(obj)
        resource = kind.resource
        schema.complete(obj, resource.group, resource.version, resource.kind)
        value = codec.encode(obj)
        if call.dry_run:
            return KeyValue(kv.key, value, kv.create_revision, kv.mod_revision), finished
        try:
            if finished:
                gone = await server.delete(kv.key, expect=kv.mod_revision, cause=call.cause("delete"))
                forget(server, kind, obj)
                return gone or kv, True
            if value == before:
                return kv, False
            return await server.put(kv.key, value, expect=kv.mod_revision, cause=call.cause("delete")), False
        except Conflict:
            continue


def _preconditions(kind: Kind, obj: Obj, wanted: Obj) -> None:
    asked, about = wanted.get("preconditions") or {}, obj["metadata"]
    for field, name in (("uid", "UID"), ("resourceVersion", "ResourceVersion")):
        if asked.get(field) and asked[field] != about[field]:
            why = (
                f"the {name} in the precondition ({asked[field]}) does not match the {name} in record "
                f"({about[field]}). "
                "The object might have been deleted and then recreated"
            )
            raise errors.conflict(kind.resource, about["name"], why)


def _grace(kind: Kind, obj: Obj, wanted: Obj) -> int:
    """Seconds that a pod is given; other kinds have none."""
    if kind.resource.plural != "pods":
        return 0
    about, spec = obj["metadata"], obj["spec"]
    asked = wanted.get("gracePeriodSeconds")
    seconds = int(asked) if asked is not None else int(spec.get("terminationGracePeriodSeconds", 30))
    if not spec.get("nodeName") or obj.get("status", {}).get("phase") in ("Succeeded", "Failed"):
        return 0
    if about.get("deletionTimestamp"):
        running = int(about.get("deletionGracePeriodSeconds", 0))
        return min(running, max(seconds, 0)) if asked is not None else running
    return max(seconds, 0)


def _finalizers(obj: Obj, policy: str) -> None:
    about = obj["metadata"]
    found = [f for f in about.get("finalizers", ()) if f not in (_FOREGROUND, _ORPHAN) or not policy]
    if policy == "Foreground":
        found.append(_FOREGROUND)
    elif policy == "Orphan":
        found.append(_ORPHAN)
    if found:
        about["finalizers"] = found
    else:
        about.pop("finalizers", None)


def _mark(obj: Obj, kind: Kind, grace: int) -> None:
    about = obj["metadata"]
    if not about.get("deletionTimestamp"):
        about["deletionTimestamp"] = clock.rfc3339(clock.utc_now() + timedelta(seconds=grace))
        if kind.has_generation and "generation" in about:
            about["generation"] += 1
    elif grace < about.get("deletionGracePeriodSeconds", 0):
        about["deletionTimestamp"] = clock.rfc3339(clock.utc_now() + timedelta(seconds=grace))
    about["deletionGracePeriodSeconds"] = grace
    if kind.resource.plural == "namespaces":
        obj["status"] = {**obj.get("status", {}), "phase": "Terminating"}


def success(kind: Kind, kv: KeyValue) -> Obj:
    """The Status that answers the deletion of an object that is gone."""
    about = codec.decode(kv)["metadata"]
    details: Obj = {"name": about["name"]}
    if kind.resource.group:
        details["group"] = kind.resource.group
    details |= {"kind": kind.resource.plural, "uid": about["uid"]}
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}


async def collection(call: Call, kind: Kind, namespace: str) -> list[KeyValue]:
    """deletecollection: everything selected, each as `delete` would."""
    wanted = options(call)
    chosen = selection.of(call.request, kind)
    found = await call.server.store.range(keys.prefix(kind.resource, namespace))
    items = [kv for kv in found.items if chosen.everything or chosen.matches(codec.decode(kv))]
    for kv in items:
        _, space, name = keys.parse(kv.key)
        try:
            await delete(call, kind, space, name, {**wanted, "preconditions": None})
        except errors.ApiError as error:
            if error.code != 404:
                raise
    return items

"""ValidatingAdmissionPolicy: people's own rules, in CEL. The first of what they have against a request refuses it."""

from __future__ import annotations

import functools
from typing import Any

from kubelearn.api import cel, errors, policies, selectors
from kubelearn.api.errors import ApiError
from kubelearn.api.kind import Kind
from kubelearn.api.kinds._admission import GROUP
from kubelearn.api.policies import DEFAULT_REASON, Objection
from kubelearn.api.policy_matching import Asked, matched
from kubelearn.api.resource import Obj, Resource
from kubelearn.apiserver.admission._base import NAMESPACES, Admission, Attempt

_CODES = {"Forbidden": 403, "Unauthorized": 401, "RequestEntityTooLarge": 413}
_SCALE = {"group": "autoscaling", "version": "v1", "kind": "Scale"}
_EXEMPT = ("validatingadmissionpolicies", "validatingadmissionpolicybindings")
_MISSING = "no params found for policy binding with `Deny` parameterNotFoundAction"
_CLUSTER_WIDE = "cannot use namespaced paramRef in policy binding that matches cluster-scoped resources"
_NO_NAMESPACE = "paramRef.namespace must not be provided for a cluster-scoped `paramKind`"


class _Misconfigured(Exception):
    """A policy or binding that cannot be asked."""


async def _validate(attempt: Attempt) -> None:
    """Raises ApiError with the reason that the rule names."""
    bound = attempt.server.policies.bound
    if not bound or (attempt.resource.group == GROUP and attempt.resource.plural in _EXEMPT):
        return
    space = await _namespace(attempt)
    asked = _asked(attempt, space)
    scopes: dict[Resource, cel.Scope] = {}
    for each in bound:
        resource = matched(each.policy["spec"].get("matchConstraints") or {}, asked)
        if resource is None:
            continue
        for binding in each.bindings:
            if matched(binding["spec"].get("matchResources") or {}, asked) is not None:
                if resource not in scopes:
                    scopes[resource] = cel.Scope(_values(attempt, asked, resource, space))
                await _ask(attempt, each.policy, binding, scopes[resource])


async def _ask(attempt: Attempt, policy: Obj, binding: Obj, scope: cel.Scope) -> None:
    spec, name = policy["spec"], policy["metadata"]["name"]
    try:
        kind = _param_kind(attempt, spec)
    except _Misconfigured as error:
        if spec.get("failurePolicy") != "Ignore":
            text = f"ValidatingAdmissionPolicy '{name}' denied request: failed to configure policy: {error}"
            raise _refusal(attempt, text, DEFAULT_REASON) from error
        return
    bound = f"ValidatingAdmissionPolicy '{name}' with binding '{binding['metadata']['name']}'"
    try:
        params = await _params(attempt, kind, binding["spec"].get("paramRef"))
    except _Misconfigured as error:
        if spec.get("failurePolicy") != "Ignore":
            text = f"{bound} denied request: failed to configure binding: {error}"
            raise _refusal(attempt, text, DEFAULT_REASON) from error
        return
    found = [o for param in params for o in policies.objections(spec, scope, param)]
    _act(attempt, bound, binding["spec"]["validationActions"], found)


def _act(attempt: Attempt, bound: str, actions: list[str], found: list[Objection]) -> None:
    """Audit has no effect here: this server keeps no audit log. Raises ApiError."""
    if "Warn" in actions:
        attempt.call.warn([f"Validation failed for {bound}: {o.message}" for o in found if not o.always])
    for objection in found:
        if objection.always or "Deny" in actions:
            raise _refusal(attempt, f"{bound} denied request: {objection.message}", objection.reason)


def _refusal(attempt: Attempt, text: str, reason: str) -> ApiError:
    refused = errors.forbidden(attempt.resource, attempt.name, text)
    details = {**(refused.details or {}), "causes": [{"message": text}]}
    return ApiError(_CODES.get(reason, 422), reason, refused.message, details)


async def _namespace(attempt: Attempt) -> Obj | None:
    """The one that the object is in."""
    if not attempt.namespace or attempt.resource.group_resource == NAMESPACES.group_resource:
        return None
    return await attempt.server.read(NAMESPACES, "", attempt.namespace)


def _asked(attempt: Attempt, space: Obj | None) -> Asked:
    resource = attempt.call.version.resource if attempt.call.version else attempt.resource
    served = attempt.server.registry.kinds.values()
    others = [k.resource for k in served if k.resource.group_resource == resource.group_resource]
    about = attempt.obj if attempt.resource.group_resource == NAMESPACES.group_resource else space
    return Asked(
        (resource, *(other for other in others if other is not resource)),
        attempt.subresource,
        attempt.operation,
        attempt.namespace,
        attempt.name,
        None if attempt.deletes else attempt.obj,
        attempt.old,
        None if about is None else about["metadata"].get("labels") or {},
    )


def _values(attempt: Attempt, asked: Asked, resource: Resource, space: Obj | None) -> dict[str, Any]:
    """What expressions may use, with the objects in the version that the policy is about."""
    kind = attempt.server.registry.kinds[(resource.group, resource.version, resource.plural)]
    as_seen = attempt.seen or functools.partial(_as, kind)
    return {
        "object": None if asked.obj is None else as_seen(asked.obj),
        "oldObject": None if asked.old is None else as_seen(asked.old),
        "request": _request(attempt, asked, resource),
        "namespaceObject": space,
    }


def _as(kind: Kind, obj: Obj) -> Obj:
    return obj if kind.conversion is None else kind.conversion.from_stored(obj)


def _request(attempt: Attempt, asked: Asked, resource: Resource) -> Obj:
    """The fields of an AdmissionRequest, without the objects."""
    user, first = attempt.call.user, asked.resources[0]
    return {
        "kind": _SCALE if attempt.seen else _named(resource),
        "resource": {"group": resource.group, "version": resource.version, "resource": resource.plural},
        "subResource": asked.subresource,
        "requestKind": _SCALE if attempt.seen else _named(first),
        "requestResource": {"group": first.group, "version": first.version, "resource": first.plural},
        "requestSubResource": asked.subresource,
        "name": asked.name,
        "namespace": asked.namespace,
        "operation": asked.operation,
        "userInfo": {
            "username": user.name,
            "uid": user.uid,
            "groups": list(user.groups),
            "extra": {key: list(values) for key, values in user.extra.items()},
        },
        "dryRun": attempt.call.dry_run,
    }


def _named(resource: Resource) -> Obj:
    return {"group": resource.group, "version": resource.version, "kind": resource.kind}


def _param_kind(attempt: Attempt, spec: Obj) -> Kind | None:
    wanted = spec.get("paramKind")
    if not wanted:
        return None
    kind = attempt.server.registry.by_kind(wanted["apiVersion"], wanted["kind"])
    if kind is None:
        group, _, version = wanted["apiVersion"].rpartition("/")
        where = f"{group}/{version}, Kind={wanted['kind']}"
        raise _Misconfigured(f"failed to find resource referenced by paramKind: '{where}'")
    return kind


async def _params(attempt: Attempt, kind: Kind | None, ref: Obj | None) -> list[Obj | None]:
    """One evaluation for each. Raises _Misconfigured."""
    if kind is None or ref is None:
        return [None]
    namespace = ref.get("namespace") or ""
    if namespace and not kind.resource.namespaced:
        raise _Misconfigured(_NO_NAMESPACE)
    if kind.resource.namespaced and not namespace:
        namespace = attempt.namespace
        if not namespace:
            raise _Misconfigured(_CLUSTER_WIDE)
    found = await _chosen(attempt, attempt.server.registry.stored(kind).resource, namespace, ref)
    if not found and ref.get("parameterNotFoundAction") == "Deny":
        raise _Misconfigured(_MISSING)
    return [_as(kind, param) for param in found]


async def _chosen(attempt: Attempt, resource: Resource, namespace: str, ref: Obj) -> list[Obj]:
    if ref.get("name"):
        try:
            return [await attempt.server.read(resource, namespace, ref["name"])]
        except ApiError as error:
            if error.code != 404:
                raise
            return []
    selector = selectors.from_label_selector(ref.get("selector") or {})
    return [
        o for o in await attempt.server.read_all(resource, namespace) if selector.matches(o["metadata"].get("labels"))
    ]


ADMISSION = Admission(150, validate=_validate, remove=_validate, of_status=True)

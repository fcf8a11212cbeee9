"""What a node's certificate may touch: its own Node, its own Leases, its own pods, and what those pods mention.

The Authorizer decides by the path alone; these are the limits that need the objects. Sources: Kubernetes' NodeRestriction
admission and Node authoriser.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from kubelearn.api import errors, volume_matching
from kubelearn.api.kind import Kind
from kubelearn.api.resource import Obj
from kubelearn.apiserver import bodies, codec, keys, selection
from kubelearn.apiserver.admission._base import PODS
from kubelearn.apiserver.call import Call
from kubelearn.apiserver.routing import Route

if TYPE_CHECKING:
    from kubelearn.apiserver.server import ApiServer

GROUP = "system:nodes"
_MENTIONED = ("secrets", "configmaps", "persistentvolumeclaims", "persistentvolumes", "serviceaccounts")
#: What a node reads one by one, and follows none of.
_ONLY_GOT = ("persistentvolumes", "serviceaccounts")


async def check(call: Call, kind: Kind, route: Route) -> None:
    """Raises ApiError 403 for what is another node's affair."""
    node, plural = call.user.name.removeprefix("system:node:"), kind.resource.plural
    if route.verb == "create" and plural in ("nodes", "leases") and not route.subresource:
        name = _named(call)
        if name != node:
            raise errors.forbidden(kind.resource, name, f'node "{node}" is not allowed to modify {plural} of another')
    elif plural == "pods" and route.name:
        await _own_pod(call, kind, route, node)
    elif plural == "pods" and route.verb in ("list", "watch"):
        if selection.of(call.request, kind).fields.exact("spec.nodeName") != node:
            raise _unrelated(call, kind, route, "can only list/watch pods with spec.nodeName field selector")
    elif route.subresource == "token":
        await _own_token(call, kind, route, node)
    elif plural in _MENTIONED:
        await _mentioned(call, kind, route, node)


def _named(call: Call) -> str:
    body = bodies.parse(call.request)
    about = body.get("metadata") if isinstance(body, dict) else None
    return str(about.get("name", "")) if isinstance(about, dict) else ""


async def _own_pod(call: Call, kind: Kind, route: Route, node: str) -> None:
    kv = await call.server.store.get(keys.key(kind.resource, route.namespace, route.name))
    if kv is not None and codec.decode(kv)["spec"].get("nodeName") != node:
        raise errors.forbidden(kind.resource, route.name, f'node "{node}" can only touch pods that are bound to it')


async def _own_token(call: Call, kind: Kind, route: Route, node: str) -> None:
    """A token must be bound to a pod of this node that runs as that account."""
    body = bodies.parse(call.request)
    bound = ((body.get("spec") or {}).get("boundObjectRef") or {}) if isinstance(body, dict) else {}
    pods = [p for p in await _pods(call.server, route.namespace, node) if p["metadata"]["name"] == bound.get("name")]
    if not pods or pods[0]["spec"].get("serviceAccountName") != route.name:
        why = f'node "{node}" requested a token not bound to a pod of its own'
        raise errors.forbidden(kind.resource, route.name, why)


async def _mentioned(call: Call, kind: Kind, route: Route, node: str) -> None:
    if kind.resource.plural in _ONLY_GOT and route.verb != "get":
        why = "can only get individual resources of this type"
    elif not route.about:
        why = "No Object name found"
    elif await _related(call.server, kind, route, node):
        return
    else:
        why = f"no relationship found between node '{node}' and this object"
    raise _unrelated(call, kind, route, why)


def _unrelated(call: Call, kind: Kind, route: Route, why: str) -> errors.ApiError:
    refusal = call.server.authorizer.why_not(call.user, route.attributes())
    return errors.forbidden(kind.resource, route.about, f"{refusal}: {why}")


async def _related(server: ApiServer, kind: Kind, route: Route, node: str) -> bool:
    """A volume is related through the claim that it is bound to."""
    plural, namespace, name = kind.resource.plural, route.namespace, route.about
    if route.verb not in ("get", "list", "watch"):
        return False
    if plural == "persistentvolumes":
        kv = await server.store.get(keys.key(kind.resource, "", name))
        claim = (codec.decode(kv)["spec"].get("claimRef") or {}) if kv is not None else {}
        plural, namespace, name = "persistentvolumeclaims", claim.get("namespace", ""), claim.get("name", "")
        if not name:
            return False
    return any(name in _names(pod, plural) for pod in await _pods(server, namespace, node))


async def _pods(server: ApiServer, namespace: str, node: str) -> list[Obj]:
    found = await server.store.range(keys.prefix(PODS, namespace))
    return [pod for pod in map(codec.decode, found.items) if pod["spec"].get("nodeName") == node]


def _names(pod: Obj, plural: str) -> Iterator[str]:
    """Names of the objects of a resource that a pod mentions, in volumes, variables and pull secrets."""
    spec = pod["spec"]
    if plural == "persistentvolumeclaims":
        yield from (name for name, _ in volume_matching.claim_names(pod))
        return
    if plural == "serviceaccounts":
        yield spec.get("serviceAccountName", "")
        return
    short = "secret" if plural == "secrets" else "configMap"
    for volume in spec.get("volumes", ()):
        sources = [volume, *(volume.get("projected") or {}).get("sources", ())]
        for source in sources:
            if isinstance(found := source.get(short), dict):
                yield found.get("secretName") or found.get("name", "")
    for member in ("initContainers", "containers", "ephemeralContainers"):
        for container in spec.get(member) or ():
            for source in container.get("envFrom") or ():
                yield (source.get(f"{short}Ref") or {}).get("name", "")
            for variable in container.get("env") or ():
                value: dict[str, Any] = variable.get("valueFrom") or {}
                yield (value.get(f"{short}KeyRef") or {}).get("name", "")
    if plural == "secrets":
        yield from (reference.get("name", "") for reference in spec.get("imagePullSecrets", ()))

"""Subresources that are not a part of the object itself: binding, eviction, scale, token, log, proxy.

Streams (exec, attach, port-forward) need an upgrade of the connection and are served by the HTTP edge.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson

from kubelearn.api import errors, selectors
from kubelearn.api.errors import ApiError
from kubelearn.api.kind import FieldError, Kind
from kubelearn.api.resource import Obj
from kubelearn.apiserver import bodies, codec, deletion, keys, patching, rest, streams
from kubelearn.client.transport import Response
from kubelearn.kit import clock

if TYPE_CHECKING:
    from kubelearn.apiserver.server import Call, Route

_JSON = {"content-type": "application/json"}


async def handle(call: Call, kind: Kind, route: Route) -> Response:
    """Raises ApiError 404 for a subresource that the kind has not, 405 for a method that it does not serve."""
    handler = _HANDLERS.get(route.subresource)
    if handler is None or route.subresource not in kind.resource.subresources:
        raise ApiError(404, "NotFound", "the server could not find the requested resource", {})
    return await handler(call, kind, route)


def _answer(obj: Any, status: int = 200) -> Response:
    return Response(status, _JSON, orjson.dumps(obj))


def _success(status: int = 201) -> Response:
    body = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": status}
    return _answer(body, status)


def _body(call: Call) -> Obj:
    found = bodies.parse(call.request) if call.request.body else {}
    if not isinstance(found, dict):
        raise errors.bad_request("the body must be an object")
    return found


def _only(call: Call, *methods: str) -> None:
    if call.request.method not in methods:
        raise errors.method_not_allowed()


async def _binding(call: Call, kind: Kind, route: Route) -> Response:
    """The scheduler's verdict: the pod's node, once and for ever."""
    _only(call, "POST")
    node = _body(call).get("target", {}).get("name", "")
    if not node:
        raise errors.invalid("", "Binding", route.name, [rest.required("target.name")])

    async def bind(pod: Obj) -> Obj:
        if pod["metadata"].get("deletionTimestamp"):
            raise errors.conflict(
                kind.resource, route.name, f"pod {route.name} is being deleted, cannot be assigned to a host"
            )
        if pod["spec"].get("nodeName"):
            why = f'pod {route.name} is already assigned to node "{pod["spec"]["nodeName"]}"'
            raise errors.conflict(kind.resource, route.name, why)
        pod["spec"]["nodeName"] = node
        condition = {
            "type": "PodScheduled", "status": "True", "lastProbeTime": None,
            "lastTransitionTime": clock.rfc3339(clock.utc_now()),
        }  # fmt: skip
        if "generation" in pod["metadata"]:
            condition["observedGeneration"] = pod["metadata"]["generation"]
        others = [c for c in pod.get("status", {}).get("conditions", ()) if c["type"] != "PodScheduled"]
        pod.setdefault("status", {})["conditions"] = [*others, condition]
        return pod

    await rest.write(call, kind, route.namespace, route.name, bind, "bind")
    return _success()


async def _eviction(call: Call, kind: Kind, route: Route) -> Response:
    _only(call, "POST")
    options = _body(call).get("deleteOptions") or {}
    await deletion.delete(call, kind, route.namespace, route.name, options)
    return _success()


async def _scale(call: Call, kind: Kind, route: Route) -> Response:
    """Replicas as an autoscaling/v1 Scale."""
    _only(call, "GET", "PUT", "PATCH")
    kv = await rest.read(call.server, kind, route.namespace, route.name)
    if call.request.method == "GET":
        return _answer(_scale_of(codec.decode(kv)))
    apply = patching.parse(call.request, kind) if call.request.method == "PATCH" else None
    given = _body(call) if apply is None else None

    async def scale(obj: Obj) -> Obj:
        wanted = apply(_scale_of(obj)) if apply is not None else given
        assert wanted is not None
        version = wanted.get("metadata", {}).get("resourceVersion")
        if version and version != obj["metadata"]["resourceVersion"]:
            raise errors.conflict(kind.resource, route.name)
        replicas = wanted.get("spec", {}).get("replicas", 0)
        if not isinstance(replicas, int) or replicas < 0:
            text = f"Invalid value: {replicas}: must be greater than or equal to 0"
            problem = FieldError("spec.replicas", "FieldValueInvalid", text)
            raise errors.invalid("autoscaling", "Scale", route.name, [problem])
        obj["spec"]["replicas"] = replicas
        return obj

    changed = await rest.change(call, kind, route.namespace, route.name, "", scale, "scale")
    return _answer(_scale_of(codec.decode(changed)))


def _scale_of(obj: Obj) -> Obj:
    about = obj["metadata"]
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    selector = obj["spec"].get("selector")
    status: Obj = {"replicas": obj.get("status", {}).get("replicas", 0)}
    if selector:
        status["selector"] = str(selectors.from_label_selector(selector))
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {k: about[k] for k in kept if k in about},
        "spec": {"replicas": obj["spec"].get("replicas", 0)},
        "status": status,
    }


async def _token(call: Call, kind: Kind, route: Route) -> Response:
    """TokenRequest: a ServiceAccount token that expires."""
    _only(call, "POST")
    account = codec.decode(await rest.read(call.server, kind, route.namespace, route.name))
    asked = _body(call)
    spec = asked.get("spec") or {}
    seconds = int(spec.get("expirationSeconds") or 3600)
    if seconds < 600:
        text = f"Invalid value: {seconds}: may not specify a duration less than 10 minutes"
        problem = FieldError("spec.expirationSeconds", "FieldValueInvalid", text)
        raise errors.invalid("authentication.k8s.io", "TokenRequest", "", [problem])
    audiences = spec.get("audiences") or ["https://kubernetes.default.svc.cluster.local"]
    issued, until = call.server.authenticator.issue(
        route.namespace, route.name, account["metadata"]["uid"], audiences, seconds
    )
    at = clock.rfc3339(datetime.fromtimestamp(until, UTC))
    return _answer(
        {
            "kind": "TokenRequest",
            "apiVersion": "authentication.k8s.io/v1",
            "metadata": {"name": route.name, "namespace": route.namespace},
            "spec": {
                "audiences": audiences,
                "expirationSeconds": seconds,
                "boundObjectRef": spec.get("boundObjectRef"),
            },
            "status": {"token": issued, "expirationTimestamp": at},
        },
        201,
    )


async def _log(call: Call, kind: Kind, route: Route) -> Response:
    _only(call, "GET", "HEAD")
    pod = codec.decode(await rest.read(call.server, kind, route.namespace, route.name))
    return await streams.pod_log(call.server, call.request, pod)


async def _proxy(call: Call, kind: Kind, route: Route) -> Response:
    """`pods/NAME:PORT/proxy/…` and `services/NAME:PORT/proxy/…`."""
    scheme_name, _, port = route.name.rpartition(":")
    name = scheme_name or port
    name = name.rpartition(":")[2] if ":" in name else name
    port = port if scheme_name else ""
    if kind.resource.plural == "pods":
        host, number = await _pod_address(call, kind, route.namespace, name, port)
    elif kind.resource.plural == "services":
        host, number = await _service_address(call, kind, route.namespace, name, port)
    else:
        raise errors.method_not_allowed()
    return await streams.proxy(call.server, call.request, host, number, "/" + route.rest)


async def _pod_address(call: Call, kind: Kind, namespace: str, name: str, port: str) -> tuple[str, int]:
    pod = codec.decode(await rest.read(call.server, kind, namespace, name))
    address = pod.get("status", {}).get("podIP", "")
    if not address:
        raise errors.service_unavailable(f"pod {name} has no address yet")
    ports = [p for c in pod["spec"]["containers"] for p in c.get("ports", ())]
    named = next((p["containerPort"] for p in ports if p.get("name") == port), None)
    first = ports[0]["containerPort"] if ports else 80
    return address, int(named or (port if port.isdigit() else first))


async def _service_address(call: Call, kind: Kind, namespace: str, name: str, port: str) -> tuple[str, int]:
    """A ready endpoint of the Service."""
    service = codec.decode(await rest.read(call.server, kind, namespace, name))
    ports = service["spec"].get("ports") or []
    wanted = next((p for p in ports if port in ("", str(p["port"]), p.get("name"))), None)
    if wanted is None:
        raise errors.service_unavailable(f'no service port "{port}" found for service "{name}"')
    slices = call.server.registry.kinds[("discovery.k8s.io", "v1", "endpointslices")]
    found = await call.server.store.range(keys.prefix(slices.resource, namespace))
    for endpoints in map(codec.decode, found.items):
        if endpoints["metadata"].get("labels", {}).get("kubernetes.io/service-name") != name:
            continue
        number = next(
            (p["port"] for p in endpoints.get("ports") or () if p.get("name", "") == wanted.get("name", "")), 0
        )
        ready = [e for e in endpoints.get("endpoints") or () if e.get("conditions", {}).get("ready", True)]
        if number and ready:
            return ready[0]["addresses"][0], int(number)
    raise errors.service_unavailable(f'no endpoints available for service "{name}"')


async def _upgrade_needed(_call: Call, _kind: Kind, _route: Route) -> Response:
    raise errors.bad_request("Upgrade request required")


async def _unsupported(_call: Call, _kind: Kind, route: Route) -> Response:
    raise ApiError(501, "NotImplemented", f"kubelearn does not serve the subresource {route.subresource} yet", {})


_HANDLERS: dict[str, Callable[[Call, Kind, Route], Awaitable[Response]]] = {
    "binding": _binding,
    "eviction": _eviction,
    "scale": _scale,
    "token": _token,
    "log": _log,
    "proxy": _proxy,
    "exec": _upgrade_needed,
    "attach": _upgrade_needed,
    "portforward": _upgrade_needed,
    "ephemeralcontainers": _unsupported,
    "resize": _unsupported,
}

"""metrics.k8s.io/v1beta1: what nodes and pods use now, as metrics-server tells it.

CPU is a rate, so of each container two samples are kept; who was seen once has no metrics yet. Nothing is stored.
Source: metrics-server's pkg/storage and pkg/api.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from kubelearn.api import errors, quantity
from kubelearn.api.kind import Column, Kind
from kubelearn.api.resource import Obj, Resource
from kubelearn.apiserver import selection, shapes
from kubelearn.apiserver.answers import json_response
from kubelearn.apiserver.routing import Route
from kubelearn.client.transport import Request, Response
from kubelearn.kit import clock

if TYPE_CHECKING:
    from kubelearn.apiserver.server import ApiServer

GROUP, _VERSION = "metrics.k8s.io", "v1beta1"
NODE_METRICS = Resource(GROUP, _VERSION, "NodeMetrics", "nodes", "", False, verbs=("get", "list"))
POD_METRICS = Resource(GROUP, _VERSION, "PodMetrics", "pods", "", True, verbs=("get", "list"))
RESOURCES = (NODE_METRICS, POD_METRICS)
_NODES = Resource("", "v1", "Node", "nodes", "node", False)
_PODS = Resource("", "v1", "Pod", "pods", "pod", True)
_MEASURED = {"nodes": _NODES, "pods": _PODS}


@dataclass(frozen=True, slots=True)
class Sample:
    """At a time in Unix seconds: CPU seconds used so far, and bytes of memory."""

    at: float
    cpu: float
    memory: int


@dataclass(slots=True)
class _Pair:
    last: Sample
    before: Sample | None = None

    def add(self, sample: Sample) -> None:
        """A counter that went back is a container's new life: it is measured anew."""
        if sample.at > self.last.at:
            self.before = self.last if sample.cpu >= self.last.cpu else None
            self.last = sample

    @property
    def rate(self) -> float | None:
        """CPUs in use, None after one sample."""
        if self.before is None:
            return None
        return (self.last.cpu - self.before.cpu) / (self.last.at - self.before.at)


@dataclass
class Usage:
    """The newest samples, by node: its own processes' by name, and its containers' by pod and name."""

    _system: dict[str, dict[str, _Pair]] = field(default_factory=dict)
    _pods: dict[str, dict[str, dict[str, _Pair]]] = field(default_factory=dict)

    def sample(self, node: str, summary: Mapping[str, Any]) -> None:
        """Take in a kubelet's /stats/summary; who is not in it any more is forgotten."""
        self._system[node] = _next(self._system.get(node, {}), summary["node"].get("systemContainers", ()))
        known = self._pods.get(node, {})
        self._pods[node] = {
            pod["podRef"]["uid"]: _next(known.get(pod["podRef"]["uid"], {}), pod["containers"])
            for pod in summary["pods"]
        }

    def forget(self, node: str) -> None:
        """A kubelet that does not answer says nothing of its pods either."""
        self._system.pop(node, None)
        self._pods.pop(node, None)

    def of_node(self, name: str) -> dict[str, _Pair] | None:
        """All that is measured on it; None unless its own processes are."""
        system = self._system.get(name, {})
        if not system or any(p.rate is None for p in system.values()):
            return None
        containers = {f"{uid}/{c}": p for uid, pod in self._pods.get(name, {}).items() for c, p in pod.items()}
        return system | {key: pair for key, pair in containers.items() if pair.rate is not None}

    def of_pod(self, node: str, uid: str) -> dict[str, _Pair] | None:
        """None unless each of its running containers is measured."""
        pairs = self._pods.get(node, {}).get(uid, {})
        return pairs if pairs and all(p.rate is not None for p in pairs.values()) else None


def _next(known: Mapping[str, _Pair], stats: Any) -> dict[str, _Pair]:
    found = {}
    for one in stats:
        at = clock.parse(one["cpu"]["time"]).timestamp()
        sample = Sample(at, one["cpu"]["usageCoreNanoSeconds"] / 1e9, one["memory"]["workingSetBytes"])
        pair = known.get(one["name"])
        if pair is None:
            pair = _Pair(sample)
        else:
            pair.add(sample)
        found[one["name"]] = pair
    return found


def _usage(pairs: list[_Pair]) -> Obj:
    nano = round(sum(p.rate or 0 for p in pairs) * 1e9)
    return {"cpu": f"{nano}n" if nano else "0", "memory": f"{sum(p.last.memory for p in pairs) // 1024}Ki"}


def _metrics(server: ApiServer, resource: Resource, measured: Obj) -> Obj | None:
    """Of a node or a pod; None while there are none."""
    meta = measured["metadata"]
    pod = resource is POD_METRICS
    node = (measured["spec"].get("nodeName") or "") if pod else meta["name"]
    pairs = server.usage.of_pod(node, meta["uid"]) if pod else server.usage.of_node(node)
    if pairs is None:
        return None
    oldest = min(pairs.values(), key=lambda p: p.last.at)
    assert oldest.before is not None, "only what has a rate is here"
    at = datetime.fromtimestamp(oldest.last.at, UTC)
    about = {key: meta[key] for key in ("name", "namespace", "labels") if meta.get(key)}
    found: Obj = {
        "kind": resource.kind,
        "apiVersion": resource.api_version,
        "metadata": {**about, "creationTimestamp": clock.rfc3339(clock.utc_now())},
        "timestamp": clock.rfc3339(at),
        "window": f"{oldest.last.at - oldest.before.at:.3f}".rstrip("0").rstrip(".") + "s",
    }
    if not pod:
        return found | {"usage": _usage(list(pairs.values()))}
    return found | {"containers": [{"name": name, "usage": _usage([pair])} for name, pair in pairs.items()]}


async def handle(server: ApiServer, request: Request, resource: Resource, route: Route) -> Response:
    """Raises ApiError."""
    if route.subresource:
        raise errors.ApiError(404, "NotFound", "the server could not find the requested resource", {})
    if request.method not in ("GET", "HEAD") or route.verb == "watch":
        raise errors.method_not_allowed()
    measured = _MEASURED[resource.plural]
    if route.name:
        found = _metrics(server, resource, await server.read(measured, route.namespace, route.name))
        if found is None:
            # As metrics-server words it: by kind and, of a pod, with its namespace.
            name = f"{route.namespace}/{route.name}" if resource.namespaced else route.name
            raise errors.not_found(Resource(GROUP, _VERSION, "", resource.kind.lower(), "", False), name)
        return _answer(request, resource, [found], found)
    kind = server.registry.kinds[("", "v1", measured.plural)]
    chosen = selection.of(request, kind)
    objs = [o for o in await server.read_all(measured, route.namespace) if chosen.matches(o)]
    items = [m for o in objs if (m := _metrics(server, resource, o)) is not None]
    listed = {"kind": f"{resource.kind}List", "apiVersion": resource.api_version, "metadata": {}, "items": items}
    return _answer(request, resource, items, listed)


def _answer(request: Request, resource: Resource, items: list[Obj], whole: Obj) -> Response:
    if shapes.wanted(request) == "Table":
        return json_response(shapes.as_table(request, Kind(resource, _COLUMNS), items, {}))
    return json_response(whole)


def _total(name: str) -> Column:
    def cell(obj: Obj) -> str:
        amounts = [c["usage"][name] for c in obj.get("containers", [obj])]
        return quantity.format(sum((quantity.parse(a) for a in amounts), quantity.parse("0")), _FORMATS[name])

    return Column(name, cell)


_FORMATS: Mapping[str, Any] = {"cpu": "DecimalSI", "memory": "BinarySI"}
_COLUMNS = (
    Column("Name", lambda o: o["metadata"]["name"], format="name", description="Name of the resource"),
    _total("cpu"),
    _total("memory"),
    Column("Window", lambda o: o["window"]),
)

"""What a scheduling decision is made of: pods and nodes as the plugins see them, and the plugin's descriptor.

Pure: no client, no asyncio. `cycle.Scheduler` keeps the `NodeInfo`s up to date; `decide` runs the plugins over them.
Quantities are integers: cpu in thousandths, all else in units, as in kube-scheduler.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kubelearn.api import meta, quantity
from kubelearn.api.resource import Obj

MAX_SCORE = 100
# What a container that asks for nothing counts as when nodes are scored (not when they are filtered).
UNASKED = {"cpu": 100, "memory": 200 * 1024 * 1024}

Amounts = Mapping[str, int]
HostPort = tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a node is out. `final`: removing pods from the node would not help."""

    reasons: tuple[str, ...]
    final: bool = False


def amounts(texts: Mapping[str, Any] | None) -> dict[str, int]:
    found = texts or {}
    return {name: quantity.milli(v) if name == "cpu" else quantity.value(v) for name, v in found.items()}


@dataclass(frozen=True, eq=False)
class PodInfo:
    """A pod, with what the plugins need of it worked out once."""

    obj: Obj
    uid: str
    namespace: str
    name: str
    labels: Mapping[str, str]
    spec: Obj
    requests: Amounts
    scored_requests: Amounts
    host_ports: frozenset[HostPort]
    owner_uid: str
    priority: int

    @classmethod
    def of(cls, obj: Obj) -> PodInfo:
        metadata, spec = obj["metadata"], obj.get("spec", {})
        owner = meta.controller_of(obj)
        return cls(
            obj,
            metadata.get("uid", ""),
            metadata.get("namespace", ""),
            metadata.get("name", ""),
            metadata.get("labels") or {},
            spec,
            _requests(spec, {}),
            _requests(spec, UNASKED),
            _host_ports(spec),
            owner["uid"] if owner else "",
            spec.get("priority") or 0,
        )

    @property
    def terminating(self) -> bool:
        return "deletionTimestamp" in self.obj["metadata"]

    @property
    def choosy(self) -> bool:
        affinity = self.spec.get("affinity") or {}
        return "podAffinity" in affinity or "podAntiAffinity" in affinity

    @property
    def revision(self) -> int:
        return int(self.obj["metadata"].get("resourceVersion") or 0)


def _add(total: dict[str, int], more: Amounts) -> dict[str, int]:
    return {name: total.get(name, 0) + more.get(name, 0) for name in {*total, *more}}


def _requests(spec: Obj, unasked: Amounts) -> dict[str, int]:
    """The larger of what the containers and what the init phase need at once (sidecars count in both)."""

    def of(container: Obj) -> dict[str, int]:
        return {**unasked, **amounts((container.get("resources") or {}).get("requests"))}

    total: dict[str, int] = {}
    for container in spec.get("containers") or []:
        total = _add(total, of(container))
    sidecars: dict[str, int] = {}
    start: dict[str, int] = {}
    for container in spec.get("initContainers") or []:
        needs = _add(sidecars, of(container))
        if container.get("restartPolicy") == "Always":
            sidecars, total = needs, _add(total, of(container))
        start = {name: max(start.get(name, 0), needs.get(name, 0)) for name in {*start, *needs}}
    most = {name: max(total.get(name, 0), start.get(name, 0)) for name in {*total, *start}}
    of_pod = amounts((spec.get("resources") or {}).get("requests"))
    return _add({**most, **of_pod}, amounts(spec.get("overhead")))


def _host_ports(spec: Obj) -> frozenset[HostPort]:
    return frozenset(
        (port.get("protocol", "TCP"), port.get("hostIP") or "0.0.0.0", port["hostPort"])
        for container in spec.get("containers") or []
        for port in container.get("ports") or []
        if port.get("hostPort")
    )


@dataclass(eq=False)
class NodeInfo:
    """A node and the pods counted on it, assumed ones included. Change pods through `add` and `remove` only.
    `choosy` are those that have pod affinity or anti-affinity: only these have a say in where other pods go."""

    name: str
    obj: Obj | None = None
    pods: dict[str, PodInfo] = field(default_factory=dict)
    requested: Counter[str] = field(default_factory=Counter)
    scored: Counter[str] = field(default_factory=Counter)
    allocatable: dict[str, int] = field(default_factory=dict)
    choosy: dict[str, PodInfo] = field(default_factory=dict)

    @classmethod
    def of(cls, obj: Obj, pods: Iterable[PodInfo] = ()) -> NodeInfo:
        info = cls(obj["metadata"]["name"])
        info.set_node(obj)
        for pod in pods:
            info.add(pod)
        return info

    def set_node(self, obj: Obj | None) -> None:
        self.obj = obj
        self.allocatable = amounts(((obj or {}).get("status") or {}).get("allocatable"))

    def add(self, pod: PodInfo) -> None:
        self.remove(pod.uid)
        self.pods[pod.uid] = pod
        if pod.choosy:
            self.choosy[pod.uid] = pod
        self.requested.update(pod.requests)
        self.scored.update(pod.scored_requests)

    def copy(self) -> NodeInfo:
        """To try things on: pods added there are not added here."""
        requested, scored = Counter(self.requested), Counter(self.scored)
        return NodeInfo(self.name, self.obj, dict(self.pods), requested, scored, self.allocatable, dict(self.choosy))

    def remove(self, uid: str) -> PodInfo | None:
        pod = self.pods.pop(uid, None)
        self.choosy.pop(uid, None)
        if pod is not None:
            self.requested.subtract(pod.requests)
            self.scored.subtract(pod.scored_requests)
        return pod

    @property
    def labels(self) -> Mapping[str, str]:
        return (self.obj or {}).get("metadata", {}).get("labels") or {}

    @property
    def spec(self) -> Obj:
        found: Obj = (self.obj or {}).get("spec") or {}
        return found

    @property
    def taints(self) -> list[Obj]:
        return self.spec.get("taints") or []


Nodes = Sequence[NodeInfo]


@dataclass(frozen=True, slots=True)
class Storage:
    """PersistentVolumeClaims by namespace and name, PersistentVolumes and StorageClasses by name."""

    claims: Mapping[tuple[str, str], Obj] = field(default_factory=dict)
    volumes: Mapping[str, Obj] = field(default_factory=dict)
    classes: Mapping[str, Obj] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cluster:
    """What else there is besides nodes and their pods: `budgets` are PodDisruptionBudgets; `nominated` the pods for
    which room is being made, by node."""

    budgets: Sequence[Obj] = ()
    nominated: Mapping[str, Sequence[PodInfo]] = field(default_factory=dict)
    storage: Storage = field(default_factory=Storage)


def never(_pod: PodInfo, _nodes: Nodes, _cluster: Cluster) -> None:
    return None


def unchanged(_state: Any, scores: dict[str, int]) -> dict[str, int]:
    return scores


@dataclass(frozen=True, slots=True)
class Plugin:
    """`prepare` runs once per pod over all nodes, its result is the `state` the others get; if it is a Rejection, no
    node will do. `filter` gives None when the node will do. `score` (higher is better, any scale) runs over the
    feasible nodes after `prepare_score`, whose None means that the plugin has nothing to say of this pod; `normalize`
    brings the scores to 0..100. `helped_by` names the changes after which a pod that this plugin rejected is worth
    another try. Filters run by `order`, the first rejection counts: the order and weights are kube-scheduler's
    defaults."""

    name: str
    order: int
    prepare: Callable[[PodInfo, Nodes, Cluster], Any] = never
    filter: Callable[[PodInfo, NodeInfo, Any], Rejection | None] | None = None
    prepare_score: Callable[[PodInfo, Nodes, Nodes], Any] | None = None
    score: Callable[[PodInfo, NodeInfo, Any], int] | None = None
    normalize: Callable[[Any, dict[str, int]], dict[str, int]] = unchanged
    weight: int = 1
    helped_by: frozenset[str] = frozenset({"node"})


def normalize(scores: dict[str, int], reverse: bool = False) -> dict[str, int]:
    """kube-scheduler's DefaultNormalizeScore: the largest becomes 100."""
    largest = max(scores.values(), default=0)
    if largest == 0:
        return dict.fromkeys(scores, MAX_SCORE if reverse else 0)
    scaled = {name: MAX_SCORE * score // largest for name, score in scores.items()}
    return {name: MAX_SCORE - score for name, score in scaled.items()} if reverse else scaled

"""The filters over the nodes, for one pod. Pure.

Pods of no lower priority that are nominated to a node (room is being made for them there) count as if they were on it
already; a node has to do with them and without them, since they may yet go elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from kubelearn.scheduler.framework import Cluster, NodeInfo, Nodes, Plugin, PodInfo, Rejection


@dataclass(slots=True)
class Verdict:
    """What the plugins said of one node: `filters` by plugin, None is ok; `scores` already times their weight."""

    filters: dict[str, Rejection | None] = field(default_factory=dict)
    scores: dict[str, int] = field(default_factory=dict)

    @property
    def rejection(self) -> Rejection | None:
        return next((r for r in self.filters.values() if r is not None), None)

    @property
    def total(self) -> int:
        return sum(self.scores.values())


class Filters:
    """The plugins prepared for `pod` on `nodes`. `refusal`: a plugin that rejects the pod wherever it would go."""

    def __init__(self, pod: PodInfo, nodes: Nodes, plugins: Sequence[Plugin], cluster: Cluster) -> None:
        self._pod, self._nodes, self._plugins, self._cluster = pod, nodes, plugins, cluster
        self._states: dict[str, Any] = {}
        self.refusal: tuple[str, Rejection] | None = None
        for plugin in plugins:
            state = self._states[plugin.name] = plugin.prepare(pod, nodes, cluster)
            if isinstance(state, Rejection):
                self.refusal = (plugin.name, state)
                break

    def verdict(self, node: NodeInfo) -> Verdict:
        if self.refusal is not None:
            return Verdict({self.refusal[0]: self.refusal[1]})
        expected = [
            pod
            for pod in self._cluster.nominated.get(node.name, ())
            if pod.priority >= self._pod.priority and pod.uid != self._pod.uid
        ]
        if expected:
            crowded = node.copy()
            for pod in expected:
                crowded.add(pod)
            verdict = self._with(crowded)._run(crowded)
            if verdict.rejection is not None:
                return verdict
        return self._run(node)

    def trial(self, node: NodeInfo) -> Rejection | None:
        """What is said of `node` if it were as given here: with other pods on it than it has."""
        return self._with(node).verdict(node).rejection

    def _with(self, changed: NodeInfo) -> Filters:
        nodes = [changed if node.name == changed.name else node for node in self._nodes]
        return Filters(self._pod, nodes, self._plugins, self._cluster)

    def _run(self, node: NodeInfo) -> Verdict:
        verdict = Verdict()
        for plugin in self._plugins:
            if plugin.filter is None:
                continue
            rejection = verdict.filters[plugin.name] = plugin.filter(self._pod, node, self._states[plugin.name])
            if rejection is not None:
                break
        return verdict

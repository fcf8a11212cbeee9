"""A pod runs only where its volumes can be used; which volumes its unbound claims get is decided with the node."""

from __future__ import annotations

from dataclasses import dataclass

from kubelearn.scheduler import volumes
from kubelearn.scheduler.framework import Cluster, NodeInfo, Nodes, Plugin, PodInfo, Rejection, Storage


@dataclass(frozen=True, slots=True)
class _State:
    claims: volumes.Claims
    storage: Storage


def _prepare(pod: PodInfo, _nodes: Nodes, cluster: Cluster) -> _State | Rejection | None:
    found = volumes.claims_of(pod, cluster.storage)
    return _State(found, cluster.storage) if isinstance(found, volumes.Claims) else found


def _filter(_pod: PodInfo, node: NodeInfo, state: _State | None) -> Rejection | None:
    if state is None:
        return None
    found = volumes.plan(state.claims, node, state.storage)
    return found if isinstance(found, Rejection) else None


PLUGIN = Plugin(
    "VolumeBinding",
    order=65,
    prepare=_prepare,
    filter=_filter,
    helped_by=frozenset({"node", "claim", "volume", "class"}),
)

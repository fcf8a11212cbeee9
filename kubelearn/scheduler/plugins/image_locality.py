"""Nodes are liked that hold the pod's images already, the larger the better.

An image that only few nodes hold counts for less, so that not all pods of a new image gather on the first node that
pulled it. Source: Kubernetes' pkg/scheduler/framework/plugins/imagelocality.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from kubelearn.api.resource import Obj
from kubelearn.scheduler.framework import MAX_SCORE, NodeInfo, Nodes, Plugin, PodInfo

_MB = 1024 * 1024
_LEAST = 23 * _MB
_MOST_PER_CONTAINER = 1000 * _MB


def _full_name(image: str) -> str:
    """An image without a tag is `latest`; a colon before the last slash belongs to the registry's port."""
    return image if ":" in image.rpartition("/")[2] else f"{image}:latest"


def _images(node: NodeInfo) -> list[Obj]:
    found: list[Obj] = ((node.obj or {}).get("status") or {}).get("images") or []
    return found


def _asked(pod: PodInfo) -> list[str]:
    containers = [*(pod.spec.get("initContainers") or []), *(pod.spec.get("containers") or [])]
    return [_full_name(container.get("image") or "") for container in containers]


def _shares(pod: PodInfo, nodes: Nodes, _feasible: Nodes) -> dict[str, float] | None:
    """Of each image that the pod needs and any node holds: the share of all nodes that hold it."""
    wanted = set(_asked(pod))
    held = Counter(name for node in nodes for image in _images(node) for name in image.get("names") or [])
    return {name: held[name] / len(nodes) for name in wanted if held[name]} or None


def _score(pod: PodInfo, node: NodeInfo, shares: Any) -> int:
    sizes = {name: image.get("sizeBytes") or 0 for image in _images(node) for name in image.get("names") or []}
    asked = _asked(pod)
    total = sum(int(sizes[name] * shares[name]) for name in asked if name in sizes)
    most = _MOST_PER_CONTAINER * len(asked)
    return MAX_SCORE * (min(max(total, _LEAST), most) - _LEAST) // (most - _LEAST)


PLUGIN = Plugin("ImageLocality", order=100, prepare_score=_shares, score=_score, weight=1)

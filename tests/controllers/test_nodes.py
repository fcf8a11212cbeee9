"""What every Node is given: a range of pod addresses, and how long its kubelet may keep what it has read."""

from __future__ import annotations

from typing import Any

import pytest

from kubelearn.api.resource import Obj
from kubelearn.controllers import ttl
from kubelearn.controllers.base import NODES, Options


async def add(cluster: Any, name: str, cidr: str = "") -> None:
    spec: Obj = {"podCIDR": cidr, "podCIDRs": [cidr]} if cidr else {}
    await cluster.client.create(NODES, {"metadata": {"name": name}, "spec": spec})


def cidr(cluster: Any, name: str) -> str:
    return str(cluster.get(NODES, name)["spec"].get("podCIDR", ""))


async def test_a_node_without_a_range_gets_the_first_that_is_free(cluster: Any) -> None:
    await add(cluster, "own", "10.1.1.0/24")
    await cluster.start("node_ipam", options=Options(cluster_cidr="10.1.0.0/22"))
    await add(cluster, "a")
    await add(cluster, "b")
    await cluster.settled()
    assert cidr(cluster, "own") == "10.1.1.0/24"
    assert {cidr(cluster, "a"), cidr(cluster, "b")} == {"10.1.2.0/24", "10.1.3.0/24"}
    assert cluster.get(NODES, "a")["spec"]["podCIDRs"] == [cidr(cluster, "a")]
    await add(cluster, "c")
    await cluster.settled()
    assert cidr(cluster, "c") == ""
    assert cluster.messages() == ["Node c status is now: CIDRNotAvailable"]


async def test_each_node_carries_the_ttl(cluster: Any) -> None:
    await add(cluster, "a")
    await cluster.start("ttl")
    await add(cluster, "b")
    await cluster.client.patch(NODES, "a", "", {"metadata": {"annotations": {ttl.ANNOTATION: None}}})
    await cluster.settled()
    assert [n["metadata"]["annotations"][ttl.ANNOTATION] for n in cluster.all(NODES)] == ["0", "0"]


@pytest.mark.parametrize(
    ("nodes", "before", "wanted"),
    [(100, 0, 0), (101, 0, 15), (95, 15, 15), (89, 15, 0), (95, 0, 0), (501, 15, 30), (460, 30, 30), (3000, 0, 300)],
)
def test_the_ttl_grows_with_the_cluster(nodes: int, before: int, wanted: int) -> None:
    assert ttl.seconds(nodes, before) == wanted

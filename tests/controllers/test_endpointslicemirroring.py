"""Hand-made Endpoints of a Service without a selector are seen by whoever reads slices only."""

from __future__ import annotations

from typing import Any

from kubelearn.controllers.base import ENDPOINTS, ENDPOINTSLICES, SERVICES
from kubelearn.controllers.endpointslice import MANAGED_BY, SERVICE_NAME
from kubelearn.controllers.endpointslicemirroring import MANAGER


async def made(cluster: Any, labels: dict[str, str] | None = None, **spec: Any) -> None:
    await cluster.start("endpointslicemirroring")
    service = {"metadata": {"name": "db", "namespace": "default"}, "spec": {"ports": [{"port": 5432}], **spec}}
    await cluster.client.create(SERVICES, {"apiVersion": "v1", "kind": "Service", **service})
    subset = {"addresses": [{"ip": "192.0.2.7"}], "notReadyAddresses": [{"ip": "192.0.2.8"}], "ports": [{"port": 5432}]}
    metadata = {"name": "db", "namespace": "default", "labels": labels or {}}
    body = {"apiVersion": "v1", "kind": "Endpoints", "metadata": metadata, "subsets": [subset]}
    await cluster.client.create(ENDPOINTS, body)
    await cluster.settled()


async def test_hand_made_endpoints_are_mirrored_followed_and_forgotten(cluster: Any) -> None:
    await made(cluster)
    (found,) = cluster.all(ENDPOINTSLICES)
    assert found["metadata"]["labels"] == {SERVICE_NAME: "db", MANAGED_BY: MANAGER}
    assert found["metadata"]["ownerReferences"][0]["kind"] == "Endpoints"
    ready = {e["addresses"][0]: e["conditions"]["ready"] for e in found["endpoints"]}
    assert ready == {"192.0.2.7": True, "192.0.2.8": False}
    subsets = [{"addresses": [{"ip": "192.0.2.9"}], "ports": [{"port": 5432}]}]
    await cluster.client.patch(ENDPOINTS, "db", "default", {"subsets": subsets})
    await cluster.settled()
    (after,) = cluster.all(ENDPOINTSLICES)
    assert after["metadata"]["name"] == found["metadata"]["name"]
    assert [e["addresses"] for e in after["endpoints"]] == [["192.0.2.9"]]
    await cluster.client.delete(ENDPOINTS, "db", "default")
    await cluster.settled()
    assert not cluster.all(ENDPOINTSLICES)


async def test_endpoints_of_a_selector_are_not_mirrored(cluster: Any) -> None:
    await made(cluster, selector={"app": "db"})
    assert not cluster.all(ENDPOINTSLICES)


async def test_a_label_forbids_it(cluster: Any) -> None:
    await made(cluster, {"endpointslice.kubernetes.io/skip-mirror": "true"})
    assert not cluster.all(ENDPOINTSLICES)

"""EndpointSlices and Endpoints: who is behind a Service, on which ports, and how ready."""

from __future__ import annotations

from typing import Any

from kubelearn.api.resource import Obj
from kubelearn.controllers.base import ENDPOINTS, ENDPOINTSLICES, PODS, SERVICES


def service(**spec: Any) -> Obj:
    body = {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": "http"}], "clusterIP": "10.96.0.9"}
    return {"metadata": {"name": "web", "namespace": "default"}, "spec": {**body, **spec}}


def pod(name: str, port: int = 8080, **spec: Any) -> Obj:
    container = {"name": "c", "image": "i", "ports": [{"name": "http", "containerPort": port}]}
    body = {"containers": [container], **spec}
    return {"metadata": {"name": name, "namespace": "default", "labels": {"app": "web"}}, "spec": body}


async def test_pods_come_into_the_slice_and_leave_it(cluster: Any) -> None:
    await cluster.start("endpointslice")
    await cluster.client.create(SERVICES, service())
    await cluster.client.create(PODS, pod("a"))
    await cluster.settled()
    (empty,) = cluster.all(ENDPOINTSLICES)
    assert empty["endpoints"] == []
    await cluster.run_pods("worker-2")
    await cluster.settled()
    (found,) = cluster.all(ENDPOINTSLICES)
    assert found["metadata"]["labels"]["kubernetes.io/service-name"] == "web"
    assert found["metadata"]["ownerReferences"][0]["name"] == "web"
    assert found["ports"] == [{"name": "", "port": 8080, "protocol": "TCP"}]
    (endpoint,) = found["endpoints"]
    assert endpoint["addresses"] == ["10.1.0.2"]
    assert endpoint["conditions"] == {"ready": True, "serving": True, "terminating": False}
    assert endpoint["nodeName"] == "worker-2"
    assert endpoint["targetRef"]["name"] == "a"
    (older,) = cluster.all(ENDPOINTS)
    assert [a["ip"] for a in older["subsets"][0]["addresses"]] == ["10.1.0.2"]
    assert older["subsets"][0]["ports"] == [{"port": 8080, "protocol": "TCP"}]
    await cluster.client.delete(PODS, "a", "default")
    await cluster.settled()
    (found,) = cluster.all(ENDPOINTSLICES)
    assert found["endpoints"][0]["conditions"] == {"ready": False, "serving": True, "terminating": True}
    assert not cluster.all(ENDPOINTS)[0].get("subsets")
    await cluster.run_pods()
    await cluster.settled()
    assert cluster.all(ENDPOINTSLICES)[0]["endpoints"] == []


async def test_a_pod_that_is_not_ready_is_listed_as_such(cluster: Any) -> None:
    await cluster.start("endpointslice")
    await cluster.client.create(SERVICES, service())
    await cluster.client.create(PODS, pod("a"))
    await cluster.run_pods()
    await cluster.run_pods(ready=False)
    await cluster.settled()
    (found,) = cluster.all(ENDPOINTSLICES)
    assert found["endpoints"][0]["conditions"] == {"ready": False, "serving": False, "terminating": False}
    assert [a["ip"] for a in cluster.all(ENDPOINTS)[0]["subsets"][0]["notReadyAddresses"]] == ["10.1.0.2"]


async def test_a_named_port_that_differs_makes_two_slices(cluster: Any) -> None:
    await cluster.start("endpointslice")
    await cluster.client.create(SERVICES, service())
    await cluster.client.create(PODS, pod("a", 8080))
    await cluster.client.create(PODS, pod("b", 9090))
    await cluster.run_pods()
    await cluster.settled()
    assert sorted(s["ports"][0]["port"] for s in cluster.all(ENDPOINTSLICES)) == [8080, 9090]
    assert len(cluster.all(ENDPOINTS)[0]["subsets"]) == 2


async def test_headless_with_hostnames(cluster: Any) -> None:
    await cluster.start("endpointslice")
    await cluster.client.create(SERVICES, service(clusterIP="None"))
    await cluster.client.create(PODS, pod("a", hostname="a", subdomain="web"))
    await cluster.run_pods()
    await cluster.settled()
    (found,) = cluster.all(ENDPOINTSLICES)
    assert found["metadata"]["labels"]["service.kubernetes.io/headless"] == ""
    assert found["endpoints"][0]["hostname"] == "a"


async def test_labels_that_change_and_a_service_that_goes(cluster: Any) -> None:
    await cluster.start("endpointslice")
    await cluster.client.create(SERVICES, service())
    await cluster.client.create(PODS, pod("a"))
    await cluster.run_pods()
    await cluster.settled()
    await cluster.client.patch(PODS, "a", "default", {"metadata": {"labels": {"app": "other"}}})
    await cluster.settled()
    assert cluster.all(ENDPOINTSLICES)[0]["endpoints"] == []
    await cluster.client.delete(SERVICES, "web", "default")
    await cluster.settled()
    assert not cluster.all(ENDPOINTSLICES)
    assert not cluster.all(ENDPOINTS)


async def test_many_pods_fill_slices_of_a_hundred(cluster: Any) -> None:
    await cluster.start("endpointslice")
    for number in range(130):
        await cluster.client.create(PODS, pod(f"p{number}"))
    await cluster.run_pods()
    await cluster.client.create(SERVICES, service())
    await cluster.settled()
    assert sorted(len(s["endpoints"]) for s in cluster.all(ENDPOINTSLICES)) == [30, 100]


async def test_a_service_without_selector_is_left_to_its_owner(cluster: Any) -> None:
    await cluster.start("endpointslice")
    await cluster.client.create(SERVICES, service(selector=None))
    await cluster.settled()
    assert not cluster.all(ENDPOINTSLICES)

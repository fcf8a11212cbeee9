"""Services, Endpoints and EndpointSlices."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from kubelearn.api import table
from kubelearn.api.kind import Kind
from kubelearn.api.resource import Obj

Build = Callable[..., Obj]
Create = Callable[[Obj], list[str]]
Update = Callable[[Obj, Obj], list[str]]


def service(build: Build, **spec: Any) -> Obj:
    return build("Service", spec={"ports": [{"port": 80}]} | spec)


def test_defaults(build: Build, create: Create) -> None:
    obj = service(build, type="LoadBalancer", sessionAffinity="ClientIP")
    assert create(obj) == []
    assert obj["status"] == {"loadBalancer": {}}
    assert obj["spec"] == {
        "ports": [{"port": 80, "protocol": "TCP", "targetPort": 80}],
        "type": "LoadBalancer",
        "sessionAffinity": "ClientIP",
        "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 10800}},
        "externalTrafficPolicy": "Cluster",
        "internalTrafficPolicy": "Cluster",
        "allocateLoadBalancerNodePorts": True,
        "ipFamilies": ["IPv4"],
        "ipFamilyPolicy": "SingleStack",
    }


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"ports": []}, ["spec.ports: Required value"]),
        ({"ports": [], "clusterIP": "None"}, []),
        (
            {"clusterIP": "None", "type": "NodePort"},
            ["spec.clusterIPs[0]: Invalid value: \"None\": may not be set to 'None' for NodePort services"],
        ),
        (
            {"clusterIP": "1.2.3"},
            [
                'spec.clusterIPs[0]: Invalid value: "1.2.3": must be a valid IP address, (e.g. 10.9.8.7 or '
                "2001:db8::ffff)"
            ],
        ),
        (
            {"ports": [{"port": 80, "name": "a"}, {"port": 81, "name": "a"}]},
            ['spec.ports[1].name: Duplicate value: "a"'],
        ),
        (
            {"ports": [{"port": 80, "nodePort": 30000}]},
            ["spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"],
        ),
        (
            {"sessionAffinity": "Maybe"},
            ['spec.sessionAffinity: Unsupported value: "Maybe": supported values: "ClientIP", "None"'],
        ),
        (
            {"externalTrafficPolicy": "Local"},
            ['spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services'],
        ),
        (
            {"externalIPs": ["127.0.0.1"]},
            [
                'spec.externalIPs[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, '
                "::1/128)"
            ],
        ),
    ],
)
def test_validation(build: Build, create: Create, spec: Obj, expected: list[str]) -> None:
    assert create(service(build, **spec)) == expected


def allocated(build: Build, create: Create, **spec: Any) -> Obj:
    obj = service(build, **spec)
    assert create(obj) == []
    obj["spec"] |= {"clusterIP": "10.96.0.7", "clusterIPs": ["10.96.0.7"]}
    return obj


def test_cluster_ip_stays(build: Build, create: Create, update: Update) -> None:
    old = allocated(build, create)
    new = copy.deepcopy(old)
    new["spec"]["clusterIP"] = "10.96.99.99"
    assert update(new, old) == ['spec.clusterIPs[0]: Invalid value: ["10.96.99.99"]: may not change once set']


def test_replace_need_not_repeat_what_was_allocated(build: Build, create: Create, update: Update) -> None:
    old = allocated(build, create, type="NodePort")
    old["spec"]["ports"][0]["nodePort"] = 30080
    new = service(build, type="NodePort")
    assert update(new, old) == []
    assert new["spec"] == old["spec"]


def test_change_of_type_drops_what_the_old_one_needed(build: Build, create: Create, update: Update) -> None:
    old = allocated(build, create, type="NodePort")
    old["spec"]["ports"][0]["nodePort"] = 30080
    new = copy.deepcopy(old)
    new["spec"]["type"] = "ClusterIP"
    assert update(new, old) == []
    assert "nodePort" not in new["spec"]["ports"][0]
    assert "externalTrafficPolicy" not in new["spec"]
    new = copy.deepcopy(old)
    new["spec"] |= {"type": "ExternalName", "externalName": "example.com"}
    assert update(new, old) == []
    assert not {"clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"} & set(new["spec"])


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"type": "ClusterIP", "clusterIPs": ["10.1.1.1"]}, ["ClusterIP", "10.1.1.1", "<none>", "80/TCP"]),
        ({"type": "LoadBalancer"}, ["LoadBalancer", "<none>", "<pending>", "80/TCP"]),
        (
            {"type": "NodePort", "ports": [{"port": 80, "nodePort": 30080, "protocol": "TCP"}]},
            ["NodePort", "<none>", "<none>", "80:30080/TCP"],
        ),
        ({"type": "ExternalName", "externalName": "a.b", "ports": []}, ["ExternalName", "<none>", "a.b", "<none>"]),
    ],
)
def test_rows(build: Build, kinds: dict[str, Kind], spec: Obj, expected: list[str]) -> None:
    obj = build("Service", spec={"ports": [{"port": 80, "protocol": "TCP"}]} | spec)
    row = table.render(kinds["Service"].columns, [obj])["rows"][0]["cells"]
    assert row == ["x", *expected, "<unknown>", "<none>"]


def test_endpoints_rows(build: Build, kinds: dict[str, Kind]) -> None:
    addresses = [{"ip": f"10.1.1.{n}"} for n in range(1, 6)]
    obj = build("Endpoints", subsets=[{"addresses": addresses, "ports": [{"port": 80}]}])
    row = table.render(kinds["Endpoints"].columns, [obj])["rows"][0]["cells"]
    assert row[1] == "10.1.1.1:80,10.1.1.2:80,10.1.1.3:80 + 2 more..."
    obj = build("EndpointSlice", addressType="IPv4", endpoints=[{"addresses": ["10.1.1.1"]}], ports=[{"port": 80}])
    row = table.render(kinds["EndpointSlice"].columns, [obj])["rows"][0]["cells"]
    assert row == ["x", "IPv4", "80", "10.1.1.1", "<unknown>"]


def test_endpoint_slice_validation(build: Build, create: Create, update: Update) -> None:
    obj = build("EndpointSlice", addressType="IPv4", endpoints=[{"addresses": ["::1"]}, {"addresses": []}])
    assert create(obj) == [
        'endpoints[0].addresses[0]: Invalid value: "::1": must be a valid IPv4 address',
        "endpoints[1].addresses: Required value: must contain at least 1 address",
    ]
    old = build("EndpointSlice", addressType="IPv4", endpoints=[])
    new = build("EndpointSlice", addressType="IPv6", endpoints=[])
    assert update(new, old) == ['addressType: Invalid value: "IPv6": field is immutable']

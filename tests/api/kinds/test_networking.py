"""Ingresses, their classes, and NetworkPolicies."""

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

BACKEND: Obj = {"service": {"name": "s", "port": {"number": 80}}}


def ingress(build: Build, **path: Any) -> Obj:
    item: Obj = {"path": "/", "pathType": "Prefix", "backend": BACKEND} | path
    return build("Ingress", spec={"rules": [{"host": "a.example.com", "http": {"paths": [item]}}]})


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ({}, []),
        ({"pathType": None}, ["pathType: Required value: pathType must be specified"]),
        ({"pathType": "Odd"},
         ['pathType: Unsupported value: "Odd": supported values: "Exact", "ImplementationSpecific", "Prefix"']),
        ({"path": "a"}, ['path: Invalid value: "a": must be an absolute path']),
        ({"path": "/a//b"}, ["path: Invalid value: \"/a//b\": must not contain '//'"]),
        ({"path": "/a/.."}, ["path: Invalid value: \"/a/..\": cannot end with '/..'"]),
        ({"path": "", "pathType": "ImplementationSpecific"}, []),
        ({"backend": {}}, ['backend: Invalid value: "": resource or service backend is required']),
        ({"backend": {"service": {"name": "s"}}}, ["backend: Required value: port name or number is required"]),
        ({"backend": {"service": {"name": "s", "port": {"number": 1, "name": "a"}}}},
         ['backend: Invalid value: "": cannot set both port name & port number']),
        ({"backend": {"service": {"port": {"name": "a"}}}}, ["backend.service.name: Required value"]),
    ],
)  # fmt: skip
def test_ingress_paths(build: Build, create: Create, path: Obj, expected: list[str]) -> None:
    assert create(ingress(build, **path)) == [f"spec.rules[0].http.paths[0].{text}" for text in expected]


def test_ingress_needs_a_rule_or_a_backend(build: Build, create: Create) -> None:
    assert create(build("Ingress")) == [
        "spec: Invalid value: null: either `defaultBackend` or `rules` must be specified"
    ]
    obj = build("Ingress", spec={"defaultBackend": BACKEND})
    assert create(obj) == []
    assert obj["status"] == {"loadBalancer": {}}


@pytest.mark.parametrize(
    ("host", "text"),
    [
        ("*.example.com", ""),
        ("1.2.3.4", "must be a DNS name, not an IP address"),
        ("a.*.com", "a wildcard DNS-1123 subdomain must start with '*.'"),
        ("A.com", "a lowercase RFC 1123 subdomain must consist of"),
    ],
)
def test_ingress_hosts(build: Build, create: Create, host: str, text: str) -> None:
    obj = ingress(build)
    obj["spec"]["rules"][0]["host"] = host
    start = f'spec.rules[0].host: Invalid value: "{host}": {text}'
    assert [e[: len(start)] for e in create(obj)] == ([start] if text else [])


def test_ingress_columns(build: Build, create: Create, kinds: dict[str, Kind]) -> None:
    obj = ingress(build)
    obj["spec"] |= {"ingressClassName": "c", "tls": [{}], "rules": [{"host": f"h{i}"} for i in range(5)]}
    create(obj)
    obj["status"]["loadBalancer"] = {"ingress": [{"hostname": "a-very-long-host-name"}]}
    row = table.render(kinds["Ingress"].columns, [obj])["rows"][0]["cells"]
    assert row[1:5] == ["c", "h0,h1,h2 + 2 more...", "a-very-long-h...", "80, 443"]


def test_ingress_class(build: Build, create: Create, update: Update) -> None:
    assert create(build("IngressClass")) == ["spec.controller: Required value"]
    assert create(build("IngressClass", spec={"controller": "x"})) == [
        'spec.controller: Invalid value: "x": must be a domain-prefixed path (such as "acme.io/foo")'
    ]
    old = build("IngressClass", spec={"controller": "a.io/b", "parameters": {"kind": "K", "name": "n"}})
    assert create(old) == []
    assert old["spec"]["parameters"]["scope"] == "Cluster"
    new = copy.deepcopy(old)
    new["spec"]["controller"] = "a.io/c"
    assert update(new, old) == ['spec.controller: Invalid value: "a.io/c": field is immutable']


def test_network_policy_defaults(build: Build, create: Create) -> None:
    obj = build("NetworkPolicy", spec={"egress": [{"ports": [{"port": 53}]}]})
    assert create(obj) == []
    assert obj["spec"]["policyTypes"] == ["Ingress", "Egress"]
    assert obj["spec"]["egress"][0]["ports"][0]["protocol"] == "TCP"
    assert obj["spec"]["podSelector"] == {}


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"from": [{}]}, ["from[0]: Required value: must specify a peer"]),
        ({"from": [{"podSelector": {}, "ipBlock": {"cidr": "10.0.0.0/8"}}]},
         ["from[0]: Forbidden: may not specify both ipBlock and another peer"]),
        ({"from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["11.0.0.0/16"]}}]},
         ['from[0].ipBlock.except[0]: Invalid value: "11.0.0.0/16": must be a strict subset of `cidr`']),
        ({"ports": [{"port": 80, "endPort": 79}]},
         ["ports[0].endPort: Invalid value: 79: must be greater than or equal to `port`"]),
        ({"ports": [{"protocol": "ICMP"}]},
         ['ports[0].protocol: Unsupported value: "ICMP": supported values: "TCP", "UDP", "SCTP"']),
        ({"ports": [{"port": "web", "endPort": 80}]},
         ["ports[0].endPort: Invalid value: 80: may not be specified when `port` is non-numeric"]),
    ],
)  # fmt: skip
def test_network_policy_rules(build: Build, create: Create, rule: Obj, expected: list[str]) -> None:
    obj = build("NetworkPolicy", spec={"ingress": [rule]})
    assert create(obj) == [f"spec.ingress[0].{text}" for text in expected]

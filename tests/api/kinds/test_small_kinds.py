"""Metadata, namespaces, nodes, configuration, events and leases."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest

from kubelearn.api import table
from kubelearn.api.kind import Kind
from kubelearn.api.resource import Obj

Build = Callable[..., Obj]
Create = Callable[[Obj], list[str]]
Update = Callable[[Obj, Obj], list[str]]


@pytest.mark.parametrize(
    ("meta", "expected"),
    [
        ({"name": ""}, ["name: Required value: name or generateName is required"]),
        ({"labels": {"a": "b c"}}, ['labels: Invalid value: "b c": a valid label must be an empty string or']),
        ({"annotations": {"/x": ""}}, ['annotations: Invalid value: "/x": prefix part must be non-empty']),
        (
            {"finalizers": ["hold"]},
            [
                'finalizers[0]: Invalid value: "hold": name is neither a standard finalizer name nor is it fully '
                "qualified"
            ],
        ),
        (
            {"ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "p"}]},
            ['ownerReferences[0].uid: Invalid value: "": must not be empty'],
        ),
    ],
)
def test_metadata(build: Build, create: Create, meta: Obj, expected: list[str]) -> None:
    found = create(build("ConfigMap", metadata={"name": "x", "namespace": "default"} | meta))
    assert len(found) == len(expected)
    assert all(text.startswith(f"metadata.{want}") for text, want in zip(found, expected, strict=True))


def test_metadata_update(build: Build, update: Update) -> None:
    old = build("ConfigMap")
    old["metadata"] |= {"uid": "1", "deletionTimestamp": "2026-01-01T00:00:00Z"}
    new = copy.deepcopy(old)
    new["metadata"] |= {"uid": "2", "finalizers": ["a/b"]}
    assert update(new, old) == [
        "metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new "
        'finalizers []string{"a/b"}',
        'metadata.uid: Invalid value: "2": field is immutable',
    ]


def test_namespace(build: Build, create: Create, update: Update) -> None:
    obj = build("Namespace")
    assert create(obj) == []
    assert obj["metadata"]["labels"] == {"kubernetes.io/metadata.name": "x"}
    assert (obj["spec"], obj["status"]) == ({"finalizers": ["kubernetes"]}, {"phase": "Active"})
    new = copy.deepcopy(obj)
    new["spec"] = {}
    assert update(new, obj) == []
    assert new["spec"] == {"finalizers": ["kubernetes"]}
    new["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] = "bogus"
    assert update(new, obj) == [
        'metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "bogus": must be one of privileged, '
        "baseline, restricted"
    ]


def test_node(build: Build, create: Create, update: Update, kinds: dict[str, Kind]) -> None:
    obj = build("Node", status={"capacity": {"cpu": "4000m"}})
    obj["metadata"]["labels"] = {"node-role.kubernetes.io/control-plane": "", "kubernetes.io/role": "worker"}
    assert create(obj) == []
    assert obj["spec"]["taints"] == [{"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}]
    assert obj["status"]["allocatable"] == {"cpu": "4"}
    row = table.render(kinds["Node"].columns, [obj])["rows"][0]["cells"]
    assert row[1:3] == ["Unknown", "control-plane,worker"]
    obj["spec"] |= {"podCIDR": "10.1.1.0/24", "podCIDRs": ["10.1.1.0/24"], "unschedulable": True}
    obj["status"]["conditions"] = [{"type": "Ready", "status": "True"}]
    row = table.render(kinds["Node"].columns, [obj])["rows"][0]["cells"]
    assert row[1] == "Ready,SchedulingDisabled"
    new = copy.deepcopy(obj)
    new["spec"] |= {"podCIDR": "10.1.2.0/24", "podCIDRs": ["10.1.2.0/24"], "taints": [{"key": "a", "effect": "No"}]}
    assert update(new, obj) == [
        'metadata.taints[0].effect: Unsupported value: "No": supported values: "NoSchedule", "PreferNoSchedule", '
        '"NoExecute"',
        'spec.podCIDRs: Forbidden: node updates may not change podCIDR except from "" to valid',
    ]


@pytest.mark.parametrize("kind", ["ConfigMap", "Secret"])
def test_immutable_data(build: Build, create: Create, update: Update, kind: str) -> None:
    old = build(kind, immutable=True, data={"k": "eg=="})
    assert create(old) == []
    new = copy.deepcopy(old)
    new |= {"immutable": False, "data": {"k": "eQ=="}}
    assert update(new, old) == [
        "immutable: Forbidden: field is immutable when `immutable` is set",
        "data: Forbidden: field is immutable when `immutable` is set",
    ]


def test_configmap_keys_and_size(build: Build, create: Create) -> None:
    (error,) = create(build("ConfigMap", data={"a b": "v"}))
    assert error.startswith('data[a b]: Invalid value: "a b": a valid config key must consist of')
    assert create(build("ConfigMap", data={"a": "v" * (1024 * 1024 + 1)})) == [
        ": Too long: may not be more than 1048576 bytes"
    ]


def test_secret(build: Build, create: Create, update: Update) -> None:
    obj = build("Secret", stringData={"p": "q"})
    assert create(obj) == []
    assert (obj["data"], obj["type"], "stringData" in obj) == ({"p": "cQ=="}, "Opaque", False)
    new = copy.deepcopy(obj) | {"type": "other"}
    assert update(new, obj) == ['type: Invalid value: "other": field is immutable']
    assert create(build("Secret", type="kubernetes.io/tls")) == [
        "data[tls.crt]: Required value",
        "data[tls.key]: Required value",
    ]


def test_event(build: Build, create: Create, kinds: dict[str, Kind]) -> None:
    target = {"kind": "Pod", "name": "p", "namespace": "default", "fieldPath": "spec.containers{c}"}
    obj = build("Event", involvedObject=target, reason="R", message=" m\n", type="Normal", source={"component": "k"})
    assert create(obj) == []
    row = table.render(kinds["Event"].columns, [obj])["rows"][0]["cells"]
    assert row == ["<unknown>", "Normal", "R", "pod/p", "spec.containers{c}", "k", "m", "<unknown>", 1, "x"]
    assert kinds["Event"].fields(obj)["involvedObject.name"] == "p"
    obj["involvedObject"]["namespace"] = "other"
    assert create(obj) == ['involvedObject.namespace: Invalid value: "other": does not match event.namespace']


def test_lease(build: Build, create: Create) -> None:
    assert create(build("Lease", spec={"leaseDurationSeconds": 0, "leaseTransitions": -1})) == [
        "spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0",
        "spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0",
    ]

"""Pods: defaults, what they print, and what an update may change."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from kubelearn.api import table
from kubelearn.api.kinds._podspec_defaults import pull_policy
from kubelearn.api.kinds.pod import KIND, qos_class
from kubelearn.api.resource import Obj

Build = Callable[..., Obj]
Create = Callable[[Obj], list[str]]
Update = Callable[[Obj, Obj], list[str]]
NOW = datetime(2026, 1, 1, 1, 0, tzinfo=UTC)


def simple(build: Build, **spec: Any) -> Obj:
    return build("Pod", spec={"containers": [{"name": "c", "image": "a:1"}]} | spec)


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("nginx", "Always"), ("nginx:latest", "Always"), ("nginx:1", "IfNotPresent"), ("r.io:5000/a/b", "Always"),
        ("r.io:5000/a/b:2", "IfNotPresent"), ("nginx@sha256:" + "a" * 64, "IfNotPresent"), ("BAD", "IfNotPresent"),
    ],
)  # fmt: skip
def test_pull_policy(image: str, policy: str) -> None:
    assert pull_policy(image) == policy


def test_defaults_of_a_created_pod(build: Build, create: Create) -> None:
    obj = simple(build)
    obj["spec"]["containers"][0]["resources"] = {"limits": {"cpu": "0.5", "memory": "1024Mi"}}
    assert create(obj) == []
    spec = obj["spec"]
    both = {"cpu": "500m", "memory": "1Gi"}
    assert spec["containers"][0]["resources"] == {"limits": both, "requests": both}
    assert obj["status"] == {"phase": "Pending", "qosClass": "Guaranteed"}
    assert (spec["enableServiceLinks"], spec["dnsPolicy"]) == (True, "ClusterFirst")


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ([{}], "BestEffort"),
        ([{"requests": {"cpu": "1"}}], "Burstable"),
        ([{"limits": {"cpu": "1", "memory": "1"}}, {}], "Burstable"),
        ([{"requests": {"cpu": "0"}}], "BestEffort"),
    ],
)
def test_qos(build: Build, resources: list[Obj], expected: str) -> None:
    obj = build("Pod", spec={"containers": [{"resources": item} for item in resources]})
    assert qos_class(obj) == expected


def cells(obj: Obj) -> dict[str, Any]:
    row = table.render(KIND.columns, [obj], NOW)["rows"][0]["cells"]
    return dict(zip((c.name for c in KIND.columns), row, strict=True))


def started(name: str, **more: Any) -> Obj:
    return {"name": name, "ready": True, "restartCount": 0, "state": {"running": {}}} | more


@pytest.mark.parametrize(
    ("status", "ready", "reason", "restarts"),
    [
        ({"phase": "Pending"}, "0/1", "Pending", "0"),
        ({"phase": "Running", "containerStatuses": [started("c")]}, "1/1", "Running", "0"),
        (
            {
                "phase": "Running",
                "containerStatuses": [
                    {
                        "name": "c",
                        "restartCount": 2,
                        "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                        "lastState": {"terminated": {"finishedAt": "2026-01-01T00:55:00Z"}},
                    }
                ],
            },
            "0/1", "CrashLoopBackOff", "2 (5m ago)",
        ),
        (
            {"phase": "Failed", "containerStatuses": [{"name": "c", "state": {"terminated": {"exitCode": 3}}}]},
            "0/1", "ExitCode:3", "0",
        ),
        (
            {"phase": "Succeeded", "containerStatuses": [{"state": {"terminated": {"reason": "Completed"}}}]},
            "0/1", "Completed", "0",
        ),
        ({"phase": "Failed", "reason": "Evicted"}, "0/1", "Evicted", "0"),
    ],
)  # fmt: skip
def test_printed_status(build: Build, status: Obj, ready: str, reason: str, restarts: str) -> None:
    found = cells(simple(build) | {"status": status})
    assert (found["Ready"], found["Status"], found["Restarts"]) == (ready, reason, restarts)


def test_printed_init_containers(build: Build) -> None:
    init = [{"name": "i", "image": "b"}, {"name": "s", "image": "b", "restartPolicy": "Always"}]
    obj = simple(build, initContainers=init)
    obj["status"] = {"phase": "Pending", "initContainerStatuses": [{"name": "i", "state": {"running": {}}}]}
    assert (cells(obj)["Ready"], cells(obj)["Status"]) == ("0/2", "Init:0/2")
    done = {"name": "i", "state": {"terminated": {"exitCode": 0}}}
    obj["status"] = {
        "phase": "Running",
        "initContainerStatuses": [done, started("s", started=True)],
        "containerStatuses": [started("c")],
    }
    assert (cells(obj)["Ready"], cells(obj)["Status"]) == ("2/2", "Running")


def test_printed_deletion(build: Build) -> None:
    obj = simple(build) | {"status": {"phase": "Running"}}
    obj["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert cells(obj)["Status"] == "Terminating"
    obj["status"]["reason"] = "NodeLost"
    assert cells(obj)["Status"] == "Unknown"


def test_printed_wide(build: Build) -> None:
    obj = simple(build, nodeName="n", readinessGates=[{"conditionType": "a/b"}])
    obj["status"] = {"podIPs": [{"ip": "10.1.0.2"}], "conditions": [{"type": "a/b", "status": "True"}]}
    found = cells(obj)
    assert (found["IP"], found["Node"], found["Nominated Node"]) == ("10.1.0.2", "n", "<none>")
    assert found["Readiness Gates"] == "1/1"


def test_updates(build: Build, create: Create, update: Update) -> None:
    old = simple(build, tolerations=[{"key": "a", "operator": "Exists"}])
    assert create(old) == []
    old["metadata"]["resourceVersion"] = "1"

    def changed(**spec: Any) -> list[str]:
        new = copy.deepcopy(old)
        new["spec"] |= spec
        return update(new, old)

    image = [old["spec"]["containers"][0] | {"image": "b:2"}]
    extra = {"key": "k", "operator": "Exists"}
    assert changed(containers=image) == []
    assert changed(tolerations=[*old["spec"]["tolerations"], extra]) == []
    assert changed(activeDeadlineSeconds=5) == []
    assert changed(tolerations=[]) == [
        "spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds"
    ]
    assert changed(containers=[*image, {"name": "d", "image": "b:1"}]) == [
        "spec.containers: Forbidden: pod updates may not add or remove containers"
    ]
    (error,) = changed(nodeSelector={"a": "b"})
    assert error.startswith("spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,")
    assert '+  "nodeSelector": {' in error


def test_only_gates_may_go(build: Build, create: Create, update: Update) -> None:
    old = simple(build, schedulingGates=[{"name": "a.b/c"}])
    assert create(old) == []
    assert old["status"]["conditions"][0]["reason"] == "SchedulingGated"
    assert cells(old)["Status"] == "SchedulingGated"
    old["metadata"]["resourceVersion"] = "1"
    new = copy.deepcopy(old)
    new["spec"]["schedulingGates"] = []
    assert update(new, old) == []
    new["spec"]["schedulingGates"] = [{"name": "a.b/d"}]
    assert update(new, old) == [
        "spec.schedulingGates[0].name: Forbidden: only deletion is allowed, but found new scheduling gate 'a.b/d'"
    ]


def test_field_selectors(build: Build) -> None:
    found = KIND.fields(simple(build, nodeName="n") | {"status": {"phase": "Running"}})
    assert (found["spec.nodeName"], found["status.phase"], found["metadata.name"]) == ("n", "Running", "x")

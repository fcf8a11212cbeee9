"""StatefulSets, DaemonSets, ReplicationControllers and their history."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from kubelearn.api.resource import Obj

Build = Callable[..., Obj]
Create = Callable[[Obj], list[str]]
Update = Callable[[Obj, Obj], list[str]]

TEMPLATE: Obj = {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [{"name": "c", "image": "n:1"}]}}


def workload(build: Build, kind: str, **spec: Any) -> Obj:
    return build(kind, spec={"selector": {"matchLabels": {"app": "a"}}, "template": TEMPLATE} | spec)


CLAIM: Obj = {
    "metadata": {"name": "d"},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1024Mi"}}},
}


def test_statefulset_defaults(build: Build, create: Create) -> None:
    obj = workload(build, "StatefulSet", serviceName="x", volumeClaimTemplates=[CLAIM])
    assert create(obj) == []
    spec = obj["spec"]
    assert (spec["replicas"], spec["podManagementPolicy"], spec["revisionHistoryLimit"]) == (1, "OrderedReady", 10)
    assert spec["updateStrategy"] == {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}
    assert spec["persistentVolumeClaimRetentionPolicy"] == {"whenDeleted": "Retain", "whenScaled": "Retain"}
    claim = spec["volumeClaimTemplates"][0]
    assert (claim["kind"], claim["spec"]["volumeMode"], claim["status"]) == (
        "PersistentVolumeClaim", "Filesystem", {"phase": "Pending"},
    )  # fmt: skip
    assert claim["spec"]["resources"]["requests"]["storage"] == "1Gi"


def test_statefulset_containers_may_mount_its_claims(build: Build, create: Create) -> None:
    template = copy.deepcopy(TEMPLATE)
    template["spec"]["containers"][0]["volumeMounts"] = [{"name": "d", "mountPath": "/d"}]
    assert create(workload(build, "StatefulSet", template=template, volumeClaimTemplates=[CLAIM])) == []
    assert create(workload(build, "StatefulSet", template=template)) == [
        'spec.template.spec.containers[0].volumeMounts[0].name: Not found: "d"'
    ]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"podManagementPolicy": "Odd"},
         ["spec.podManagementPolicy: Invalid value: \"Odd\": must be 'OrderedReady' or 'Parallel'"]),
        ({"updateStrategy": {"type": "Recreate"}},
         ['spec.updateStrategy: Invalid value: {"Type":"Recreate","RollingUpdate":null}: must be '
          "'RollingUpdate' or 'OnDelete'"]),
        ({"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": -1}}},
         ["spec.updateStrategy.rollingUpdate.partition: Invalid value: -1: must be greater than or equal to 0"]),
        ({"persistentVolumeClaimRetentionPolicy": {"whenScaled": "Keep"}},
         ['spec.persistentVolumeClaimRetentionPolicy.whenScaled: Unsupported value: "Keep": supported values: "Retain", '
          '"Delete"']),
        ({"selector": {}}, ["spec.selector: Invalid value: {}: empty selector is invalid for statefulset"]),
        ({"selector": None},
         ["spec.selector: Required value",
          'spec.template.metadata.labels: Invalid value: {"app":"a"}: `selector` does not match template `labels`']),
        ({"ordinals": {"start": -1}}, ["spec.ordinals.start: Invalid value: -1: must be greater than or equal to 0"]),
    ],
)  # fmt: skip
def test_invalid_statefulset(build: Build, create: Create, spec: Obj, expected: list[str]) -> None:
    assert create(workload(build, "StatefulSet", **spec)) == expected


def test_statefulset_update(build: Build, create: Create, update: Update) -> None:
    old = workload(build, "StatefulSet", serviceName="x")
    create(old)
    new = copy.deepcopy(old)
    new["spec"] |= {"replicas": 3, "minReadySeconds": 5}
    assert update(new, old) == []
    new["spec"]["serviceName"] = "y"
    assert update(new, old) == [
        "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', "
        "'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are "
        "forbidden"
    ]


def test_daemonset_defaults_and_template_generation(build: Build, create: Create, update: Update) -> None:
    old = workload(build, "DaemonSet")
    assert create(old) == []
    assert old["spec"]["updateStrategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0},
    }
    key = "deprecated.daemonset.template.generation"
    assert old["metadata"]["annotations"] == {key: "1"}
    new = copy.deepcopy(old)
    assert update(new, old) == []
    assert new["metadata"]["annotations"][key] == "1"
    new["spec"]["template"]["spec"]["containers"][0]["image"] = "n:2"
    assert update(new, old) == []
    assert new["metadata"]["annotations"][key] == "2"


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"selector": {}}, ["spec.selector: Invalid value: {}: empty selector is invalid for daemonset"]),
        ({"selector": None},
         ['spec.template.metadata.labels: Invalid value: {"app":"a"}: `selector` does not match template `labels`']),
        ({"updateStrategy": {"rollingUpdate": {"maxSurge": 1}}},
         ["spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: 1: may not be set when maxUnavailable is "
          "non-zero"]),
        ({"updateStrategy": {"rollingUpdate": {"maxUnavailable": 0}}},
         ["spec.updateStrategy.rollingUpdate.maxUnavailable: Required value: cannot be 0 when maxSurge is 0"]),
        ({"updateStrategy": {"type": "Recreate"}},
         ['spec.updateStrategy: Unsupported value: {"Type":"Recreate","RollingUpdate":null}: supported values: '
          '"RollingUpdate", "OnDelete"']),
    ],
)  # fmt: skip
def test_invalid_daemonset(build: Build, create: Create, spec: Obj, expected: list[str]) -> None:
    assert create(workload(build, "DaemonSet", **spec)) == expected


def test_daemonset_selector_is_immutable(build: Build, create: Create, update: Update) -> None:
    old = workload(build, "DaemonSet")
    create(old)
    new = copy.deepcopy(old)
    new["spec"]["selector"] = {"matchLabels": {"app": "a", "tier": "b"}}
    new["spec"]["template"]["metadata"]["labels"]["tier"] = "b"
    assert update(new, old) == [
        'spec.selector: Invalid value: {"matchLabels":{"app":"a","tier":"b"}}: field is immutable'
    ]


def test_replicationcontroller_takes_its_templates_labels(build: Build, create: Create) -> None:
    obj = build("ReplicationController", spec={"template": TEMPLATE})
    assert create(obj) == []
    assert (obj["spec"]["replicas"], obj["spec"]["selector"]) == (1, {"app": "a"})
    assert obj["metadata"]["labels"] == {"app": "a"}
    assert create(build("ReplicationController")) == [
        "spec.selector: Required value", "spec.template: Required value",
    ]  # fmt: skip
    assert create(build("ReplicationController", spec={"template": TEMPLATE, "selector": {"app": "b"}})) == [
        'spec.template.metadata.labels: Invalid value: {"app":"a"}: `selector` does not match template `labels`'
    ]


def test_controllerrevision(build: Build, create: Create, update: Update) -> None:
    assert create(build("ControllerRevision")) == ["data: Required value: data is mandatory"]
    old = build("ControllerRevision", data={"a": 1}, revision=1)
    assert create(old) == []
    new = copy.deepcopy(old) | {"revision": 2}
    assert update(new, old) == []
    new["data"] = {"a": 2}
    assert update(new, old) == ['data: Invalid value: {"a":2}: field is immutable']


def test_podtemplate(build: Build, create: Create) -> None:
    assert create(build("PodTemplate")) == ["template.spec.containers: Required value"]
    obj = build("PodTemplate", template=TEMPLATE)
    assert create(obj) == []
    assert obj["template"]["spec"]["restartPolicy"] == "Always"

"""A pod's spec: each rule by its field and its words, in Kubernetes' order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kubelearn.api import definitions
from kubelearn.api.resource import Obj

Build = Callable[..., Obj]
Create = Callable[[Obj], list[str]]

RANGE = "must be between 1 and 65535, inclusive"


def pod(build: Build, container: Obj | None = None, **spec: Any) -> Obj:
    return build("Pod", spec={"containers": [{"name": "c", "image": "a:1"} | (container or {})]} | spec)


@pytest.mark.parametrize(
    ("container", "expected"),
    [
        ({"image": ""}, ["image: Required value"]),
        ({"image": " a"}, ['image: Invalid value: " a": must not have leading or trailing whitespace']),
        ({"ports": [{}]}, ["ports[0].containerPort: Required value"]),
        ({"ports": [{"containerPort": 70000}]}, [f"ports[0].containerPort: Invalid value: 70000: {RANGE}"]),
        (
            {"ports": [{"containerPort": 1, "name": "a"}, {"containerPort": 2, "name": "a"}]},
            ['ports[1].name: Duplicate value: "a"'],
        ),
        (
            {"ports": [{"containerPort": 1, "hostPort": 9}, {"containerPort": 2, "hostPort": 9}]},
            ['ports[1].hostPort: Duplicate value: "TCP//9"'],
        ),
        (
            {"ports": [{"containerPort": 1, "protocol": "ICMP"}]},
            ['ports[0].protocol: Unsupported value: "ICMP": supported values: "SCTP", "TCP", "UDP"'],
        ),
        ({"env": [{"value": "v"}]}, ["env[0].name: Required value"]),
        (
            {"env": [{"name": "A", "valueFrom": {}}]},
            [
                'env[0].valueFrom: Invalid value: "": must specify one of: `fieldRef`, `resourceFieldRef`, '
                "`configMapKeyRef` or `secretKeyRef`"
            ],
        ),
        (
            {"env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "spec.color"}}}]},
            [
                'env[0].valueFrom.fieldRef.fieldPath: Invalid value: "spec.color": error converting fieldPath: field '
                "label not supported: spec.color"
            ],
        ),
        (
            {"env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "m"}}}]},
            ["env[0].valueFrom.configMapKeyRef.key: Required value"],
        ),
        ({"envFrom": [{"configMapRef": {}}]}, ["envFrom[0].configMapRef.name: Required value"]),
        (
            {"volumeMounts": [{"name": "nov", "mountPath": "/x"}]},
            ['volumeMounts[0].name: Not found: "nov"'],
        ),
        (
            {"resources": {"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}},
            ['resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1'],
        ),
        (
            {"resources": {"requests": {"foo": "1"}}},
            [
                'resources.requests[foo]: Invalid value: "foo": must be a standard resource type or fully qualified',
                'resources.requests[foo]: Invalid value: "foo": must be a standard resource for containers',
            ],
        ),
        (
            {"resources": {"requests": {"a.com/gpu": "1"}}},
            ["resources.limits: Required value: Limit must be set for non overcommitable resources"],
        ),
        ({"livenessProbe": {}}, ["livenessProbe: Required value: must specify a handler type"]),
        (
            {"livenessProbe": {"exec": {"command": ["a"]}, "successThreshold": 2}},
            ["livenessProbe.successThreshold: Invalid value: 2: must be 1"],
        ),
        (
            {"readinessProbe": {"tcpSocket": {"port": 0}}},
            [f"readinessProbe.tcpSocket.port: Invalid value: 0: {RANGE}"],
        ),
        ({"lifecycle": {"preStop": {"exec": {}}}}, ["lifecycle.preStop.exec.command: Required value"]),
        (
            {"securityContext": {"runAsUser": -1}},
            ["securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive"],
        ),
    ],
)
def test_container(build: Build, create: Create, container: Obj, expected: list[str]) -> None:
    assert create(pod(build, container)) == [f"spec.containers[0].{text}" for text in expected]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"volumes": [{"name": "v", "secret": {}}]}, ["volumes[0].secret.secretName: Required value"]),
        (
            {"volumes": [{"name": "v", "emptyDir": {}, "hostPath": {"path": "/a"}}]},
            ["volumes[0].hostPath: Forbidden: may not specify more than 1 volume type"],
        ),
        ({"volumes": [{"name": "v"}, {"name": "v"}]}, ['volumes[1].name: Duplicate value: "v"']),
        (
            {"volumes": [{"name": "v", "configMap": {"name": "m", "items": [{"key": "k", "path": "../a"}]}}]},
            [
                "volumes[0].configMap.items[0].path: Invalid value: \"../a\": must not start with '..'",
                "volumes[0].configMap.items[0].path: Invalid value: \"../a\": must not contain '..'",
            ],
        ),
        (
            {"initContainers": [{"name": "c", "image": "b"}]},
            ['initContainers[0].name: Duplicate value: "c"'],
        ),
        (
            {"initContainers": [{"name": "i", "image": "b", "livenessProbe": {"tcpSocket": {"port": 1}}}]},
            [
                "initContainers[0].livenessProbe: Forbidden: may not be set for init containers without "
                "restartPolicy=Always"
            ],
        ),
        (
            {"tolerations": [{"operator": "Equal"}]},
            [
                'tolerations[0].operator: Invalid value: "Equal": operator must be Exists when `key` is empty, which '
                'means \\"match all values and all keys\\"'.replace('\\"', '"')
            ],
        ),
        (
            {"topologySpreadConstraints": [{"maxSkew": 0, "topologyKey": "a", "whenUnsatisfiable": "DoNotSchedule"}]},
            ["topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero"],
        ),
        (
            {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {}}}},
            [
                "affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms: Required "
                "value: must have at least one node selector term"
            ],
        ),
        ({"dnsPolicy": "None"}, ["dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None"]),
        (
            {"hostAliases": [{"ip": "x"}]},
            [
                'hostAliases[0].ip: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
            ],
        ),
        (
            {"ephemeralContainers": [{"name": "e", "image": "b"}]},
            ["ephemeralContainers: Forbidden: cannot be set on create"],
        ),
        (
            {"nodeName": "n", "schedulingGates": [{"name": "a.b/c"}]},
            ["nodeName: Forbidden: cannot be set until all schedulingGates have been cleared"],
        ),
    ],
)
def test_spec(build: Build, create: Create, spec: Obj, expected: list[str]) -> None:
    assert create(pod(build, **spec)) == [f"spec.{text}" for text in expected]


def test_order_of_several_errors(build: Build, create: Create) -> None:
    containers = [{"name": "c"}, {"image": "b"}, {"name": "c", "image": "b", "imagePullPolicy": "Sometimes"}]
    assert create(build("Pod", spec={"containers": containers, "restartPolicy": "Maybe"})) == [
        "spec.containers[0].image: Required value",
        "spec.containers[1].name: Required value",
        'spec.containers[2].imagePullPolicy: Unsupported value: "Sometimes": supported values: "Always", '
        '"IfNotPresent", "Never"',
        'spec.containers[2].name: Duplicate value: "c"',
        'spec.restartPolicy: Unsupported value: "Maybe": supported values: "Always", "OnFailure", "Never"',
    ]


EPHEMERAL = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
AZURE = {"diskName": "d", "diskURI": "https://a/b"}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ({"azureDisk": AZURE}, []),
        (
            {"azureDisk": {"diskName": "d", "diskURI": "https://a/b", "cachingMode": "All", "kind": "Shared"}},
            ['azureDisk.cachingMode: Unsupported value: "All": supported values: "None", "ReadOnly", "ReadWrite"'],
        ),
        (
            {"azureDisk": AZURE | {"kind": "Managed"}},
            [
                'azureDisk.diskURI: Unsupported value: "https://a/b": supported values: "/subscriptions/{sub-id}/'
                'resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}"'
            ],
        ),
        (
            {"image": {"reference": "a:1", "pullPolicy": "Often"}},
            ['image.pullPolicy: Unsupported value: "Often": supported values: "Always", "IfNotPresent", "Never"'],
        ),
        ({"ephemeral": {"volumeClaimTemplate": {"metadata": {"labels": {"a": "b"}}, "spec": EPHEMERAL}}}, []),
        ({"ephemeral": {}}, ["ephemeral.volumeClaimTemplate: Required value"]),
        (
            {
                "ephemeral": {
                    "volumeClaimTemplate": {"metadata": {"name": "n"}, "spec": EPHEMERAL | {"accessModes": []}}
                }
            },
            [
                "ephemeral.volumeClaimTemplate.metadata.name: Forbidden: cannot be set",
                "ephemeral.volumeClaimTemplate.spec.accessModes: Required value: at least 1 access mode is required",
            ],
        ),
    ],
)
def test_volume_sources(build: Build, create: Create, source: Obj, expected: list[str]) -> None:
    made = pod(build, volumes=[{"name": "v", **source}])
    assert create(made) == [f"spec.volumes[0].{text}" for text in expected]


@pytest.mark.parametrize(
    ("kind", "source"),
    [("azureDisk", "AzureDisk"), ("iscsi", "ISCSI"), ("rbd", "RBD"), ("scaleIO", "ScaleIO")],
)
def test_a_disk_is_what_the_definitions_say_by_default(build: Build, create: Create, kind: str, source: str) -> None:
    facts = definitions.facts()[f"io.k8s.api.core.v1.{source}VolumeSource"]
    expected = {k: f["default"] for k, f in facts.items() if f.get("default") or f.get("default") is False}
    for owner in (
        build("Pod", spec={"volumes": [{"name": "v", kind: {}}]}),
        build("PersistentVolume", spec={kind: {}}),
    ):
        create(owner)
        spec = owner["spec"]
        assert (spec["volumes"][0] if "volumes" in spec else spec)[kind] == expected


@pytest.mark.parametrize(
    ("mount", "expected"),
    [
        ({"readOnly": True, "recursiveReadOnly": "IfPossible"}, []),
        ({"recursiveReadOnly": "Disabled"}, []),
        (
            {"recursiveReadOnly": "Enabled", "mountPropagation": "HostToContainer"},
            [
                "recursiveReadOnly: Forbidden: may only be specified when readOnly is true",
                "recursiveReadOnly: Forbidden: may only be specified when mountPropagation is None or not specified",
            ],
        ),
        (
            {"readOnly": True, "recursiveReadOnly": "Often"},
            ['recursiveReadOnly: Unsupported value: "Often": supported values: "Disabled", "Enabled", "IfPossible"'],
        ),
        (
            {"mountPropagation": "Bidirectional"},
            ["mountPropagation: Forbidden: Bidirectional mount propagation is available only to privileged containers"],
        ),
    ],
)
def test_how_a_volume_is_mounted(build: Build, create: Create, mount: Obj, expected: list[str]) -> None:
    container = {"volumeMounts": [{"name": "v", "mountPath": "/v", **mount}]}
    made = pod(build, container, volumes=[{"name": "v", "emptyDir": {}}])
    assert create(made) == [f"spec.containers[0].volumeMounts.{text}" for text in expected]


def test_all_of_proc_needs_a_user_namespace(build: Build, create: Create) -> None:
    container = {"securityContext": {"procMount": "Unmasked"}}
    text = 'procMount: Invalid value: "Unmasked": `hostUsers` must be false to use `Unmasked`'
    assert create(pod(build, container)) == [f"spec.containers[0].securityContext.{text}"]
    assert create(pod(build, container, hostUsers=False)) == []

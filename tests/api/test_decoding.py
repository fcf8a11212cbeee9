"""What a strict Go decoder says of objects, and what it leaves of them."""

from __future__ import annotations

from typing import Any

import pytest

from kubelearn.api import decoding, schema
from kubelearn.api.quantity import FORMAT_WRONG

CONTAINER = {"name": "c", "image": "i"}


def pod(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": {"containers": [CONTAINER], **spec}}


def check(obj: dict[str, Any]) -> decoding.Check:
    group, _, version = obj["apiVersion"].rpartition("/")
    return schema.check(obj, group, version, obj["kind"])


@pytest.mark.parametrize(
    ("obj", "error"),
    [
        (pod(terminationGracePeriodSeconds="x"),
         "json: cannot unmarshal string into Go struct field PodSpec.spec.terminationGracePeriodSeconds of type int64"),
        (pod(terminationGracePeriodSeconds=1.5),
         "json: cannot unmarshal number 1.5 into Go struct field PodSpec.spec.terminationGracePeriodSeconds of type "
         "int64"),
        (pod(restartPolicy=1),
         "json: cannot unmarshal number into Go struct field PodSpec.spec.restartPolicy of type v1.RestartPolicy"),
        (pod(containers={}),
         "json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container"),
        (pod(containers=[{"name": "c", "env": [{"name": "A", "value": 1}]}]),
         "json: cannot unmarshal number into Go struct field EnvVar.spec.containers.env.value of type string"),
        (pod(containers=[{"name": "c", "resources": {"limits": {"memory": "12XB"}}}]), FORMAT_WRONG),
        ({"apiVersion": "v1", "kind": "Pod", "spec": "x"},
         "json: cannot unmarshal string into Go struct field Pod.spec of type v1.PodSpec"),
        ({"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": 1}},
         "json: cannot unmarshal number into Go struct field ConfigMap.data of type string"),
        ({"apiVersion": "v1", "kind": "Secret", "data": {"a": "***"}}, "illegal base64 data at input byte 0"),
        ({"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"selector": {"matchLabels": {"app": True}}}},
         "json: cannot unmarshal bool into Go struct field LabelSelector.spec.selector.matchLabels of type string"),
        ({"apiVersion": "v1", "kind": "Service", "spec": {"ports": [{"targetPort": True}]}},
         "json: cannot unmarshal bool into Go value of type int32"),
        ({"apiVersion": "v1", "kind": "Pod", "metadata": {"creationTimestamp": "yesterday"}},
         'parsing time "yesterday" as "2006-01-02T15:04:05Z07:00": cannot parse "yesterday" as "2006"'),
    ],
)  # fmt: skip
def test_type_errors(obj: dict[str, Any], error: str) -> None:
    assert check(obj).errors == [error]


def test_only_the_first_type_error_counts() -> None:
    assert len(check(pod(hostNetwork="a", dnsPolicy=2)).errors) == 1


def test_unknown_fields_in_document_order() -> None:
    obj = pod(colour="red", containers=[CONTAINER, CONTAINER | {"imagee": "y"}]) | {"extra": 1}
    found = check(obj)
    assert found.unknown == [
        'unknown field "spec.containers[1].imagee"',
        'unknown field "spec.colour"',
        'unknown field "extra"',
    ]
    assert found.message("Pod", "v1").startswith(
        'Pod in version "v1" cannot be handled as a Pod: strict decoding error: unknown field "spec.'
    )


def test_normalize_leaves_what_go_would_write() -> None:
    obj = pod(containers=[CONTAINER | {"command": [], "resources": {"requests": {"cpu": 0.5, "memory": "1024Mi"}}}])
    obj["metadata"] |= {"labels": {}, "colour": "red", "creationTimestamp": "2026-01-02T04:04:05.5+01:00"}
    obj["spec"]["nodeName"] = None
    out, _ = schema.normalize(obj, "", "v1", "Pod")
    assert out["metadata"] == {"name": "x", "creationTimestamp": "2026-01-02T03:04:05Z"}
    assert out["spec"] == {"containers": [CONTAINER | {"resources": {"requests": {"cpu": "500m", "memory": "1Gi"}}}]}
    assert obj["metadata"]["colour"] == "red"


def test_complete_writes_zero_values() -> None:
    obj = pod()
    obj["status"] = {"conditions": [{"type": "Ready", "status": "True"}]}
    schema.complete(obj, "", "v1", "Pod")
    assert obj["spec"]["containers"][0]["resources"] == {}
    assert obj["status"]["conditions"][0]["lastProbeTime"] is None
    deployment: dict[str, Any] = {}
    schema.complete(deployment, "apps", "v1", "Deployment")
    assert deployment["status"] == {}
    assert deployment["spec"] == {"strategy": {}, "template": {"metadata": {}, "spec": {}}}


def test_unknown_kinds_pass() -> None:
    obj = {"apiVersion": "example.com/v1", "kind": "Widget", "anything": 1}
    assert schema.normalize(obj, "example.com", "v1", "Widget") == (obj, decoding.Check())


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("", None), ("YQ==", None), ("YWI=", None), ("YW\nJj", None), ("Y*==", 1), ("YQ", 0), ("YQ=", 3), ("YQ=a", 2),
        ("YQ==YQ==", 4), ("=YQ=", 0), ("YWJjZ", 4), ("YWJj Z", 4),
    ],
)  # fmt: skip
def test_base64_offsets(text: str, at: int | None) -> None:
    assert decoding.base64_error(text) == at


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("2026-01-02T03:04:05Z", ""), ("2026-01-02T03:04:05.123+02:00", ""),
        ("2026-13-02T03:04:05Z", 'parsing time "2026-13-02T03:04:05Z": month out of range'),
        ("2026-01-02", 'parsing time "2026-01-02" as "2006-01-02T15:04:05Z07:00": cannot parse "" as "T"'),
        ("2026-01-02T03:04:05Zx", 'parsing time "2026-01-02T03:04:05Zx": extra text: "x"'),
    ],
)  # fmt: skip
def test_times(text: str, error: str) -> None:
    assert decoding.time_error(text) == error

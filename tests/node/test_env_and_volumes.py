from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from kubelearn.api.cri import Mount, VolumeFile
from kubelearn.api.resource import Resource
from kubelearn.node.kubelet import env
from kubelearn.node.kubelet.places import MountError, Place, places
from kubelearn.node.kubelet.volumes import Files, Volumes, memory_volumes, mounts

DATA = {
    ("configmap", "conf"): {"colour": b"teal", "not an env!": b"x", "bin": b"\xff\x00"},
    ("secret", "sec"): {"password": b"s3cret"},
}
POD: dict[str, Any] = {
    "metadata": {"name": "p", "namespace": "default", "uid": "u", "labels": {"app": "web", "b": 'q"'}},
    "spec": {
        "nodeName": "n",
        "containers": [{"name": "c", "resources": {"limits": {"cpu": "1500m", "memory": "64Mi"}}}],
    },
}


async def lookup(kind: str, name: str) -> Mapping[str, bytes] | None:
    return DATA.get((kind, name))


async def token(audience: str, seconds: int) -> str:
    return f"token {audience} {seconds}"


async def environment(**container: Any) -> dict[str, str]:
    spec = {"name": "c", **container}
    return await env.environment(POD, spec, "10.244.1.2", "10.244.0.2", [], lookup)


def ref(kind: str, name: str, key: str, **more: Any) -> dict[str, Any]:
    return {"valueFrom": {kind: {"name": name, "key": key, **more}}}


async def test_references_and_expansion() -> None:
    found = await environment(
        envFrom=[{"configMapRef": {"name": "conf"}, "prefix": "CM_"}],
        env=[
            {"name": "A", "value": "1"},
            {"name": "B", "value": "$(A)-$$(A)-$(NO)"},
            {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
            {"name": "APP", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['app']"}}},
            {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
            {"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}},
            {"name": "MEM", "valueFrom": {"resourceFieldRef": {"resource": "limits.memory", "divisor": "1Mi"}}},
            {"name": "P", **ref("secretKeyRef", "sec", "password")},
            {"name": "GONE", **ref("configMapKeyRef", "none", "x", optional=True)},
        ],
    )
    assert found.pop("CM_bin")
    assert found == {
        "CM_colour": "teal",
        "A": "1",
        "B": "1-$(A)-$(NO)",
        "POD": "p",
        "APP": "web",
        "IP": "10.244.1.2",
        "CPU": "2",
        "MEM": "64",
        "P": "s3cret",
    }


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (ref("configMapKeyRef", "none", "x"), 'configmap "none" not found'),
        (ref("secretKeyRef", "sec", "x"), "couldn't find key x in Secret default/sec"),
    ],
)
async def test_what_is_missing_is_named(entry: dict[str, Any], words: str) -> None:
    with pytest.raises(env.ConfigError, match=words):
        await environment(env=[{"name": "X", **entry}])


def test_service_variables() -> None:
    service = {
        "metadata": {"name": "my-web"},
        "spec": {"clusterIP": "10.96.0.7", "ports": [{"name": "http", "port": 80, "protocol": "TCP"}]},
    }
    found = env.service_variables([service, {"metadata": {"name": "h"}, "spec": {"clusterIP": "None", "ports": []}}])
    assert found["MY_WEB_SERVICE_HOST"] == "10.96.0.7"
    assert found["MY_WEB_SERVICE_PORT_HTTP"] == "80"
    assert found["MY_WEB_PORT_80_TCP"] == "tcp://10.96.0.7:80"
    assert not any(k.startswith("H_") for k in found)


def pod_with(*given: dict[str, Any]) -> dict[str, Any]:
    return {**POD, "spec": {**POD["spec"], "volumes": list(given)}}


async def content(*given: dict[str, Any]) -> dict[str, Files | None]:
    return await Volumes(pod_with(*given), lookup, token).content()


async def test_files_carry_bytes_one_to_one() -> None:
    items = [{"key": "bin", "path": "d/b"}]
    found = await content({"name": "v", "configMap": {"name": "conf", "items": items, "defaultMode": 0o400}})
    assert found == {"v": {"d/b": VolumeFile(b"\xff\x00", 0o400)}}


async def test_projected_volumes_hold_the_token() -> None:
    sources = [
        {"serviceAccountToken": {"path": "token", "expirationSeconds": 3607}},
        {"secret": {"name": "sec"}},
        {"downwardAPI": {"items": [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]}},
    ]
    found = await content({"name": "v", "projected": {"sources": sources}}, {"name": "e", "emptyDir": {}})
    assert {path: file.data for path, file in (found["v"] or {}).items()} == {
        "token": b"token  3607",
        "password": b"s3cret",
        "labels": b'app="web"\nb="q\\""',
    }
    assert found["e"] is None


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ({"configMap": {"name": "none"}}, 'volume "v" : configmap "none" not found'),
        ({"nfs": {"path": "/"}}, "volumes of type nfs are not supported"),
        ({"secret": {"secretName": "sec", "items": [{"key": "k", "path": "k"}]}}, "non-existent secret key: k"),
    ],
)
async def test_what_cannot_be_mounted_says_so(source: dict[str, Any], words: str) -> None:
    with pytest.raises(MountError, match=words):
        await content({"name": "v", **source})


def test_mounts_name_a_volume_and_a_path_in_it() -> None:
    pod = pod_with({"name": "v", "emptyDir": {}})
    container = {"volumeMounts": [{"name": "v", "mountPath": "/x", "readOnly": True, "subPathExpr": "logs/$(POD)/"}]}
    assert mounts(pod, container, {"POD": "web-1"}, {}) == [Mount("v", "/x", True, "logs/web-1")]
    for wrong in ({"name": "w"}, {"name": "v", "subPath": "../etc"}, {"name": "v", "subPath": "/etc"}):
        with pytest.raises(env.ConfigError):
            mounts(pod, {"volumeMounts": [{"mountPath": "/x", **wrong}]}, {}, {})


def claimed(phase: str = "Bound", **source: Any) -> dict[str, dict[str, Any]]:
    volume = {
        "metadata": {"name": "pv"},
        "spec": source or {"hostPath": {"path": "/data", "type": "DirectoryOrCreate"}},
    }
    claim = {"metadata": {"name": "c"}, "spec": {"volumeName": "pv"}, "status": {"phase": phase}}
    return {"c": claim, "pv": volume}


async def placed(volume: dict[str, Any], **objects: Any) -> Place:
    async def find(resource: Resource, name: str, namespace: str) -> dict[str, Any] | None:
        found: dict[str, Any] | None = objects.get(name)
        return found

    return (await places(pod_with({"name": "v", **volume}), find))["v"]


CLAIM = {"persistentVolumeClaim": {"claimName": "c", "readOnly": True}}


async def test_places_on_the_nodes_disk() -> None:
    assert await placed({"hostPath": {"path": "/x"}}) == Place("/x", "")
    assert await placed(CLAIM, **claimed()) == Place("/data", "DirectoryOrCreate", True)
    assert await placed(CLAIM, **claimed(local={"path": "/mnt"})) == Place("/mnt", "Directory", True)


@pytest.mark.parametrize(
    ("objects", "words"),
    [
        (
            {},
            'error processing PVC default/c: failed to fetch PVC from API server: persistentvolumeclaims "c" not found',
        ),
        (claimed("Pending"), "failed to process volumes=\\[v\\]: error processing PVC default/c: PVC is not bound"),
        (claimed(nfs={"path": "/"}), "PersistentVolume pv is of a type that this kubelet does not support"),
        (claimed(hostPath={"path": "/a/../../etc"}), "must not contain '..'"),
    ],
)
async def test_a_claim_that_cannot_be_mounted_says_so(objects: dict[str, Any], words: str) -> None:
    with pytest.raises(MountError, match=words):
        await placed(CLAIM, **objects)


def test_a_place_is_mounted_by_its_path_on_the_disk() -> None:
    pod = pod_with({"name": "v", **CLAIM})
    container = {"volumeMounts": [{"name": "v", "mountPath": "/x", "subPath": "logs"}]}
    assert mounts(pod, container, {}, {"v": Place("/data/", "", True)}) == [Mount("v", "/x", True, "data/logs", True)]


def test_volumes_in_memory_have_a_size() -> None:
    pod = pod_with({"name": "v", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}}, {"name": "w", "emptyDir": {}})
    assert memory_volumes(pod) == {"v": 1 << 20}


def test_a_limit_that_is_not_set_is_what_the_node_has() -> None:
    pod = pod_with({"name": "v", "emptyDir": {}})
    box = {"name": "other", "resources": {"limits": {"cpu": "1500m"}}}
    node = {"cpu": "4", "memory": "2048Ki"}
    assert env.resource_value({"resource": "limits.cpu"}, pod, box, node) == "2"
    assert env.resource_value({"resource": "limits.memory", "divisor": "1Mi"}, pod, box, node) == "2"
    assert env.resource_value({"resource": "requests.cpu"}, pod, box, node) == "0"

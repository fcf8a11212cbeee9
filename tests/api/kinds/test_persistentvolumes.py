"""PersistentVolumes and their claims."""

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


def volume(build: Build, **spec: Any) -> Obj:
    given: Obj = {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/d"}}
    return build("PersistentVolume", spec=given | spec)


def claim(build: Build, **spec: Any) -> Obj:
    given: Obj = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    return build("PersistentVolumeClaim", spec=given | spec)


def test_volume_defaults(build: Build, create: Create) -> None:
    obj = volume(build)
    assert create(obj) == []
    assert (obj["spec"]["persistentVolumeReclaimPolicy"], obj["spec"]["volumeMode"]) == ("Retain", "Filesystem")
    assert obj["metadata"]["finalizers"] == ["kubernetes.io/pv-protection"]
    assert obj["status"]["phase"] == "Pending"


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"accessModes": []}, ["spec.accessModes: Required value"]),
        ({"accessModes": ["Odd"]},
         ['spec.accessModes: Unsupported value: "Odd": supported values: "ReadOnlyMany", "ReadWriteMany", '
          '"ReadWriteOnce", "ReadWriteOncePod"']),
        ({"accessModes": ["ReadWriteOncePod", "ReadWriteOnce"]},
         ["spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes"]),
        ({"capacity": None},
         ["spec.capacity: Required value", 'spec.capacity: Unsupported value: null: supported values: "storage"']),
        ({"capacity": {"storage": "0"}}, ['spec.capacity[storage]: Invalid value: "0": must be greater than zero']),
        ({"hostPath": None}, ["spec: Required value: must specify a volume type"]),
        ({"nfs": {"server": "s", "path": "/p"}}, ["spec.nfs: Forbidden: may not specify more than 1 volume type"]),
        ({"persistentVolumeReclaimPolicy": "Recycle", "hostPath": {"path": "/"}},
         ["spec.persistentVolumeReclaimPolicy: Forbidden: may not be 'recycle' for a hostPath mount of '/'"]),
        ({"nodeAffinity": {}},
         ["spec.nodeAffinity.required: Required value: must specify required node constraints"]),
    ],
)  # fmt: skip
def test_invalid_volume(build: Build, create: Create, spec: Obj, expected: list[str]) -> None:
    assert create(volume(build, **spec)) == expected


def test_a_volumes_source_is_immutable(build: Build, create: Create, update: Update) -> None:
    old = volume(build)
    create(old)
    new = copy.deepcopy(old)
    new["spec"]["hostPath"]["path"] = "/e"
    (error,) = update(new, old)
    assert error.startswith("spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after")


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"accessModes": []}, ["spec.accessModes: Required value: at least 1 access mode is required"]),
        ({"resources": {}}, ["spec.resources[storage]: Required value"]),
        ({"resources": {"requests": {"storage": "0"}}},
         ['spec.resources[storage]: Invalid value: "0": must be greater than zero']),
        ({"volumeMode": "Odd"},
         ['spec.volumeMode: Unsupported value: "Odd": supported values: "Block", "Filesystem"']),
    ],
)  # fmt: skip
def test_invalid_claim(build: Build, create: Create, spec: Obj, expected: list[str]) -> None:
    assert create(claim(build, **spec)) == expected


def test_only_a_bound_claim_grows(build: Build, create: Create, update: Update) -> None:
    old = claim(build)
    assert create(old) == []
    assert old["metadata"]["finalizers"] == ["kubernetes.io/pvc-protection"]
    new = copy.deepcopy(old)
    new["spec"]["resources"]["requests"]["storage"] = "2Gi"
    (error,) = update(copy.deepcopy(new), old)
    assert error.startswith(
        "spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName "
        "for bound claims\n"
    )
    old["status"] = {"phase": "Bound", "capacity": {"storage": "1Gi"}}
    new["status"] = copy.deepcopy(old["status"])
    assert update(new, old) == []
    new["spec"]["resources"]["requests"]["storage"] = "512Mi"
    assert update(new, old) == [
        "spec.resources.requests.storage: Forbidden: field can not be less than status.capacity"
    ]


def test_the_binder_writes_the_volumes_name_once(build: Build, create: Create, update: Update) -> None:
    old = claim(build)
    create(old)
    bound = copy.deepcopy(old)
    bound["spec"]["volumeName"] = "v"
    assert update(copy.deepcopy(bound), old) == []
    other = copy.deepcopy(bound)
    other["spec"]["volumeName"] = "w"
    assert [e.partition(":")[0] for e in update(other, bound)] == ["spec"]


def test_columns(build: Build, create: Create, kinds: dict[str, Kind]) -> None:
    obj = claim(build, volumeName="v", storageClassName="s")
    create(obj)
    obj["status"] = {"phase": "Bound", "capacity": {"storage": "1Gi"}, "accessModes": ["ReadOnlyMany", "ReadWriteOnce"]}
    row = table.render(kinds["PersistentVolumeClaim"].columns, [obj])["rows"][0]["cells"]
    assert row[1:7] == ["Bound", "v", "1Gi", "RWO,ROX", "s", "<unset>"]
    pv = volume(build, claimRef={"namespace": "n", "name": "c"})
    create(pv)
    row = table.render(kinds["PersistentVolume"].columns, [pv])["rows"][0]["cells"]
    assert row[1:8] == ["1Gi", "RWO", "Retain", "Pending", "n/c", "", "<unset>"]

"""StorageClasses and what CSI drivers leave behind."""

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


def test_storage_class(build: Build, create: Create, update: Update, kinds: dict[str, Kind]) -> None:
    assert create(build("StorageClass")) == ["provisioner: Required value"]
    old = build("StorageClass", provisioner="a.io/b")
    assert create(old) == []
    assert (old["reclaimPolicy"], old["volumeBindingMode"]) == ("Delete", "Immediate")
    new = copy.deepcopy(old) | {
        "provisioner": "a.io/c",
        "parameters": {"a": "b"},
        "volumeBindingMode": "WaitForFirstConsumer",
    }
    assert update(new, old) == [
        "parameters: Forbidden: updates to parameters are forbidden.",
        "provisioner: Forbidden: updates to provisioner are forbidden.",
        'volumeBindingMode: Invalid value: "WaitForFirstConsumer": field is immutable',
    ]
    old["metadata"]["annotations"] = {"storageclass.kubernetes.io/is-default-class": "true"}
    row = table.render(kinds["StorageClass"].columns, [old])["rows"][0]["cells"]
    assert row[:5] == ["x (default)", "a.io/b", "Delete", "Immediate", False]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"reclaimPolicy": "Recycle"},
         ['reclaimPolicy: Unsupported value: "Recycle": supported values: "Delete", "Retain"']),
        ({"volumeBindingMode": "Odd"},
         ['volumeBindingMode: Unsupported value: "Odd": supported values: "Immediate", "WaitForFirstConsumer"']),
        ({"parameters": {"": "x"}}, ['parameters: Invalid value: "": field can not be empty.']),
    ],
)  # fmt: skip
def test_invalid_storage_class(build: Build, create: Create, content: Obj, expected: list[str]) -> None:
    assert create(build("StorageClass", provisioner="a.io/b", **content)) == expected


def test_volume_attachment(build: Build, create: Create, update: Update) -> None:
    spec = {"attacher": "d.io", "nodeName": "n", "source": {}}
    assert create(build("VolumeAttachment", spec=spec)) == [
        "spec.source: Required value: must specify exactly one of inlineVolumeSpec and persistentVolumeName"
    ]
    old = build("VolumeAttachment", spec=spec | {"source": {"persistentVolumeName": "v"}})
    assert create(old) == []
    assert old["status"] == {"attached": False}
    new = copy.deepcopy(old)
    new["spec"]["nodeName"] = "m"
    assert [e.rpartition(": ")[2] for e in update(new, old)] == ["field is immutable"]


def test_csi_driver(build: Build, create: Create) -> None:
    obj = build("CSIDriver", spec={})
    assert create(obj) == []
    spec = obj["spec"]
    assert (spec["attachRequired"], spec["fsGroupPolicy"], spec["volumeLifecycleModes"]) == (
        True, "ReadWriteOnceWithFSType", ["Persistent"],
    )  # fmt: skip
    assert create(build("CSIDriver", spec={"volumeLifecycleModes": ["Odd"]})) == [
        'spec.volumeLifecycleModes: Unsupported value: "Odd": supported values: "Ephemeral", "Persistent"'
    ]


def test_csi_node(build: Build, create: Create, update: Update) -> None:
    assert create(build("CSINode", spec={"drivers": [{"name": "d"}]})) == ["spec.drivers[0].nodeID: Required value"]
    old = build("CSINode", spec={"drivers": [{"name": "d", "nodeID": "i"}]})
    assert create(old) == []
    new = copy.deepcopy(old)
    new["spec"]["drivers"][0]["nodeID"] = "j"
    assert [e.rpartition(": ")[2] for e in update(new, old)] == ["field is immutable"]


def test_csi_storage_capacity(build: Build, create: Create) -> None:
    assert create(build("CSIStorageCapacity")) == ["storageClassName: Required value"]
    assert create(build("CSIStorageCapacity", storageClassName="s", capacity="-1")) == [
        'capacity: Invalid value: "-1": must be greater than or equal to 0'
    ]

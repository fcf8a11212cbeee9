"""What must be there before a cluster is started: found by doctor, and by `up` before it writes anything."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from kubelearn.cluster import doctor, lifecycle
from kubelearn.cluster.state import ClusterFolder
from kubelearn.kit.errors import KubelearnError


class _Usage(NamedTuple):
    total: int
    used: int
    free: int


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KUBELEARN_HOME", str(tmp_path))
    return tmp_path


def up(home: Path) -> None:
    folder = ClusterFolder("c", home / "clusters" / "c")
    lifecycle.up(folder, lifecycle.Wanted(engine="process"), lambda _text: None)


def test_a_disk_that_is_nearly_full_is_said_before_anything_is_written(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: _Usage(2**30, 2**30 - 2**20, 2**20))
    with pytest.raises(KubelearnError, match="disk: 1 MiB free") as said:
        up(home)
    assert "free at least 500 MiB" in said.value.hint
    assert list(home.iterdir()) == []
    assert any(f.fatal and f.check == "disk" for f in doctor.examine())


def test_a_home_that_cannot_be_written_is_said(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(KubelearnError, match="is not writable") as said:
        up(home)
    assert "KUBELEARN_HOME" in said.value.hint

"""What `up` says of a store that cannot be had, before it writes anything."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

import pytest

from kubelearn.cluster import doctor, lifecycle, stores
from kubelearn.cluster.lifecycle import Wanted
from kubelearn.cluster.state import ClusterConfig, ClusterFolder
from kubelearn.kit.errors import KubelearnError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ClusterFolder:
    monkeypatch.setenv("KUBELEARN_HOME", str(tmp_path))
    return ClusterFolder("c", tmp_path / "clusters" / "c")


def up(folder: ClusterFolder, wanted: Wanted) -> None:
    lifecycle.up(folder, wanted, lambda _text: None)


def test_no_etcd_here(folder: ClusterFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    with pytest.raises(KubelearnError, match="there is no etcd program here") as said:
        up(folder, Wanted(engine="process", store="etcd"))
    assert "apt-get install etcd-server" in said.value.hint
    assert not folder.root.exists()
    assert any(f.check == "etcd" and f.ok for f in doctor.examine()), "nobody needs it yet"
    folder.write(ClusterConfig("c", "process", 1, "etcd", 244, 6443))
    (found,) = (f for f in doctor.examine() if f.check == "etcd")
    assert (found.ok, found.seen) == (False, "not found, but kept by cluster c")


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        (Wanted(engine="process", etcd_servers="https://a"), "--etcd-servers is for etcd only"),
        (Wanted(engine="process", store="etcd", etcd_cafile="ca"), "--etcd-cafile needs the servers"),
    ],
)
def test_options_that_do_not_go_together(folder: ClusterFolder, wanted: Wanted, says: str) -> None:
    with pytest.raises(KubelearnError, match=says):
        up(folder, wanted)
    assert not folder.root.exists()


async def test_certificates_that_are_not_there(folder: ClusterFolder, tmp_path: Path) -> None:
    config = ClusterConfig(
        "c", "process", 1, "etcd", 244, 6443, etcd_servers="https://127.0.0.1:1", etcd_cafile=str(tmp_path / "no.crt")
    )
    async with contextlib.AsyncExitStack() as stack:
        with pytest.raises(KubelearnError, match="certificates for etcd cannot be used"):
            await stores.open_store(folder, config, stack)

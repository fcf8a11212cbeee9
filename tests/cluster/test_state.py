import fcntl
import os
from pathlib import Path

import pytest

from kubelearn.cluster import state
from kubelearn.kit.errors import KubelearnError


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBELEARN_HOME", str(tmp_path / "home"))


def test_a_configuration_is_read_back() -> None:
    folder = state.ClusterFolder.of("local")
    config = state.ClusterConfig("local", "process", 2, "sqlite", 244, 6443)
    assert folder.read() is None
    folder.write(config)
    assert folder.read() == config
    assert state.clusters() == [folder]


@pytest.mark.parametrize("name", ["", "-x", "UPPER", "a/b", "..", "x" * 33])
def test_bad_names_are_refused(name: str) -> None:
    with pytest.raises(KubelearnError, match="not a cluster name"):
        state.ClusterFolder.of(name)


@pytest.mark.parametrize("content", ["{", "[]", '{"format": 99}', '{"format": 1, "what": 2}'])
def test_a_damaged_folder_says_how_to_go_on(content: str) -> None:
    folder = state.ClusterFolder.of("local")
    folder.root.mkdir(parents=True)
    (folder.root / "cluster.json").write_text(content)
    with pytest.raises(KubelearnError) as caught:
        folder.read()
    assert "kubelearn down --name local" in caught.value.hint


def test_whoever_holds_the_lock_is_the_daemon() -> None:
    folder = state.ClusterFolder.of("local")
    folder.root.mkdir(parents=True)
    assert folder.daemon_pid() is None
    folder.lock.write_text(str(os.getpid()))
    assert folder.daemon_pid() is None
    with folder.lock.open("r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert folder.daemon_pid() == os.getpid()


def test_address_plans_do_not_meet() -> None:
    first = state.free_second_octet()
    state.ClusterFolder.of("one").write(state.ClusterConfig("one", "process", 2, "sqlite", first, 1))
    assert state.free_second_octet() != first


def test_a_plan_is_held_by_one_until_he_lets_go() -> None:
    with state.AddressPlan.take() as first, state.AddressPlan.take() as second:
        assert first.octet != second.octet
        with state.AddressPlan(first.octet) as third:
            assert not third.held
    with state.AddressPlan(first.octet) as again:
        assert again.held

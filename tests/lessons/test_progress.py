"""How far a learner is survives processes, interruptions and people who edit the file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kubelearn.lessons.progress import Progress, load, record, save


def test_it_survives(tmp_path: Path) -> None:
    progress = Progress("services", 2, ["kubectl get pods"], {"stays": "1"}, 1, ["first-pod"], 77)
    save(tmp_path, progress)
    assert load(tmp_path) == progress
    assert [p.name for p in tmp_path.iterdir()] == ["progress.json"]


def test_nothing_saved_is_a_new_beginning(tmp_path: Path) -> None:
    assert load(tmp_path) == Progress()
    assert load(tmp_path / "nowhere") == Progress()


def test_a_file_of_an_earlier_version_is_read(tmp_path: Path) -> None:
    (tmp_path / "progress.json").write_text('{"lesson": "services", "step": 1, "finished": ["first-pod"]}')
    assert load(tmp_path) == Progress("services", 1, finished=["first-pod"])


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b"null",
        b'"services"',
        {"lesson": None},
        {"step": "2"},
        {"step": -1},
        {"step": True},
        {"hints": 1.5},
        {"commands": "kubectl get pods"},
        {"commands": [1]},
        {"answers": {"q": 2}},
        {"finished": {"first-pod": True}},
        {"enter": "services"},
        {"unknown": 1},
    ],
    ids=str,
)
def test_a_damaged_file_is_a_new_beginning(tmp_path: Path, damaged: bytes | dict[str, Any]) -> None:
    content = damaged if isinstance(damaged, bytes) else json.dumps(damaged).encode()
    (tmp_path / "progress.json").write_bytes(content)
    assert load(tmp_path) == Progress()
    save(tmp_path, Progress("services"))
    assert load(tmp_path).lesson == "services"


def test_an_interrupted_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path, Progress("services", 1))

    def power_cut(_self: Path, _target: Path) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(Path, "replace", power_cut)
    with pytest.raises(OSError, match="no space left"):
        save(tmp_path, Progress("services", 2))
    assert load(tmp_path).step == 1


def test_entering_a_step_forgets_what_counted_for_the_last(tmp_path: Path) -> None:
    progress = Progress("services", 1, ["kubectl get pods"], {"stays": "1"}, 2, ["first-pod"], 5)
    progress.enter("services", 2, 9)
    assert progress == Progress("services", 2, finished=["first-pod"], since=9)


def test_a_command_counts_while_a_lesson_is_on(tmp_path: Path) -> None:
    record(tmp_path, "kubectl get pods")
    assert not (tmp_path / "progress.json").exists()
    save(tmp_path, Progress())
    record(tmp_path, "kubectl get pods")
    assert load(tmp_path).commands == []
    save(tmp_path, Progress("first-pod", 1))
    record(tmp_path, "kubectl get pods -o wide")
    record(tmp_path, "kubectl logs hello")
    assert load(tmp_path).commands == ["kubectl get pods -o wide", "kubectl logs hello"]

"""Lessons and the demo as processes on a real cluster: exit status, bounded time, Ctrl-C, no terminal needed."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from support.clusters import Cluster, eventually, start

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    cluster = start("process", tmp_path_factory.mktemp("home"), "lessons", nodes=2)
    yield cluster
    assert cluster.command("down").code == 0


@pytest.fixture
def cordoned(cluster: Cluster) -> Iterator[Cluster]:
    for node in ("worker-1", "worker-2"):
        assert cluster.k("cordon", node).code == 0
    yield cluster
    for node in ("worker-1", "worker-2"):
        assert cluster.k("uncordon", node).code == 0


def pods(cluster: Cluster) -> list[str]:
    return [p["metadata"]["name"] for p in cluster.get("pods")["items"]]


def test_the_demo_plays_without_a_terminal(cluster: Cluster) -> None:
    done = cluster.command("demo", "--nodes", "2")
    assert done.code == 0, done.out + done.err
    for expected in (
        "❯ kubectl run hello --image=kubelearn/web:v1\npod/hello created",
        "✔ pod hello .status.phase = Running",
        "❯ kubectl exec duo -c web -- cat data/message\nwritten by the other container",
        "worker-2  Ready",
        "❯ kubelearn why pod/duo",
        "kubectl apply -f duo.yaml",
        "kube-scheduler",
        "kubelet-worker-",
        "✔ every check passed",
    ):
        assert expected in done.out
    assert pods(cluster) == []


def test_where_nothing_can_run_the_demo_gives_up_in_time(cordoned: Cluster) -> None:
    began = time.monotonic()
    done = cordoned.command("demo", "--timeout", "3")
    assert time.monotonic() - began < 30
    assert done.code == 1
    assert "✗ seen: pod hello .status.phase = Pending; wanted: Running" in done.out
    assert "✗ gave up at step run" in done.out
    assert "Unschedulable" in done.out, "the causal chain says why"
    assert "unschedulab✗" not in done.out, "the verdicts stand in columns"
    assert pods(cordoned) == []


@pytest.mark.parametrize("command", ["demo", "lesson"])
def test_ctrl_c_clears_away(cordoned: Cluster, command: str) -> None:
    arguments = ["demo"] if command == "demo" else ["lesson", "verify", "first-pod"]
    argv = [sys.executable, "-m", "kubelearn", *arguments, "--name", cordoned.name]
    process = subprocess.Popen(argv, env=cordoned.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    eventually(lambda: pods(cordoned) == ["hello"], 30)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert err == ""
    assert pods(cordoned) == []


def test_a_lesson_is_done_with_commands(cluster: Cluster) -> None:
    assert cluster.command("lesson", "check").err == (
        "error: no lesson is begun\n  begin one with: kubelearn lesson start, or see: kubelearn lesson list\n"
    )
    assert cluster.command("lesson", "start", "first-pod").code == 0
    assert cluster.command("lesson", "answer", "2").code == 0
    assert cluster.k("run", "hello", "--image=kubelearn/web:v1").code == 0
    assert cluster.k("wait", "pod/hello", "--for=condition=Ready", "--timeout=60s").code == 0
    assert cluster.command("lesson", "next").code == 0
    assert cluster.k("get", "pod", "hello", "--output=wide").code == 0
    assert cluster.k("logs", "nobody").code == 1, "what fails does not count"
    checked = json.loads(cluster.command("lesson", "check", "--output", "json").out)
    assert [c["passed"] for c in checked["checks"]] == [True, False]
    assert cluster.k("logs", "hello").code == 0
    assert cluster.command("lesson", "check").code == 0
    done = cluster.command("lesson", "list")
    assert done.out.startswith("▶   1  first-pod")
    assert cluster.command("lesson", "start", "controllers").code == 0
    assert "hello" not in pods(cluster), "the lesson before is taken down"
    assert cluster.kubelearn("step", "replicaset-controller").code in (0, 1)
    assert cluster.k("delete", "deployment", "web").code == 0


def test_help_shows_examples_and_wrong_words_are_usage_errors(cluster: Cluster) -> None:
    for command in ("lesson", "demo", "graph"):
        done = cluster.command(command, "--help")
        assert done.code == 0
        assert f"examples:\n  kubelearn {command}" in done.out
    for wrong in (["lesson", "bogus"], ["lesson"], ["demo", "--timeout", "-1"], ["demo", "--lang", "fr"]):
        done = cluster.command(*wrong) if len(wrong) > 1 else cluster.command("lesson")
        assert done.code == 2, wrong
        assert "usage:" in done.err
    done = cluster.command("demo", "--lesson", "nope")
    assert (done.code, done.err) == (
        1,
        'error: no lesson "nope"\n  lessons: first-pod, controllers, node-failure, services\n',
    )


def test_a_terminal_shows_the_same(cluster: Cluster) -> None:
    master, slave = pty.openpty()
    argv = [sys.executable, "-m", "kubelearn", "lesson", "list", "--lang", "zh", "--name", cluster.name]
    done = subprocess.run(argv, env=cluster.env, stdin=slave, stdout=slave, stderr=slave, timeout=60, check=False)
    os.close(slave)
    shown = os.read(master, 10_000).decode()
    os.close(master)
    assert done.returncode == 0
    assert "你的第一个 Pod" in shown


def test_the_picture_as_it_was(cluster: Cluster) -> None:
    assert cluster.k("create", "deployment", "past", "--image=kubelearn/web:v1").code == 0
    revision = cluster.get("deployment", "past")["metadata"]["resourceVersion"]
    assert cluster.k("delete", "deployment", "past").code == 0
    assert "Deployment" not in cluster.command("graph", "--view", "ownership").out
    for at in (revision, f"r{revision}"):
        picture = cluster.command("graph", "--view", "ownership", "--at", at).out
        assert picture.startswith("Deployment ")
        assert " past " in picture
    future = cluster.command("graph", "--at", "999999999")
    assert (future.code, "Too large resource version: 999999999" in future.err) == (1, True)
    wrong = cluster.command("graph", "--at", "yesterday")
    assert (wrong.code, "yesterday is no revision" in wrong.err) == (2, True)


@pytest.mark.parametrize("view", ["architecture", "ownership", "traffic"])
@pytest.mark.parametrize("format", ["text", "svg", "mermaid", "dot", "json"])
def test_the_picture_in_every_view_and_format(cluster: Cluster, tmp_path: Path, view: str, format: str) -> None:
    file = tmp_path / "picture"
    printed = cluster.command("graph", "--view", view, "--format", format)
    written = cluster.command("graph", "--view", view, "--format", format, "--output", str(file))
    assert (printed.code, written.code, written.out) == (0, 0, "")
    text = file.read_text()
    assert text.endswith("\n")
    if format == "json":
        assert json.loads(text).keys() == json.loads(printed.out).keys()
    if format == "svg":
        assert ElementTree.fromstring(text).tag.endswith("svg")
    if view == "architecture":
        assert "worker-2" in text
    nowhere = cluster.command("graph", "--output", str(tmp_path / "no" / "folder"))
    assert nowhere.code == 1
    assert nowhere.err.startswith("error: ")

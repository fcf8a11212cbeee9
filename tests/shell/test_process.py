"""`kubelearn shell` as a process, on a real cluster: piped lines, `-c`, exit statuses, quoting."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
from support.clusters import Cluster, start

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    made = start("process", tmp_path_factory.mktemp("home-shell"), "shell-test", nodes=1)
    yield made
    made.command("down")


@pytest.mark.parametrize("line", ["get nodes", "kubectl get nodes", "k get no", "kubelearn kubectl get nodes"])
def test_one_line(cluster: Cluster, line: str) -> None:
    done = cluster.command("shell", "-c", line)
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[0].split() == ["NAME", "STATUS", "ROLES", "AGE", "VERSION"]
    assert done.out.splitlines()[1].split()[:2] == ["worker-1", "Ready"]


@pytest.mark.parametrize(
    ("line", "code", "message"),
    [
        ("get pod no-such", 1, 'Error from server (NotFound): pods "no-such" not found\n'),
        ("frobnicate", 1, 'error: unknown command "frobnicate" for "kubectl"'),
        ("get pods 'unclosed", 1, "error: No closing quotation\n"),
        ("", 0, ""),
        ("# only a remark", 0, ""),
    ],
)
def test_the_exit_status_is_the_commands(cluster: Cluster, line: str, code: int, message: str) -> None:
    done = cluster.command("shell", "-c", line)
    assert done.code == code
    assert done.err.startswith(message)


def test_quotes_keep_words_together(cluster: Cluster) -> None:
    line = "create configmap quoted --from-literal='greeting=hello   \"world\"' --dry-run=client -o jsonpath='{.data.greeting}'"
    assert cluster.command("shell", "-c", line).out == 'hello   "world"'


def test_piped_lines_run_one_after_another(cluster: Cluster) -> None:
    done = cluster.run(shell(cluster), "get nodes\nget pod no-such\nget ns default -o name\n")
    assert done.out.splitlines()[-1] == "namespace/default"
    assert "worker-1" in done.out
    assert done.err == 'Error from server (NotFound): pods "no-such" not found\n'
    assert done.code == 0, "the last command's"


def test_piped_input_tells_the_last_failure(cluster: Cluster) -> None:
    done = cluster.run(shell(cluster), "get nodes\nget pod no-such")
    assert done.code == 1


def test_lines_that_succeed_count_for_the_lesson_under_way(cluster: Cluster) -> None:
    assert cluster.command("lesson", "start", "first-pod").code == 0
    assert cluster.command("lesson", "answer", "2").code == 0
    assert cluster.command("shell", "-c", "run hello --image=kubelearn/web:v1").code == 0
    assert cluster.command("shell", "-c", "wait pod/hello --for=condition=Ready").code == 0
    assert cluster.command("lesson", "next").code == 0
    cluster.run(shell(cluster), "get pods -o wide --no-such-flag\nlogs hello\n")
    assert cluster.command("lesson", "check").code == 1, "a line that failed has shown nothing"
    cluster.run(shell(cluster), "get pods -o wide\n")
    assert cluster.command("lesson", "check").code == 0
    assert cluster.command("lesson", "reset").code == 0


def test_a_namespace_is_remembered_within_a_session(cluster: Cluster) -> None:
    lines = "config set-context --current --namespace=kube-system\nget serviceaccount default -o jsonpath={.metadata.namespace}\n"
    done = cluster.run(shell(cluster), lines)
    assert done.out.endswith("kube-system"), done.out + done.err


def shell(cluster: Cluster) -> list[str]:
    return [sys.executable, "-m", "kubelearn", "shell", "--name", cluster.name]

"""Nodes and the control plane die by SIGKILL; nothing answered is lost, nothing runs twice, `down` leaves nothing."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from pathlib import Path

import pytest
from support.clusters import ENGINES, Cluster, eventually, start


def condition(cluster: Cluster, node: str) -> str:
    for c in cluster.get("node", node)["status"].get("conditions", ()):
        if c["type"] == "Ready":
            return str(c["status"])
    return ""


def test_a_stopped_node_goes_unknown_and_its_pods_come_up_elsewhere(cluster: Cluster, namespace: str) -> None:
    manifest = (Path(__file__).parents[2] / "lessons" / "node-failure" / "web.yaml").read_text()
    assert cluster.kubectl("apply", "-n", namespace, "-f", "-", stdin=manifest).code == 0
    status = cluster.kubectl("rollout", "status", "deployment/web", "-n", namespace, "--timeout=60s")
    assert status.code == 0, status.err
    try:
        assert cluster.command("node", "stop", "worker-2").code == 0
        eventually(lambda: condition(cluster, "worker-2") == "Unknown")

        def elsewhere() -> bool:
            pods = cluster.get("pods", "-n", namespace)["items"]
            alive = [p for p in pods if not p["metadata"].get("deletionTimestamp")]
            running = [p["spec"].get("nodeName") for p in alive if p["status"].get("phase") == "Running"]
            return len(running) == 3 and "worker-2" not in running

        eventually(elsewhere)
    finally:
        assert cluster.command("node", "start", "worker-2").code == 0
    eventually(lambda: condition(cluster, "worker-2") == "True")


def pid_of(cluster: Cluster) -> int:
    return int(json.loads(cluster.command("status", "--output", "json").out)["pid"])


def test_the_control_plane_survives_kill_9(cluster: Cluster, namespace: str) -> None:
    n = ("-n", namespace)
    cluster.kubectl("create", "deployment", "web", "--image=kubelearn/web:v1", "--replicas=2", *n)
    assert cluster.kubectl("rollout", "status", "deployment/web", "--timeout=60s", *n).code == 0
    names = {p["metadata"]["name"] for p in cluster.get("pods", *n)["items"]}
    started = [p["status"]["containerStatuses"][0]["containerID"] for p in cluster.get("pods", *n)["items"]]
    assert cluster.kubectl("create", "configmap", "last-words", "--from-literal=a=b", *n).code == 0
    os.kill(pid_of(cluster), signal.SIGKILL)
    assert cluster.kubectl("get", "nodes", "--request-timeout=2s").code == 1
    assert cluster.command("up").code == 0
    assert cluster.get("configmap", "last-words", *n)["data"] == {"a": "b"}
    eventually(lambda: all(condition(cluster, f"worker-{i}") == "True" for i in (1, 2, 3)))
    pods = cluster.get("pods", *n)["items"]
    assert {p["metadata"]["name"] for p in pods} == names
    assert sorted(p["status"]["containerStatuses"][0]["containerID"] for p in pods) == sorted(started)
    assert {p["status"]["containerStatuses"][0]["restartCount"] for p in pods} == {0}


def test_a_second_up_says_so(cluster: Cluster) -> None:
    done = cluster.command("up")
    assert done.code == 0
    assert "already running" in done.out
    refused = cluster.command("up", "--nodes", "7")
    assert refused.code == 3
    assert "exists with nodes 3" in refused.err


@pytest.mark.parametrize("engine", ENGINES)
def test_down_leaves_nothing(engine: str, tmp_path: Path) -> None:
    cluster = start(engine, tmp_path / "home", f"gone-{engine}", nodes=1)
    cluster.kubectl("run", "web", "--image=kubelearn/web:v1")
    cluster.kubectl("wait", "pod/web", "--for=condition=Ready", "--timeout=60s")
    os.kill(pid_of(cluster), signal.SIGKILL)
    done = cluster.command("down")
    assert done.code == 0, done.err
    assert not (tmp_path / "home" / "clusters" / cluster.name).exists()
    processes = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert str(tmp_path) not in processes
    if engine == "docker":
        for what in (["ps", "-aq"], ["network", "ls", "-q"], ["volume", "ls", "-q"]):
            listed = subprocess.run(
                ["docker", *what, "--filter", f"label=kubelearn.dev/cluster={cluster.name}"],
                capture_output=True,
                text=True,
                check=True,
            )
            assert listed.stdout == "", what


@pytest.mark.e2e
def test_a_port_in_use_is_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        cluster = Cluster("busy", "process", tmp_path / "home")
        port = str(taken.getsockname()[1])
        done = cluster.command("up", "--engine", "process", "--nodes", "1", "--port", port)
    assert done.code == 1
    assert f"port {port} is in use" in done.err
    assert "Traceback" not in done.err
    assert cluster.command("down").code == 0

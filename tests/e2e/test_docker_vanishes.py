"""The Docker engine ends, or hangs, under a running cluster: the nodes say so, and all comes back by itself."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.clusters import Cluster, docker_works, eventually, start
from support.dockerd import Daemon, own_daemon

from kubelearn.engines import _docker_images

pytestmark = [pytest.mark.e2e, pytest.mark.docker]

NODES = ("worker-1", "worker-2")


@pytest.fixture(scope="module")
def daemon() -> Iterator[Daemon]:
    if not docker_works():
        pytest.skip("no Docker engine answers")
    _docker_images.build_images(lambda _: None)
    folder = Path(tempfile.mkdtemp(prefix="kl-"))  # short: a unix socket's path is at most 107 characters
    try:
        with own_daemon(folder) as made:
            made.copy_images([recipe.tag for recipe in _docker_images.recipes()])
            yield made
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def web(daemon: Daemon, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Two workers with a web server on each, and a pod that asks their Service."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCKER_HOST", daemon.host)
        cluster = start("docker", tmp_path_factory.mktemp("home"), "vanishing", nodes=2)
        try:
            cluster.kubectl("create", "deployment", "web", "--image=kubelearn/web:v1", "--replicas=2")
            cluster.kubectl("expose", "deployment", "web", "--port=80", "--target-port=8080")
            cluster.kubectl("run", "client", "--image=kubelearn/web:v1")
            eventually(lambda: answers(cluster))
            yield cluster
        finally:
            assert cluster.command("down").code == 0


def ready(cluster: Cluster) -> dict[str, dict[str, str]]:
    """The nodes' Ready conditions."""
    nodes = cluster.get("nodes")["items"]
    return {n["metadata"]["name"]: c for n in nodes for c in n["status"]["conditions"] if c["type"] == "Ready"}


def events(cluster: Cluster, reason: str) -> dict[str, str]:
    """What the nodes' newest events of that reason say."""
    found = cluster.get("events", f"--field-selector=involvedObject.kind=Node,reason={reason}")["items"]
    return {e["involvedObject"]["name"]: e["message"] for e in found}


def answers(cluster: Cluster) -> bool:
    """The Service, asked for from inside."""
    path = "/api/v1/namespaces/default/pods/client:8080/proxy/fetch?url=http%3A%2F%2Fweb%2F"
    return "Hello from web" in cluster.kubectl("get", "--raw", path, "--request-timeout=10s").out


def containers(cluster: Cluster) -> dict[str, tuple[str, int]]:
    pods: list[dict[str, Any]] = cluster.get("pods")["items"]
    statuses = {p["metadata"]["name"]: (p["status"].get("containerStatuses") or [{}])[0] for p in pods}
    return {name: (s.get("containerID", ""), s.get("restartCount", 0)) for name, s in statuses.items()}


def is_well(cluster: Cluster) -> bool:
    deployment = cluster.get("deployment", "web")["status"]
    nodes = ready(cluster).values()
    return all(c["status"] == "True" for c in nodes) and deployment.get("readyReplicas") == 2 and answers(cluster)


def log_lines(cluster: Cluster) -> int:
    return len((cluster.home / "clusters" / cluster.name / "logs" / "control-plane.log").read_text().splitlines())


def test_a_frozen_engine_makes_nodes_not_ready_and_disturbs_no_container(daemon: Daemon, web: Cluster) -> None:
    before, lines = containers(web), log_lines(web)
    daemon.freeze()
    try:
        eventually(lambda: {c["status"] for c in ready(web).values()} == {"False"})
        for condition in ready(web).values():
            assert condition["reason"] == "KubeletNotReady"
            assert condition["message"].startswith("container runtime is down: Docker does not answer")
        refused = web.command("node", "list")
        assert refused.code == 1
        assert "Docker does not answer" in refused.err
        assert "Docker does not answer" in web.command("status").out
    finally:
        daemon.thaw()
    eventually(lambda: is_well(web))
    assert containers(web) == before, "nothing was restarted"
    assert log_lines(web) - lines < 60, "an outage is told, not repeated"


def test_a_stopped_engine_takes_the_nodes_with_it_and_brings_them_back(daemon: Daemon, web: Cluster) -> None:
    lines = log_lines(web)
    daemon.stop()
    eventually(lambda: set(events(web, "ContainerRuntimeDown")) == set(NODES))
    assert "Docker is not running" in events(web, "ContainerRuntimeDown")["worker-1"]
    eventually(lambda: {c["status"] for c in ready(web).values()} == {"Unknown"})
    doctor = json.loads(web.run([*doctor_command(), "--output", "json"]).out)
    said = next(f for f in doctor if f["check"] == "engine docker")
    assert not said["ok"]
    assert "Docker is not running" in said["seen"]
    daemon.start()
    eventually(lambda: is_well(web), 120)
    assert set(events(web, "ContainerRuntimeBack")) == set(NODES)
    assert log_lines(web) - lines < 200, "an outage is told, not repeated"
    log = (web.home / "clusters" / web.name / "logs" / "control-plane.log").read_text()
    assert "Traceback" not in log, log[log.index("Traceback") - 500 :]


def doctor_command() -> list[str]:
    import sys

    return [sys.executable, "-m", "kubelearn", "doctor"]

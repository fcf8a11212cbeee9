"""A cluster that keeps its objects in an etcd of its own: the smoke test of workloads, and deaths of all concerned."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.clusters import Cluster, eventually, start
from support.etcd import etcd

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    if shutil.which("etcd") is None:
        if os.environ.get("KUBELEARN_CI"):
            pytest.fail("CI must have etcd (Debian: etcd-server)")
        pytest.skip("etcd is not installed")
    made = start("process", tmp_path_factory.mktemp("home-etcd"), "e2e-etcd", 2, "--store", "etcd")
    yield made
    made.command("down")


def folder(cluster: Cluster) -> Path:
    return cluster.home / "clusters" / cluster.name


def etcd_pid(cluster: Cluster) -> int:
    return int((folder(cluster) / "etcd" / "pid").read_text())


def running(cluster: Cluster) -> list[str]:
    listed = subprocess.run(["ps", "-ww", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if f"--data-dir={folder(cluster)}" in line]


def test_workloads_run_over_it(cluster: Cluster) -> None:
    assert json.loads(cluster.command("status", "--output", "json").out)["store"] == "etcd"
    assert cluster.kubectl("create", "deployment", "web", "--image=kubelearn/web:v1", "--replicas=3").code == 0
    assert cluster.kubectl("rollout", "status", "deployment/web", "--timeout=60s").code == 0
    assert cluster.kubectl("expose", "deployment", "web", "--port=80", "--target-port=8080").code == 0
    assert cluster.kubectl("set", "image", "deployment/web", "web=kubelearn/web:v2").code == 0
    assert cluster.kubectl("rollout", "status", "deployment/web", "--timeout=60s").code == 0
    proxy = "/api/v1/namespaces/default/services/web:80/proxy/version"
    eventually(lambda: cluster.kubectl("get", "--raw", proxy).code == 0)
    before = cluster.get("deployment", "web")["metadata"]["resourceVersion"]
    assert cluster.kubectl("scale", "deployment/web", "--replicas=1").code == 0
    eventually(lambda: len(cluster.get("pods", "-l", "app=web")["items"]) == 1)
    raw = f"/apis/apps/v1/deployments?resourceVersion={before}&resourceVersionMatch=Exact"
    past = json.loads(cluster.kubectl("get", "--raw", raw).out)
    assert [item["spec"]["replicas"] for item in past["items"]] == [3], "the past is there, too"
    assert "kubectl" in cluster.kubelearn("why", "deployment/web").out


def test_only_the_cluster_may_ask_it(cluster: Cluster) -> None:
    (line,) = running(cluster)
    url = next(word for word in line.split() if word.startswith("--listen-client-urls=")).partition("=")[2]
    assert url.startswith("https://127.0.0.1:")
    pki = folder(cluster) / "pki"
    argv = ["curl", "-sS", "--max-time", "5", "--cacert", str(pki / "etcd" / "ca.crt"), f"{url}/v3/kv/range"]
    for keys in ([], ["--cert", str(pki / "admin.crt"), "--key", str(pki / "admin.key")]):
        refused = subprocess.run([*argv, "-d", '{"key": "AA=="}', *keys], capture_output=True, text=True, check=False)
        assert refused.returncode != 0, refused.stdout


def test_it_is_started_again_when_it_dies(cluster: Cluster) -> None:
    before = etcd_pid(cluster)
    os.kill(before, signal.SIGKILL)
    done = cluster.kubectl("create", "configmap", "after-etcd")
    assert done.code == 0, done.err
    assert etcd_pid(cluster) != before
    assert cluster.kubectl("get", "configmap", "after-etcd").code == 0


def test_it_outlives_the_daemon_and_is_taken_over(cluster: Cluster) -> None:
    assert cluster.kubectl("create", "configmap", "last-words", "--from-literal=a=b").code == 0
    os.kill(int(json.loads(cluster.command("status", "--output", "json").out)["pid"]), signal.SIGKILL)
    assert len(running(cluster)) == 1, "etcd goes on"
    done = cluster.command("up")
    assert done.code == 0, done.err
    assert len(running(cluster)) == 1
    assert cluster.get("configmap", "last-words")["data"] == {"a": "b"}


def test_down_leaves_nothing_of_it(cluster: Cluster) -> None:
    os.kill(int(json.loads(cluster.command("status", "--output", "json").out)["pid"]), signal.SIGKILL)
    assert cluster.command("down").code == 0
    assert running(cluster) == []
    assert not folder(cluster).exists()


def test_servers_elsewhere(tmp_path: Path) -> None:
    with etcd(tmp_path) as real:
        cluster = start("process", tmp_path / "home", "e2e-servers", 1, "--store", "etcd", "--etcd-servers", real.url)
        try:
            assert not (folder(cluster) / "etcd").exists()
            refused = cluster.command("up", "--etcd-servers", "http://127.0.0.1:1")
            assert refused.code == 3
            assert f"exists with etcd_servers {real.url}" in refused.err
        finally:
            assert cluster.command("down").code == 0

"""A Deployment runs, is reached, scaled, rolled and mended, as real kubectl sees it, on both engines."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from support.clusters import Cluster, Done, eventually

MANIFESTS = Path(__file__).parent / "manifests"


def ready(cluster: Cluster, namespace: str, selector: str) -> list[str]:
    pods = cluster.get("pods", "-n", namespace, "-l", selector)["items"]
    return sorted(
        p["metadata"]["name"]
        for p in pods
        if not p["metadata"].get("deletionTimestamp")
        and any(c["type"] == "Ready" and c["status"] == "True" for c in p["status"].get("conditions", ()))
    )


def test_all_nodes_are_ready(cluster: Cluster) -> None:
    out = cluster.kubectl("get", "nodes").out
    assert [line.split()[1] for line in out.splitlines()[1:]] == ["Ready"] * 3


def test_a_deployment_runs_scales_and_rolls(cluster: Cluster, namespace: str) -> None:
    n = ("-n", namespace)
    assert cluster.kubectl("create", "deployment", "web", "--image=kubelearn/web:v1", "--replicas=3", *n).code == 0
    done = cluster.kubectl("rollout", "status", "deployment/web", "--timeout=60s", *n)
    assert done.code == 0, done.err
    nodes = {p["spec"]["nodeName"] for p in cluster.get("pods", *n)["items"]}
    assert len(nodes) == 3, "one replica on each of three nodes"
    assert cluster.kubectl("scale", "deployment/web", "--replicas=1", *n).code == 0
    eventually(lambda: len(ready(cluster, namespace, "app=web")) == 1)
    assert cluster.kubectl("set", "image", "deployment/web", "web=kubelearn/web:v2", *n).code == 0
    assert cluster.kubectl("rollout", "status", "deployment/web", "--timeout=60s", *n).code == 0
    images = {
        c["image"]
        for p in cluster.get("pods", *n)["items"]
        for c in p["spec"]["containers"]
        if not p["metadata"].get("deletionTimestamp")
    }
    assert images == {"kubelearn/web:v2"}
    history = cluster.kubectl("rollout", "history", "deployment/web", *n).out
    assert [line.split()[0] for line in history.splitlines()[2:] if line.strip()] == ["1", "2"]
    assert cluster.kubectl("rollout", "undo", "deployment/web", *n).code == 0
    assert cluster.kubectl("rollout", "status", "deployment/web", "--timeout=60s", *n).code == 0
    template = cluster.get("deployment", "web", *n)["spec"]["template"]
    assert template["spec"]["containers"][0]["image"] == "kubelearn/web:v1"


def test_a_deleted_pod_is_replaced(cluster: Cluster, namespace: str) -> None:
    n = ("-n", namespace)
    cluster.kubectl("create", "deployment", "web", "--image=kubelearn/web:v1", "--replicas=2", *n)
    before = eventually(lambda: (r := ready(cluster, namespace, "app=web")) and len(r) == 2 and r)
    assert cluster.kubectl("delete", "pod", before[0], *n).code == 0
    after = eventually(lambda: (r := ready(cluster, namespace, "app=web")) and len(r) == 2 and r)
    assert before[0] not in after
    assert before[1] in after


def _said(run: Callable[..., Done], *n: str) -> bool:
    return sorted(run("logs", "talker", *n).out.split()) == ["err", "out"]


def test_logs_and_exec(cluster: Cluster, namespace: str) -> None:
    n = ("-n", namespace)
    script = "echo out; echo err >&2; exec sleep 600"
    assert (
        cluster.kubectl(
            "run", "talker", "--image=kubelearn/busybox:1", "--restart=Never", *n, "--command", "--", "sh", "-c", script
        ).code
        == 0
    )
    assert cluster.kubectl("wait", "pod/talker", "--for=condition=Ready", "--timeout=60s", *n).code == 0
    for run in (cluster.kubectl, cluster.k):
        eventually(functools.partial(_said, run, *n))
        done = run("exec", "talker", *n, "--", "sh", "-c", "echo hello; echo oops >&2; exit 3")
        assert (done.code, done.out.strip()) == (3, "hello")
        assert "oops" in done.err
        assert "command terminated with exit code 3" in done.err
        piped = run("exec", "-i", "talker", *n, "--", "cat", stdin="through the pipe\n")
        assert piped.out == "through the pipe\n"


def test_a_pod_that_fails_is_restarted_with_back_off(cluster: Cluster, namespace: str) -> None:
    n = ("-n", namespace)
    cluster.kubectl(
        "run", "crash", "--image=kubelearn/busybox:1", *n, "--command", "--", "sh", "-c", "echo bye; exit 7"
    )

    def status() -> bool:
        containers = cluster.get("pod", "crash", *n)["status"].get("containerStatuses", [{}])
        waiting = containers[0].get("state", {}).get("waiting", {})
        last = containers[0].get("lastState", {}).get("terminated", {})
        return bool(waiting.get("reason") == "CrashLoopBackOff" and last.get("exitCode") == 7)

    eventually(status, 40)
    assert cluster.kubectl("logs", "crash", "--previous", *n).out == "bye\n"


def test_an_unknown_image_says_so(cluster: Cluster, namespace: str) -> None:
    n = ("-n", namespace)
    cluster.kubectl("run", "ghost", "--image=kubelearn/no-such-image:1", *n)

    def reason() -> bool:
        statuses = cluster.get("pod", "ghost", *n)["status"].get("containerStatuses", [{}])
        return statuses[0].get("state", {}).get("waiting", {}).get("reason") in ("ErrImagePull", "ImagePullBackOff")

    eventually(reason, 40)


def test_a_service_spreads_over_ready_pods_by_name(cluster: Cluster, namespace: str) -> None:
    n = ("-n", namespace)
    cluster.kubectl("create", "deployment", "web", "--image=kubelearn/web:v1", "--replicas=3", *n)
    cluster.kubectl("run", "client", "--image=kubelearn/web:v1", *n)
    cluster.kubectl("expose", "deployment", "web", "--port=80", "--target-port=8080", *n)
    assert cluster.kubectl("rollout", "status", "deployment/web", "--timeout=60s", *n).code == 0
    assert cluster.kubectl("wait", "pod/client", "--for=condition=Ready", "--timeout=60s", *n).code == 0
    fetch = f"/api/v1/namespaces/{namespace}/pods/client:8080/proxy/fetch?url=http%3A%2F%2Fweb%2F"

    def answers() -> set[str]:
        return {cluster.kubectl("get", "--raw", fetch).out for _ in range(12)}

    eventually(lambda: sum("Hello from web" in a for a in answers()) >= 2, 30)


def test_probes_take_a_pod_out_of_service_and_restart_it(cluster: Cluster, namespace: str) -> None:
    manifest = (MANIFESTS / "probes.yaml").read_text()
    assert cluster.kubectl("apply", "-n", namespace, "-f", "-", stdin=manifest).code == 0
    eventually(lambda: ready(cluster, namespace, "app=probed") == ["probed"])
    proxy = f"/api/v1/namespaces/{namespace}/pods/probed:8080/proxy"
    broken = cluster.kubectl("exec", "probed", "-n", namespace, "-c", "tool", "--", "sh", "-c", "touch shared/broken")
    assert broken.code == 0, broken.err
    eventually(lambda: ready(cluster, namespace, "app=probed") == [])
    assert cluster.kubectl("get", "--raw", proxy + "/version").code == 0
    cluster.kubectl("exec", "probed", "-n", namespace, "-c", "tool", "--", "sh", "-c", "touch shared/dead")

    def restarts() -> int:
        statuses = cluster.get("pod", "probed", "-n", namespace)["status"]["containerStatuses"]
        return int(next(s["restartCount"] for s in statuses if s["name"] == "tool"))

    eventually(lambda: restarts() >= 1)


def test_the_guestbook_applies_cleanly(cluster: Cluster, namespace: str) -> None:
    for run in (cluster.kubectl, cluster.k):
        done = run("apply", "-n", namespace, "-f", str(MANIFESTS / "guestbook.yaml"))
        assert done.code == 0, done.err
        assert done.err == ""
    for name in ("redis-leader", "redis-follower", "frontend"):
        status = cluster.kubectl("rollout", "status", f"deployment/{name}", "-n", namespace, "--timeout=90s")
        assert status.code == 0, status.err
    raw = cluster.kubectl("get", "--raw", f"/api/v1/namespaces/{namespace}/services/frontend:80/proxy/")
    assert "Hello from web" in raw.out, raw.err


@pytest.mark.parametrize("output", ["json", "yaml", "wide", "name"])
def test_ours_prints_what_theirs_prints(cluster: Cluster, output: str) -> None:
    args = ("get", "services,serviceaccounts,configmaps", "-n", "kube-system", "-o", output)
    assert cluster.k(*args).out == cluster.kubectl(*args).out


def test_why_walks_from_the_command_to_the_container(cluster: Cluster, namespace: str) -> None:
    assert cluster.k("run", "asked", "--image=kubelearn/web:v1", "-n", namespace).code == 0
    assert cluster.kubectl("wait", "pod/asked", "--for=condition=Ready", "--timeout=60s", "-n", namespace).code == 0
    story = cluster.kubelearn("why", "pod/asked", "-n", namespace)
    assert story.code == 0, story.err
    assert "kubectl run asked" in story.out
    assert "scheduler" in story.out
    node = cluster.get("pod", "asked", "-n", namespace)["spec"]["nodeName"]
    assert node in story.out
    spans = json.loads(cluster.kubectl("get", "--raw", "/apis/kubelearn.dev/v1alpha1/spans").out)["items"]
    chain = [
        s["spec"] for s in spans if s["spec"]["object"]["name"] == "asked" and s["spec"]["object"]["resource"] == "pods"
    ]
    assert len({s["traceID"] for s in chain}) == 1, "one trace from the command to Running"


def test_a_paused_scheduler_schedules_nothing_until_stepped(cluster: Cluster, namespace: str) -> None:
    try:
        assert cluster.kubelearn("pause", "kube-scheduler").code == 0
        assert cluster.kubectl("run", "held", "--image=kubelearn/web:v1", "-n", namespace).code == 0
        # Other news may wait before it: a Node's status, say.
        eventually(lambda: '"held"' in cluster.kubelearn("waiting", "--output", "json").out)
        assert "nodeName" not in cluster.get("pod", "held", "-n", namespace)["spec"]

        def bound() -> bool:
            cluster.kubelearn("step", "kube-scheduler")
            return "nodeName" in cluster.get("pod", "held", "-n", namespace)["spec"]

        eventually(bound)
    finally:
        assert cluster.kubelearn("continue", "kube-scheduler").code == 0

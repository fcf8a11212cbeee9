"""One story, told by every kubectl that is on this machine, from 1.27 to the newest: on one cluster, each in a namespace
of its own. Versions before 1.31 enter pods by SPDY, the others by WebSocket."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.clusters import Cluster, Done, eventually, official_kubectl, old_kubectls

Run = Callable[..., Done]

KUBECTLS = ["newest", "1.27", "1.28", "1.29", "1.30", "1.31", "1.32", "1.33"]
MANIFEST = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: web, image: "kubelearn/web:v1", ports: [{containerPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: c}
data: {a: "1", b: "2"}
"""


@pytest.fixture(params=KUBECTLS)
def binary(request: pytest.FixtureRequest) -> str:
    if request.param == "newest":
        return official_kubectl()
    found = old_kubectls().get(request.param)
    if found is None:
        pytest.skip(f"no kubectl {request.param} on this machine")
    return found


@pytest.fixture
def run(binary: str, cluster: Cluster, namespace: str) -> Run:
    def kubectl(*args: str, stdin: str = "", code: int = 0) -> Done:
        done = cluster.kubectl("-n", namespace, *args, stdin=stdin, binary=binary)
        assert done.code == code, f"kubectl {' '.join(args)}: {done.err}{done.out}"
        return done

    return kubectl


pytestmark = [pytest.mark.e2e, pytest.mark.parametrize("cluster", ["process"], indirect=True)]


def test_a_story(run: Run, cluster: Cluster, binary: str, namespace: str, tmp_path: Path) -> None:
    assert run("apply", "-f", "-", stdin=MANIFEST).out.splitlines() == [
        "deployment.apps/web created", "service/web created", "configmap/c created",
    ]  # fmt: skip
    run("wait", "deployment/web", "--for=condition=Available", "--timeout=60s")
    _declares(run, cluster, binary, namespace, tmp_path)
    _reads(run)
    _rolls(run)
    _asks(run, int(json.loads(run("version", "--client", "-o", "json").out)["clientVersion"]["minor"].rstrip("+")))
    _enters(run, cluster, binary, namespace, tmp_path)
    run("delete", "deployment,service,configmap", "--all")
    assert run("get", "deployments", "-o", "name").out == ""


def _declares(run: Run, cluster: Cluster, binary: str, namespace: str, tmp_path: Path) -> None:
    """apply both ways, diff, edit, and every kind of patch."""
    assert {line.split()[-1] for line in run("apply", "-f", "-", stdin=MANIFEST).out.splitlines()} == {"unchanged"}
    assert run("diff", "-f", "-", stdin=MANIFEST).out == ""
    less = MANIFEST.replace(', b: "2"', "")
    assert "-  b:" in run("diff", "-f", "-", stdin=less, code=1).out
    assert "configmap/c configured" in run("apply", "-f", "-", stdin=less).out
    one = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: "%s"}\n'
    clash = run("apply", "--server-side", "--field-manager=other", "-f", "-", stdin=one % "9", code=1)
    assert 'conflict with "kubectl-client-side-apply" using v1: .data.a' in clash.err
    applied = run("apply", "--server-side", "--field-manager=other", "--force-conflicts", "-f", "-", stdin=one % "9")
    assert applied.out == "configmap/c serverside-applied\n"
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nsed -i \'s/a: "9"/a: "10"/\' "$1"\n')
    editor.chmod(0o755)
    edited = subprocess.run(
        [binary, "-n", namespace, "edit", "configmap", "c"], env={**cluster.env, "KUBE_EDITOR": str(editor)},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (edited.returncode, edited.stdout) == (0, "configmap/c edited\n"), edited.stderr
    for kind, patch in (
        ("json", '[{"op":"add","path":"/data/x","value":"y"}]'),
        ("merge", '{"data":{"m":"1","a":null}}'),
        ("strategic", '{"metadata":{"labels":{"l":"1"}},"data":{"s":"1"}}'),
    ):
        assert run("patch", "configmap", "c", f"--type={kind}", "-p", patch).out == "configmap/c patched\n"
    assert json.loads(run("get", "configmap", "c", "-o", "json").out)["data"] == {"x": "y", "m": "1", "s": "1"}
    scaled = run("patch", "deployment", "web", "--subresource=scale", "--type=merge", "-p", '{"spec":{"replicas":2}}')
    assert "patched" in scaled.out
    bad = run("apply", "-f", "-", stdin=one.replace("\ndata:", "\ndatum:") % "1", code=1)
    assert 'unknown field "datum"' in bad.err
    assert run("create", "configmap", "d", "--from-literal=a=b", "--dry-run=server").out.startswith(
        "configmap/d created"
    )


def _reads(run: Run) -> None:
    assert re.search(r"Replicas: +2 desired", run("describe", "deployment", "web").out)
    assert "ScalingReplicaSet" in run("describe", "deployment", "web").out
    pods = json.loads(run("get", "pods", "-l", "app=web", "-o", "json").out)["items"]
    assert run("get", "pods", "-o", "wide").out.count("worker-") >= len(pods)
    assert "Node:" in run("describe", "pod", pods[0]["metadata"]["name"]).out
    assert "kind: Service" in run("get", "service", "web", "-o", "yaml").out
    assert "FIELD: replicas <integer>" in run("explain", "deployment.spec.replicas").out
    assert re.search(r"web +ClusterIP +10\.", run("get", "all").out)
    assert "Started" in run("events", "--for", f"pod/{pods[0]['metadata']['name']}").out
    assert "NotFound" in run("get", "pod", "nope", code=1).err
    assert json.loads(run("version", "-o", "json").out)["serverVersion"]["gitVersion"].startswith("v1.")
    assert re.search(r"deployments +deploy +apps/v1 +true +Deployment", run("api-resources").out)


def _rolls(run: Run) -> None:
    run("set", "image", "deployment/web", "web=kubelearn/web:v2")
    assert "successfully rolled out" in run("rollout", "status", "deployment/web", "--timeout=60s").out
    assert len(run("rollout", "history", "deployment/web").out.splitlines()) >= 4
    run("rollout", "undo", "deployment/web")
    run("rollout", "restart", "deployment/web")
    run("rollout", "status", "deployment/web", "--timeout=60s")
    run("scale", "deployment/web", "--replicas=1")
    run("wait", "deployment/web", "--for=jsonpath={.status.replicas}=1", "--timeout=60s")
    run("label", "deployment", "web", "tier=front")
    run("annotate", "deployment", "web", "note=x")
    assert run("get", "deployments", "-l", "tier=front", "-o", "name").out == "deployment.apps/web\n"


def _asks(run: Run, minor: int) -> None:
    assert run("auth", "can-i", "create", "pods").out == "yes\n"
    assert run("auth", "can-i", "get", "secrets", "--as=nobody", code=1).out == "no\n"
    if minor > 27:  # which asks for v1beta1, that Kubernetes has no more
        assert "kubernetes-admin" in run("auth", "whoami").out
    assert run("create", "token", "default").out.count(".") == 2


def _enters(run: Run, cluster: Cluster, binary: str, namespace: str, tmp_path: Path) -> None:
    """logs, exec, cp, port-forward: by SPDY or by WebSocket."""
    eventually(lambda: len(run("get", "pods", "--no-headers").out.splitlines()) == 1)
    pod = run("get", "pods", "-o", "jsonpath={.items[0].metadata.name}").out
    done = run("exec", pod, "--", "sh", "-c", "echo out; echo err >&2; exit 5", code=5)
    assert (done.out, done.err) == ("out\n", "err\ncommand terminated with exit code 5\n")
    assert run("exec", "-i", "deploy/web", "--", "cat", stdin="through the pipe\n").out == "through the pipe\n"
    there, back = tmp_path / "there", tmp_path / "back"
    there.write_bytes(os.urandom(300_000))
    run("cp", str(there), f"{pod}:file")
    run("cp", f"{pod}:file", str(back))
    assert back.read_bytes() == there.read_bytes()
    with forwarded(cluster, binary, namespace, pod) as port:
        for _ in range(2):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            connection.request("GET", "/version")
            assert connection.getresponse().read() == b"v1\n"
            connection.close()
    eventually(lambda: "/version" in run("logs", "deployment/web").out)
    assert "not found" in run("exec", "nope", "--", "true", code=1).err
    assert 'exec: "nope"' in run("exec", pod, "--", "nope", code=1).err


@contextlib.contextmanager
def forwarded(cluster: Cluster, binary: str, namespace: str, pod: str) -> Iterator[int]:
    command = [binary, "-n", namespace, "port-forward", f"pod/{pod}", ":8080"]
    with subprocess.Popen(command, env=cluster.env, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            found = re.search(r"127\.0\.0\.1:(\d+)", process.stdout.readline())
            assert found is not None
            yield int(found[1])
        finally:
            process.terminate()

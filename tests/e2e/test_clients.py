"""Clients that others wrote: kubectl of several versions, and the official Python client."""

from __future__ import annotations

import contextlib
import http.client
import importlib
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.clusters import Cluster, Done, eventually, official_kubectl, old_kubectls

Run = Callable[..., Done]


@pytest.fixture(params=["newest", "oldest"])
def binary(request: pytest.FixtureRequest) -> str:
    if request.param == "newest":
        return official_kubectl()
    if not (old := old_kubectls()):
        pytest.skip("no older kubectl on this machine")
    return next(iter(old.values()))


@pytest.fixture
def run(binary: str, cluster: Cluster, namespace: str) -> Run:
    """kubectl in the test's namespace; it must succeed unless the test says otherwise."""

    def kubectl(*args: str, stdin: str = "", code: int = 0) -> Done:
        done = cluster.kubectl("-n", namespace, *args, stdin=stdin, binary=binary)
        assert done.code == code, f"kubectl {' '.join(args)}: {done.err}{done.out}"
        return done

    return kubectl


def test_kubectl_runs_a_deployment_to_its_end(run: Run) -> None:
    run("create", "deployment", "web", "--image=kubelearn/web:v1", "--replicas=2")
    assert "successfully rolled out" in run("rollout", "status", "deployment/web", "--timeout=60s").out
    assert run("get", "deployment", "web", "-o", "jsonpath={.status.readyReplicas}").out == "2"
    assert len(run("get", "pods", "-l", "app=web", "--no-headers").out.splitlines()) == 2
    described = run("describe", "deployment", "web").out
    assert re.search(r"Replicas: +2 desired \| 2 updated \| 2 total \| 2 available \| 0 unavailable", described)
    assert "ScalingReplicaSet" in described
    assert "scaled" in run("scale", "deployment/web", "--replicas=1").out
    assert "exposed" in run("expose", "deployment", "web", "--port=80", "--target-port=8080").out
    endpoints = "jsonpath={.subsets[0].addresses[*].ip}"
    eventually(lambda: len(run("get", "endpoints", "web", "-o", endpoints).out.split()) == 1)
    run("label", "deployment", "web", "tier=front")
    run("annotate", "deployment", "web", "kubernetes.io/change-cause=because")
    assert run("get", "deployments", "-l", "tier=front", "-o", "name").out.split() == ["deployment.apps/web"]
    run("set", "image", "deployment/web", "web=kubelearn/web:v2")
    run("rollout", "status", "deployment/web", "--timeout=60s")
    assert "because" in run("rollout", "history", "deployment/web").out
    run("rollout", "undo", "deployment/web")
    run("rollout", "restart", "deployment/web")
    run("rollout", "status", "deployment/web", "--timeout=60s")
    image = run("get", "deployment", "web", "-o", "jsonpath={.spec.template.spec.containers[0].image}").out
    assert image == "kubelearn/web:v1"
    run("delete", "deployment,service", "--all")
    assert run("get", "deployments", "-o", "name").out == ""


def test_kubectl_applies_and_patches(run: Run) -> None:
    manifest = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: '1', b: '2'}\n"
    assert run("apply", "-f", "-", stdin=manifest).out == "configmap/c created\n"
    assert run("apply", "-f", "-", stdin=manifest).out == "configmap/c unchanged\n"
    assert run("diff", "-f", "-", stdin=manifest).out == ""
    less = manifest.replace(", b: '2'", "")
    assert "-  b:" in run("diff", "-f", "-", stdin=less, code=1).out
    assert run("apply", "-f", "-", stdin=less).out == "configmap/c configured\n"
    assert run("get", "configmap", "c", "-o", "jsonpath={.data}").out == '{"a":"1"}'
    run("patch", "configmap", "c", "--type=json", "-p", '[{"op":"add","path":"/data/x","value":"y"}]')
    assert run("get", "configmap", "c", "-o", "go-template={{.data.x}}").out == "y"
    assert 'configmaps "c" already exists' in run("create", "configmap", "c", code=1).err
    assert run("delete", "configmap", "c").code == 0
    assert run("get", "configmap", "c", code=1).err == 'Error from server (NotFound): configmaps "c" not found\n'


def test_kubectl_knows_the_api(run: Run) -> None:
    assert "FIELD: image <string>" in run("explain", "pod.spec.containers.image").out
    assert re.search(r"deployments +deploy +apps/v1 +true +Deployment", run("api-resources").out)
    assert "apps/v1" in run("api-versions").out.split()
    assert "is running at" in run("cluster-info").out


def test_kubectl_reads_logs_while_they_are_written(cluster: Cluster, run: Run, binary: str, namespace: str) -> None:
    script = "echo one; while [ ! -e go ]; do sleep 0.1; done; echo two; exec sleep 600"
    run("run", "talker", "--image=kubelearn/busybox:1", "--restart=Never", "--command", "--", "sh", "-c", script)
    run("wait", "pod/talker", "--for=condition=Ready", "--timeout=60s")
    eventually(lambda: run("logs", "talker").out == "one\n")
    follow = [binary, "-n", namespace, "logs", "-f", "talker"]
    with subprocess.Popen(follow, env=cluster.env, stdout=subprocess.PIPE, text=True) as following:
        assert following.stdout is not None
        assert following.stdout.readline() == "one\n"
        assert cluster.kubectl("-n", namespace, "exec", "talker", "--", "touch", "go").code == 0
        assert following.stdout.readline() == "two\n"
        run("delete", "pod", "talker", "--now")
        assert following.wait(30) == 0
    assert "NotFound" in run("logs", "talker", code=1).err


def test_kubectl_enters_a_pod(cluster: Cluster, run: Run, binary: str, namespace: str, tmp_path: Path) -> None:
    run("run", "web", "--image=kubelearn/web:v1")
    run("wait", "pod/web", "--for=condition=Ready", "--timeout=60s")
    done = run("exec", "web", "--", "sh", "-c", "echo out; echo err >&2; exit 5", code=5)
    assert done.out == "out\n"
    assert done.err == "err\ncommand terminated with exit code 5\n"
    assert run("exec", "-i", "web", "--", "cat", stdin="through the pipe\n").out == "through the pipe\n"
    run("exec", "web", "--", "sh", "-c", "echo content > file")
    run("cp", "web:file", str(tmp_path / "file"))
    assert (tmp_path / "file").read_text() == "content\n"
    with forwarded(cluster, binary, namespace) as port:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", "/version")
        assert connection.getresponse().read() == b"v1\n"
        connection.close()


@contextlib.contextmanager
def forwarded(cluster: Cluster, binary: str, namespace: str) -> Iterator[int]:
    command = [binary, "-n", namespace, "port-forward", "pod/web", ":8080"]
    with subprocess.Popen(command, env=cluster.env, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            found = re.search(r"127\.0\.0\.1:(\d+)", process.stdout.readline())
            assert found is not None
            yield int(found[1])
        finally:
            process.terminate()


# The official Python client, whose many types are of no use here


def official(part: str) -> Any:
    return importlib.import_module(f"kubernetes.{part}")


@pytest.fixture
def api(cluster: Cluster) -> Iterator[Any]:
    client, config = official("client"), official("config")

    configuration = client.Configuration()
    config.load_kube_config(cluster.env["KUBECONFIG"], client_configuration=configuration)
    with client.ApiClient(configuration) as made:
        yield made


def _deployment() -> Any:
    c = official("client")

    script = "echo hello; exec sleep 600"
    container = c.V1Container(name="main", image="kubelearn/busybox:1", command=["sh", "-c", script])
    template = c.V1PodTemplateSpec(
        metadata=c.V1ObjectMeta(labels={"app": "talker"}), spec=c.V1PodSpec(containers=[container])
    )
    selector = c.V1LabelSelector(match_labels={"app": "talker"})
    spec = c.V1DeploymentSpec(replicas=1, selector=selector, template=template)
    return c.V1Deployment(metadata=c.V1ObjectMeta(name="talker"), spec=spec)


def test_the_python_client_runs_a_deployment(api: Any, namespace: str) -> None:
    client, stream = official("client"), official("stream").stream

    core, apps = client.CoreV1Api(api), client.AppsV1Api(api)
    assert apps.create_namespaced_deployment(namespace, _deployment()).spec.replicas == 1
    pod, seen = "", []
    watcher = official("watch").Watch()
    for event in watcher.stream(core.list_namespaced_pod, namespace, label_selector="app=talker", timeout_seconds=60):
        seen.append(event["type"])
        if event["object"].status.phase == "Running":
            pod = event["object"].metadata.name
            watcher.stop()
    assert seen[0] == "ADDED"
    assert pod, "never Running"
    assert apps.patch_namespaced_deployment_scale("talker", namespace, {"spec": {"replicas": 2}}).spec.replicas == 2
    eventually(lambda: apps.read_namespaced_deployment_status("talker", namespace).status.ready_replicas == 2)
    eventually(lambda: core.read_namespaced_pod_log(pod, namespace) == "hello\n")
    command = ["sh", "-c", "echo out; echo err >&2; cat; exit 3"]
    session = stream(
        core.connect_get_namespaced_pod_exec,
        pod,
        namespace,
        command=command,
        stdin=True,
        stdout=True,
        stderr=True,
        tty=False,
        _preload_content=False,
    )
    out = err = ""
    session.write_stdin("in\n")
    deadline = time.monotonic() + 30
    while "in" not in out and session.is_open() and time.monotonic() < deadline:
        session.update(timeout=1)
        out += session.read_stdout() if session.peek_stdout() else ""
        err += session.read_stderr() if session.peek_stderr() else ""
    session.close()
    assert (out, err) == ("out\nin\n", "err\n")
    ended = stream(
        core.connect_get_namespaced_pod_exec,
        pod,
        namespace,
        command=["sh", "-c", "exit 3"],
        stdin=False,
        stdout=True,
        stderr=True,
        tty=False,
        _preload_content=False,
    )
    ended.run_forever(timeout=30)
    assert ended.returncode == 3
    ended.sock.shutdown()  # which `close` leaves out when the server has closed first


def test_the_python_client_gets_kubernetes_answers(api: Any, namespace: str) -> None:
    client = official("client")

    core = client.CoreV1Api(api)
    made = core.create_namespaced_config_map(
        namespace, client.V1ConfigMap(metadata=client.V1ObjectMeta(name="c"), data={"a": "1"})
    )
    made.data["a"] = "2"
    replaced = core.replace_namespaced_config_map("c", namespace, made)
    assert replaced.data == {"a": "2"}
    with pytest.raises(client.ApiException) as conflict:  # `made` carries the version before the replacement
        core.replace_namespaced_config_map("c", namespace, made)
    assert conflict.value.status == 409
    with pytest.raises(client.ApiException) as missing:
        core.read_namespaced_config_map("nope", namespace)
    assert missing.value.status == 404
    first = core.list_node(limit=1)
    assert len(first.items) == 1
    rest = core.list_node(limit=10, _continue=first.metadata._continue)
    assert {n.metadata.name for n in first.items + rest.items} == {"worker-1", "worker-2", "worker-3"}


def test_the_dynamic_client_finds_kinds_by_discovery(api: Any, namespace: str) -> None:
    found = official("dynamic").DynamicClient(api).resources
    maps = found.get(api_version="v1", kind="ConfigMap")
    maps.create(
        body={"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": {"a": "1"}},
        namespace=namespace,
    )
    maps.patch(body={"data": {"b": "2"}}, name="x", namespace=namespace, content_type="application/merge-patch+json")
    assert maps.get(name="x", namespace=namespace).data.to_dict() == {"a": "1", "b": "2"}
    names = {e["object"].metadata.name for e in maps.watch(namespace=namespace, timeout=1)}
    assert "x" in names
    maps.delete(name="x", namespace=namespace)
    assert "x" not in {i.metadata.name for i in maps.get(namespace=namespace).items}
    spans = found.get(api_version="kubelearn.dev/v1alpha1", kind="Span")
    assert spans.get().items, "our own group is discovered like any other"

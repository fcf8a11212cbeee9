"""The official Python client beyond the first steps: manifests, kinds of patches, pages, informers, leaders, tunnels.

Its types are of no use here: what it gives is Any.
"""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from support.clusters import Cluster, eventually

pytestmark = [pytest.mark.e2e, pytest.mark.parametrize("cluster", ["process"], indirect=True)]

MANIFEST = """
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {a: "1"}
---
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Service
  metadata: {name: web}
  spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
- apiVersion: apps/v1
  kind: Deployment
  metadata: {name: web}
  spec:
    replicas: 1
    selector: {matchLabels: {app: web}}
    template:
      metadata: {labels: {app: web}}
      spec: {containers: [{name: web, image: "kubelearn/web:v1", ports: [{containerPort: 8080}]}]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader}
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
"""

ELECTOR = """
import sys
from kubernetes import client, config
from kubernetes.leaderelection import electionconfig, leaderelection
from kubernetes.leaderelection.resourcelock.{module} import {lock}
namespace, me = sys.argv[1:]
config.load_kube_config()
def led():
    print("leading", me, flush=True)
    while True:
        import time
        time.sleep(1)
chosen = electionconfig.Config({lock}("lock", namespace, me), lease_duration=3, renew_deadline=2, retry_period=1,
                               onstarted_leading=led, onstopped_leading=None)
leaderelection.LeaderElection(chosen).run()
"""


#: In a process of its own, since the client leaves the sockets of its streams open.
ENTERING = """
import http.client, sys
from kubernetes import client, config, stream
namespace, pod = sys.argv[1:]
config.load_kube_config()
core = client.CoreV1Api()
print(stream.stream(core.connect_get_namespaced_pod_exec, pod, namespace, command=["sh", "-c", "echo hello"],
                    stdin=False, stdout=True, stderr=True, tty=False), end="")
forward = stream.portforward(core.connect_get_namespaced_pod_portforward, pod, namespace, ports="8080")
connection = http.client.HTTPConnection("pod")
connection.sock = forward.socket(8080)
connection.sock.settimeout(20)
connection.request("GET", "/version", headers={"Connection": "close"})
print(connection.getresponse().read().decode(), end="")
connection.close()
print(forward.error(8080))
forward.close()
"""


def official(part: str) -> Any:
    return importlib.import_module(f"kubernetes.{part}")


@pytest.fixture
def api(cluster: Cluster) -> Iterator[Any]:
    client, config = official("client"), official("config")
    configuration = client.Configuration()
    config.load_kube_config(cluster.env["KUBECONFIG"], client_configuration=configuration)
    with client.ApiClient(configuration) as made:
        yield made


@pytest.fixture
def core(api: Any) -> Any:
    return official("client").CoreV1Api(api)


def config_map(name: str, **data: str) -> Any:
    client = official("client")
    return client.V1ConfigMap(metadata=client.V1ObjectMeta(name=name, labels={"app": "x"}), data=data)


def test_manifests_are_created_and_entered(
    cluster: Cluster, api: Any, core: Any, namespace: str, tmp_path: Path
) -> None:
    utils = official("utils")
    manifest = tmp_path / "all.yaml"
    manifest.write_text(MANIFEST)
    utils.create_from_yaml(api, str(manifest), namespace=namespace)
    with pytest.raises(utils.FailToCreateError) as again:
        utils.create_from_yaml(api, str(manifest), namespace=namespace)
    assert {error.status for error in again.value.api_exceptions} == {409}
    assert official("client").RbacAuthorizationV1Api(api).read_namespaced_role("reader", namespace).rules[0].verbs == [
        "get"
    ]
    apps = official("client").AppsV1Api(api)
    eventually(lambda: apps.read_namespaced_deployment("web", namespace).status.ready_replicas == 1)
    pod = core.list_namespaced_pod(namespace, label_selector="app=web").items[0].metadata.name
    entered = cluster.run([sys.executable, "-c", ENTERING, namespace, pod], timeout=60)
    assert entered.out == "hello\nv1\nNone\n", entered.err
    assert core.connect_get_namespaced_pod_proxy_with_path(f"{pod}:8080", namespace, "version") == "v1\n"
    eventually(lambda: "/version" in core.read_namespaced_pod_log(pod, namespace, tail_lines=20))


def test_every_kind_of_patch(api: Any, core: Any, namespace: str) -> None:
    client = official("client")
    core.create_namespaced_config_map(namespace, config_map("c", a="1"))
    added = core.patch_namespaced_config_map("c", namespace, [{"op": "add", "path": "/data/b", "value": "2"}])
    assert added.data == {"a": "1", "b": "2"}, "a list is a JSON patch"
    for media in ("application/merge-patch+json", "application/strategic-merge-patch+json"):
        changed = core.patch_namespaced_config_map(
            "c", namespace, {"data": {"a": None, "c": media}}, _content_type=media
        )
        assert changed.data == {"b": "2", "c": media}
    applied = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"b": "3"}}
    how = {"field_manager": "me", "_content_type": "application/apply-patch+yaml"}
    with pytest.raises(client.ApiException) as conflict:
        core.patch_namespaced_config_map("c", namespace, applied, **how)
    assert conflict.value.status == 409
    assert "conflict" in conflict.value.body
    owned = core.patch_namespaced_config_map("c", namespace, applied, force=True, **how)
    assert owned.data["b"] == "3"
    assert ("me", "Apply") in {(m.manager, m.operation) for m in owned.metadata.managed_fields}
    nothing = core.patch_namespaced_config_map("c", namespace, {**applied, "data": {}}, force=True, **how)
    assert "b" not in nothing.data, "what is applied no more is gone"


def test_the_dynamic_client_applies(api: Any, namespace: str) -> None:
    found = official("dynamic").DynamicClient(api).resources
    deployments = found.get(api_version="apps/v1", kind="Deployment")
    template = {
        "metadata": {"labels": {"a": "b"}},
        "spec": {"containers": [{"name": "c", "image": "kubelearn/web:v1"}]},
    }
    body = {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"},
        "spec": {"replicas": 0, "selector": {"matchLabels": {"a": "b"}}, "template": template},
    }  # fmt: skip
    for _ in range(2):
        made = deployments.server_side_apply(body=body, name="d", namespace=namespace, field_manager="dynamic")
        assert made.metadata.generation == 1
    scale = found.get(api_version="apps/v1", kind="Deployment").scale
    assert scale.patch(body={"spec": {"replicas": 1}}, name="d", namespace=namespace,
                       content_type="application/merge-patch+json").spec.replicas == 1  # fmt: skip
    status = deployments.status.patch(
        body={"status": {"conditions": [{"type": "Mine", "status": "True"}]}}, name="d", namespace=namespace,
        content_type="application/merge-patch+json",
    )  # fmt: skip
    assert status.metadata.name == "d"
    assert deployments.delete(name="d", namespace=namespace).status == "Success"


def test_pages_and_selections(core: Any, namespace: str) -> None:
    for n in range(7):
        core.create_namespaced_config_map(namespace, config_map(f"p-{n}", n=str(n)))
    names: list[str] = []
    token, pages = "", 0
    while True:
        page = core.list_namespaced_config_map(namespace, limit=3, label_selector="app in (x)", _continue=token)
        names += [i.metadata.name for i in page.items]
        pages, token = pages + 1, page.metadata._continue
        core.create_namespaced_config_map(namespace, config_map(f"a-{pages}"))  # of which later pages know nothing
        if not token:
            break
    assert (names, pages) == ([f"p-{n}" for n in range(7)], 3)
    one = core.list_namespaced_config_map(namespace, field_selector="metadata.name=p-3").items
    assert [i.data for i in one] == [{"n": "3"}]
    core.delete_collection_namespaced_config_map(namespace, label_selector="app=x")
    assert core.list_namespaced_config_map(namespace, label_selector="app=x").items == []


def test_a_watch_goes_on_where_a_list_ended(core: Any, namespace: str) -> None:
    watch = official("watch")
    core.create_namespaced_config_map(namespace, config_map("old"))
    listed = core.list_namespaced_config_map(namespace)
    core.create_namespaced_config_map(namespace, config_map("new"))
    core.patch_namespaced_config_map("old", namespace, {"data": {"a": "1"}})
    core.delete_namespaced_config_map("new", namespace)
    seen = []
    watcher = watch.Watch()
    start = listed.metadata.resource_version
    for event in watcher.stream(
        core.list_namespaced_config_map, namespace, resource_version=start, timeout_seconds=30,
        allow_watch_bookmarks=True,
    ):  # fmt: skip
        seen.append((event["type"], event["object"].metadata.name))
        if len(seen) == 3:
            watcher.stop()
    assert seen == [("ADDED", "new"), ("MODIFIED", "old"), ("DELETED", "new")]


def test_an_informer_follows(core: Any, namespace: str) -> None:
    informers = pytest.importorskip("kubernetes.informer")
    core.create_namespaced_config_map(namespace, config_map("first"))
    informer = informers.SharedInformer(list_func=core.list_namespaced_config_map, namespace=namespace)
    changes: list[tuple[str, str]] = []
    for kind in (informers.ADDED, informers.MODIFIED, informers.DELETED):
        informer.add_event_handler(kind, lambda found, kind=kind: changes.append((kind, found.metadata.name)))
    informer.start()
    try:
        eventually(lambda: ("ADDED", "first") in changes)
        core.create_namespaced_config_map(namespace, config_map("second"))
        eventually(lambda: ("ADDED", "second") in changes)
        core.patch_namespaced_config_map("second", namespace, {"data": {"a": "1"}})
        eventually(lambda: ("MODIFIED", "second") in changes)
        core.delete_namespaced_config_map("second", namespace)
        eventually(lambda: ("DELETED", "second") in changes)
        assert "second" not in {item.metadata.name for item in informer.cache.list()}
    finally:
        informer.stop()


@pytest.mark.parametrize(("module", "lock"), [("leaselock", "LeaseLock"), ("configmaplock", "ConfigMapLock")])
def test_one_leads_and_another_follows(cluster: Cluster, namespace: str, module: str, lock: str) -> None:
    pytest.importorskip(f"kubernetes.leaderelection.resourcelock.{module}")
    script = ELECTOR.format(module=module, lock=lock)

    def elector(name: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", script, namespace, name], env=cluster.env, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip

    with elector("one") as one:
        assert one.stdout is not None
        try:
            assert one.stdout.readline() == "leading one\n"
            with elector("two") as two:
                assert two.stdout is not None
                try:
                    one.kill()
                    assert two.stdout.readline() == "leading two\n"
                finally:
                    two.kill()
        finally:
            one.kill()


def test_options_of_deletion(core: Any, api: Any, namespace: str) -> None:
    client = official("client")
    apps = client.AppsV1Api(api)
    labels = {"a": "b"}
    container = client.V1Container(name="c", image="kubelearn/web:v1")
    template = client.V1PodTemplateSpec(
        metadata=client.V1ObjectMeta(labels=labels), spec=client.V1PodSpec(containers=[container])
    )
    spec = client.V1ReplicaSetSpec(replicas=1, selector=client.V1LabelSelector(match_labels=labels), template=template)
    apps.create_namespaced_replica_set(
        namespace, client.V1ReplicaSet(metadata=client.V1ObjectMeta(name="r"), spec=spec)
    )
    eventually(lambda: core.list_namespaced_pod(namespace, label_selector="a=b").items)
    wrong = client.V1DeleteOptions(preconditions=client.V1Preconditions(uid="nope"))
    with pytest.raises(client.ApiException) as refused:
        apps.delete_namespaced_replica_set("r", namespace, body=wrong)
    assert refused.value.status == 409
    apps.delete_namespaced_replica_set("r", namespace, propagation_policy="Orphan")
    eventually(lambda: not apps.list_namespaced_replica_set(namespace).items)
    pod = core.list_namespaced_pod(namespace, label_selector="a=b").items[0]
    assert not pod.metadata.deletion_timestamp
    eviction = client.V1Eviction(metadata=client.V1ObjectMeta(name=pod.metadata.name, namespace=namespace))
    core.create_namespaced_pod_eviction(pod.metadata.name, namespace, eviction)
    eventually(lambda: not core.list_namespaced_pod(namespace, label_selector="a=b").items)


def test_many_clients_at_once(core: Any, namespace: str) -> None:
    """Threads share one pool of connections, kept alive between requests."""

    def work(name: str) -> None:
        for n in range(5):
            core.create_namespaced_config_map(namespace, config_map(f"{name}-{n}"))
            core.delete_namespaced_config_map(f"{name}-{n}", namespace)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, [f"t{n}" for n in range(8)])) == [None] * 8
    assert core.list_namespaced_config_map(namespace, label_selector="app=x").items == []

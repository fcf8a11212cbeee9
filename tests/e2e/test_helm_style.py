"""A chart's life as Helm 3 does it, by the same requests: objects created in order, a Secret for each release, waiting,
three-way strategic merge patches at upgrade and rollback, and the way out. Helm itself is a binary that we do not have."""

from __future__ import annotations

import base64
import gzip
import importlib
import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from support.clusters import Cluster, eventually

from kubelearn.api import patch, schema
from kubelearn.api.resource import Obj

pytestmark = [pytest.mark.e2e, pytest.mark.parametrize("cluster", ["process"], indirect=True)]

_ORDER = (
    "Namespace", "NetworkPolicy", "ResourceQuota", "LimitRange", "PodDisruptionBudget", "ServiceAccount", "Secret",
    "ConfigMap", "PersistentVolumeClaim", "CustomResourceDefinition", "Role", "RoleBinding", "Service", "Deployment", "Job",
)  # fmt: skip
_STRATEGIC, _MERGE = "application/strategic-merge-patch+json", "application/merge-patch+json"


@pytest.fixture
def dynamic(cluster: Cluster) -> Iterator[Any]:
    client, config = importlib.import_module("kubernetes.client"), importlib.import_module("kubernetes.config")
    configuration = client.Configuration()
    config.load_kube_config(cluster.env["KUBECONFIG"], client_configuration=configuration)
    with client.ApiClient(configuration) as made:
        yield importlib.import_module("kubernetes.dynamic").DynamicClient(made)


class Helm:
    """`helm` for one release in one namespace."""

    def __init__(self, client: Any, namespace: str, name: str) -> None:
        self._client, self._namespace, self.name = client, namespace, name
        self._missing = importlib.import_module("kubernetes.dynamic.exceptions").NotFoundError

    def _kind(self, obj: Obj) -> Any:
        return self._client.resources.get(api_version=obj["apiVersion"], kind=obj["kind"])

    def get(self, obj: Obj) -> Obj | None:
        try:
            found = self._kind(obj).get(name=obj["metadata"]["name"], namespace=self._namespace)
        except self._missing:
            return None
        live: Obj = found.to_dict()
        return live

    def install(self, chart: list[Obj], version: int = 1) -> None:
        self._record(version, "pending-install", chart)
        for obj in sorted(chart, key=_rank):
            assert self.get(obj) is None
            self._kind(obj).create(body=obj, namespace=self._namespace, field_manager="helm")
        self._record(version, "deployed", chart)

    def upgrade(self, chart: list[Obj], version: int) -> None:
        """Also a rollback, which is an upgrade to what was."""
        before = self.releases()[-1]
        self._record(version, "pending-upgrade", chart)
        old = {_id(obj): obj for obj in before["manifest"]}
        for obj in sorted(chart, key=_rank):
            live = self.get(obj)
            if live is None:
                self._kind(obj).create(body=obj, namespace=self._namespace, field_manager="helm")
            else:
                self._patch(old.get(_id(obj), {}), obj, live)
        for gone in old.keys() - {_id(obj) for obj in chart}:
            self._delete(old[gone])
        self._record(before["version"], "superseded", before["manifest"])
        self._record(version, "deployed", chart)

    def _patch(self, original: Obj, target: Obj, live: Obj) -> None:
        group, _, version = target["apiVersion"].rpartition("/")
        found = schema.for_kind(group, version, target["kind"])
        body = patch.three_way(original, target, live, found)
        if body:
            media = _STRATEGIC if found else _MERGE
            self._kind(target).patch(
                body=body, name=target["metadata"]["name"], namespace=self._namespace, content_type=media,
                field_manager="helm",
            )  # fmt: skip

    def _delete(self, obj: Obj) -> None:
        self._kind(obj).delete(
            name=obj["metadata"]["name"], namespace=self._namespace, body={"propagationPolicy": "Background"}
        )

    def uninstall(self) -> None:
        for obj in sorted(self.releases()[-1]["manifest"], key=_rank, reverse=True):
            self._delete(obj)
        secrets = self._client.resources.get(api_version="v1", kind="Secret")
        for release in self.releases():
            secrets.delete(name=self._secret(release["version"]), namespace=self._namespace)

    def _secret(self, version: int) -> str:
        return f"sh.helm.release.v1.{self.name}.v{version}"

    def _record(self, version: int, status: str, chart: list[Obj]) -> None:
        release = {"name": self.name, "version": version, "info": {"status": status}, "manifest": chart}
        packed = base64.b64encode(gzip.compress(json.dumps(release).encode()))
        labels = {"name": self.name, "owner": "helm", "status": status, "version": str(version)}
        body: Obj = {
            "apiVersion": "v1", "kind": "Secret", "type": "helm.sh/release.v1",
            "metadata": {"name": self._secret(version), "labels": labels},
            "data": {"release": base64.b64encode(packed).decode()},
        }  # fmt: skip
        secrets = self._client.resources.get(api_version="v1", kind="Secret")
        if self.get(body) is None:
            secrets.create(body=body, namespace=self._namespace)
        else:
            secrets.replace(body=body, namespace=self._namespace)

    def releases(self, **labels: str) -> list[Obj]:
        secrets = self._client.resources.get(api_version="v1", kind="Secret")
        chosen = ",".join(f"{k}={v}" for k, v in {"owner": "helm", "name": self.name, **labels}.items())
        found = secrets.get(namespace=self._namespace, label_selector=chosen).items
        unpacked = [json.loads(gzip.decompress(base64.b64decode(base64.b64decode(s.data.release)))) for s in found]
        return sorted(unpacked, key=lambda release: int(release["version"]))

    def wait(self, chart: list[Obj]) -> None:
        """As `--wait`: what each kind must say of itself."""
        for obj in chart:
            if obj["kind"] in _READY:
                eventually(partial(self._is_ready, obj))

    def _is_ready(self, obj: Obj) -> bool:
        live = self.get(obj)
        return live is not None and _READY[obj["kind"]](live)


def _deployed(live: Obj) -> bool:
    spec, status = live["spec"], live.get("status", {})
    if status.get("observedGeneration", 0) < live["metadata"]["generation"]:
        return False
    return bool(status.get("updatedReplicas", 0) == status.get("readyReplicas", 0) == spec["replicas"])


_READY: dict[str, Callable[[Obj], bool]] = {
    "Deployment": _deployed,
    "Job": lambda live: any(c["type"] == "Complete" for c in live.get("status", {}).get("conditions") or ()),
    "Service": lambda live: bool(live["spec"]["clusterIP"]),
    "CustomResourceDefinition": lambda live: any(
        c["type"] == "Established" and c["status"] == "True" for c in live.get("status", {}).get("conditions") or ()
    ),
}


def _id(obj: Obj) -> tuple[str, str]:
    return obj["kind"], obj["metadata"]["name"]


def _rank(obj: Obj) -> int:
    return _ORDER.index(obj["kind"]) if obj["kind"] in _ORDER else len(_ORDER)


def about(name: str) -> Obj:
    labels = {"app.kubernetes.io/managed-by": "Helm", "app.kubernetes.io/instance": "shop"}
    annotations = {"meta.helm.sh/release-name": "shop", "meta.helm.sh/release-namespace": "t"}
    return {"name": name, "labels": labels, "annotations": annotations}


def chart(image: str, *, colour: str = "blue", extra: bool = True, sidecar: bool = False) -> list[Obj]:
    containers: list[Obj] = [{"name": "web", "image": image, "env": [{"name": "COLOUR", "value": colour}]}]
    if sidecar:
        containers.append({"name": "side", "image": "kubelearn/busybox:1", "command": ["sleep", "600"]})
    template = {
        "metadata": {"labels": {"app": "shop"}},
        "spec": {"containers": containers, "serviceAccountName": "shop"},
    }
    found: list[Obj] = [
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": about("shop"),
         "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "shop"}}, "template": template}},
        {"apiVersion": "v1", "kind": "Service", "metadata": about("shop"),
         "spec": {"selector": {"app": "shop"}, "ports": [{"name": "http", "port": 80, "targetPort": 8080}]}},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": about("shop"), "data": {"colour": colour}},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": about("shop")},
    ]  # fmt: skip
    if extra:
        found.append({"apiVersion": "v1", "kind": "ConfigMap", "metadata": about("extra"), "data": {"a": "b"}})
    return found


def test_a_release_from_install_to_uninstall(dynamic: Any, cluster: Cluster, namespace: str) -> None:
    helm = Helm(dynamic, namespace, "shop")
    first, second = chart("kubelearn/web:v1"), chart("kubelearn/web:v2", colour="red", extra=False, sidecar=True)
    helm.install(first)
    helm.wait(first)
    assert [r["info"]["status"] for r in helm.releases()] == ["deployed"]
    # Someone else adds what is no business of the chart's, and changes what is.
    assert cluster.kubectl("-n", namespace, "annotate", "service", "shop", "note=mine").code == 0
    assert cluster.kubectl("-n", namespace, "scale", "deployment", "shop", "--replicas=2").code == 0
    helm.upgrade(second, 2)
    helm.wait(second)
    deployment, service = _live(helm, second, "Deployment"), _live(helm, second, "Service")
    containers = {c["name"]: c for c in deployment["spec"]["template"]["spec"]["containers"]}
    assert (containers["web"]["image"], set(containers)) == ("kubelearn/web:v2", {"web", "side"})
    assert containers["web"]["env"] == [{"name": "COLOUR", "value": "red"}]
    assert deployment["spec"]["replicas"] == 1, "the chart's word is restored"
    assert service["metadata"]["annotations"]["note"] == "mine", "what the chart does not name is left"
    assert helm.get(first[-1]) is None, "what the chart has no more is gone"
    assert [r["info"]["status"] for r in helm.releases()] == ["superseded", "deployed"]
    helm.upgrade(helm.releases(status="superseded")[0]["manifest"], 3)
    helm.wait(first)
    back = _live(helm, first, "Deployment")["spec"]["template"]["spec"]["containers"]
    assert [(c["name"], c["image"]) for c in back] == [("web", "kubelearn/web:v1")]
    assert helm.get(first[-1]) is not None
    assert _live(helm, first, "ConfigMap")["data"] == {"colour": "blue"}
    assert [r["version"] for r in helm.releases(status="deployed")] == [3]
    helm.uninstall()
    assert helm.releases() == []
    eventually(lambda: not any(helm.get(obj) for obj in first))
    pods = dynamic.resources.get(api_version="v1", kind="Pod")
    eventually(lambda: not pods.get(namespace=namespace, label_selector="app=shop").items)


def _live(helm: Helm, objs: list[Obj], kind: str) -> Obj:
    live = helm.get(next(obj for obj in objs if obj["kind"] == kind))
    assert live is not None
    return live


def test_a_secret_of_a_release_is_found_by_its_type(dynamic: Any, cluster: Cluster, namespace: str) -> None:
    helm = Helm(dynamic, namespace, "shop")
    helm.install([{"apiVersion": "v1", "kind": "ConfigMap", "metadata": about("c"), "data": {"a": "x" * 500_000}}])
    found = cluster.get("secrets", "-n", namespace, "--field-selector", "type=helm.sh/release.v1")["items"]
    assert [s["metadata"]["name"] for s in found] == ["sh.helm.release.v1.shop.v1"]
    helm.uninstall()


def test_definitions_come_before_what_they_define(dynamic: Any, namespace: str) -> None:
    """Where the server has custom resources: a chart's crds/ folder first, then, when established, objects of them."""
    found = dynamic.resources.search(api_version="apiextensions.k8s.io/v1", kind="CustomResourceDefinition")
    if not found:
        pytest.skip("this server defines no custom resources")
    names = {"plural": "shops", "singular": "shop", "kind": "Shop", "listKind": "ShopList"}
    shape = {"type": "object", "properties": {"spec": {"type": "object", "properties": {"size": {"type": "integer"}}}}}
    served = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": shape}}
    definition: Obj = {
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "shops.example.com"},
        "spec": {"group": "example.com", "scope": "Namespaced", "names": names, "versions": [served]},
    }  # fmt: skip
    shop: Obj = {"apiVersion": "example.com/v1", "kind": "Shop", "metadata": about("s"), "spec": {"size": 1}}
    helm = Helm(dynamic, namespace, "shop")
    dynamic.resources.get(api_version="apiextensions.k8s.io/v1", kind="CustomResourceDefinition").create(
        body=definition
    )
    try:
        helm.wait([definition])
        dynamic.resources.invalidate_cache()
        helm.install([shop])
        helm.upgrade([{**shop, "spec": {"size": 2}}], 2)
        assert _live(helm, [shop], "Shop")["spec"] == {"size": 2}
        helm.uninstall()
        eventually(lambda: helm.get(shop) is None)
    finally:
        dynamic.resources.get(api_version="apiextensions.k8s.io/v1", kind="CustomResourceDefinition").delete(
            name="shops.example.com"
        )

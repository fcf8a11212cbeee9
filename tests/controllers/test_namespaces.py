"""Namespaces: what each is given, and how one is emptied and let go."""

from __future__ import annotations

from typing import Any

from kubelearn.api.resource import Obj
from kubelearn.controllers.base import CONFIGMAPS, NAMESPACES, PODS, SERVICEACCOUNTS, Options


async def test_each_namespace_gets_an_account_and_the_root_certificate(cluster: Any) -> None:
    await cluster.start("serviceaccount", "root_ca", options=Options(root_ca="PEM"))
    await cluster.namespace("shop")
    await cluster.settled()
    assert cluster.get(SERVICEACCOUNTS, "default", "shop")
    assert cluster.get(CONFIGMAPS, "kube-root-ca.crt", "shop")["data"] == {"ca.crt": "PEM"}
    await cluster.client.delete(SERVICEACCOUNTS, "default", "shop")
    await cluster.client.patch(CONFIGMAPS, "kube-root-ca.crt", "shop", {"data": {"ca.crt": "forged"}})
    await cluster.settled()
    assert cluster.get(SERVICEACCOUNTS, "default", "shop")
    assert cluster.get(CONFIGMAPS, "kube-root-ca.crt", "shop")["data"] == {"ca.crt": "PEM"}


async def test_without_a_certificate_the_publisher_stays_out(cluster: Any) -> None:
    manager = await cluster.start("root_ca")
    assert not manager.contexts


async def test_a_namespace_goes_when_its_content_has_gone(cluster: Any) -> None:
    await cluster.start("namespace", "serviceaccount", options=Options(namespace_retry=0.05))
    await cluster.namespace("shop")
    body: Obj = {"metadata": {"name": "p"}, "spec": {"nodeName": "worker-1", "containers": [{"name": "c"}]}}
    await cluster.client.create(PODS, body, "shop")
    await cluster.client.create(CONFIGMAPS, {"metadata": {"name": "c"}}, "shop")
    await cluster.client.delete(NAMESPACES, "shop")
    await cluster.settled(0.02)
    found = cluster.get(NAMESPACES, "shop")
    told = {c["type"]: (c["status"], c["message"]) for c in found["status"]["conditions"]}
    assert told["NamespaceContentRemaining"] == (
        "True",
        "Some resources are remaining: pods. has 1 resource instances",
    )
    assert not cluster.all(CONFIGMAPS, "shop")
    await cluster.run_pods()
    await cluster.until(lambda: len(cluster.all(NAMESPACES)) == 1)
    assert not cluster.all(SERVICEACCOUNTS, "shop")

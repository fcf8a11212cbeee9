"""Quota, pod security and disruption budgets, as real kubectl meets them."""

from __future__ import annotations

import json

from support.clusters import Cluster, eventually


def _web(cluster: Cluster, namespace: str) -> None:
    n = ("-n", namespace)
    assert cluster.kubectl("create", "deployment", "web", "--image=kubelearn/web:v1", "--replicas=2", *n).code == 0
    done = cluster.kubectl("rollout", "status", "deployment/web", "--timeout=60s", *n)
    assert done.code == 0, done.err


def test_what_exceeds_a_quota_is_refused(cluster: Cluster, namespace: str) -> None:
    n = ("-n", namespace)
    assert cluster.kubectl("create", "quota", "q", "--hard=count/secrets=1", *n).code == 0
    eventually(lambda: cluster.get("quota", "q", *n).get("status", {}).get("used") == {"count/secrets": "0"})
    assert cluster.kubectl("create", "secret", "generic", "a", *n).code == 0
    done = cluster.kubectl("create", "secret", "generic", "b", *n)
    why = "exceeded quota: q, requested: count/secrets=1, used: count/secrets=1, limited: count/secrets=1"
    assert (done.code, why in done.err) == (1, True), done.err
    assert cluster.kubectl("delete", "secret", "a", *n).code == 0
    eventually(lambda: cluster.kubectl("create", "secret", "generic", "b", *n).code == 0)


def test_a_restricted_namespace_refuses_a_plain_pod(cluster: Cluster, namespace: str) -> None:
    label = "pod-security.kubernetes.io/enforce=restricted"
    assert cluster.kubectl("label", "namespace", namespace, label).code == 0
    done = cluster.kubectl("run", "p", "--image=kubelearn/web:v1", "-n", namespace)
    assert done.code == 1
    assert 'violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false' in done.err


def test_a_drain_waits_for_the_budget_and_goes_on_once_it_may(cluster: Cluster, namespace: str) -> None:
    n = ("-n", namespace)
    _web(cluster, namespace)
    assert cluster.kubectl("create", "pdb", "web", "--selector=app=web", "--min-available=2", *n).code == 0
    eventually(lambda: cluster.get("pdb", "web", *n).get("status", {}).get("currentHealthy") == 2)
    node = cluster.get("pods", "-l", "app=web", *n)["items"][0]["spec"]["nodeName"]
    drain = ("drain", node, "--ignore-daemonsets", "--delete-emptydir-data", "--force", "--pod-selector=app=web")
    try:
        done = cluster.kubectl(*drain, "--timeout=7s")
        assert done.code == 1
        assert "Cannot evict pod as it would violate the pod's disruption budget." in done.err
        patch = json.dumps({"spec": {"minAvailable": 1}})
        assert cluster.kubectl("patch", "pdb", "web", "-p", patch, *n).code == 0
        done = cluster.kubectl(*drain, "--timeout=60s")
        assert done.code == 0, done.err
        eventually(
            lambda: all(p["spec"].get("nodeName") != node for p in cluster.get("pods", "-l", "app=web", *n)["items"])
        )
    finally:
        cluster.kubectl("uncordon", node)

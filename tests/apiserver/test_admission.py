"""What pods get from the cluster, and who writes which node into them."""

from __future__ import annotations

import asyncio

from support.api import NS, Api, configmap, pod

from kubelearn.apiserver.auth import User
from kubelearn.trace.cause import Cause

PODS = f"{NS}/pods"


async def test_account_token_and_tolerations(api: Api) -> None:
    await api.account()
    spec = (await api.ok("POST", PODS, pod()))["spec"]
    assert spec["serviceAccountName"] == "default"
    assert spec["containers"][0]["volumeMounts"][0]["mountPath"] == "/var/run/secrets/kubernetes.io/serviceaccount"
    assert "serviceAccountToken" in spec["volumes"][0]["projected"]["sources"][0]
    assert [t["tolerationSeconds"] for t in spec["tolerations"]] == [300, 300]
    quiet = await api.ok("POST", PODS, pod("q", automountServiceAccountToken=False))
    assert "volumes" not in quiet["spec"]


async def test_a_pod_waits_a_moment_for_its_account(api: Api) -> None:
    waiting = asyncio.ensure_future(api("POST", PODS, pod()))
    await asyncio.sleep(0.02)
    await api.account()
    assert (await waiting)[0] == 201


async def test_priority_classes(api: Api) -> None:
    await api.account()
    status, refused = await api("POST", PODS, pod(priorityClassName="ghost"))
    assert (status, refused["message"]) == (403, 'pods "p" is forbidden: no PriorityClass with name ghost was found')
    made = await api.ok("POST", PODS, pod(priorityClassName="system-node-critical"))
    assert made["spec"]["priority"] == 2_000_001_000


async def test_binding_is_for_ever(api: Api) -> None:
    await api.account()
    await api.ok("POST", PODS, pod())
    status, answer = await api("POST", f"{PODS}/p/binding", {"target": {"name": "n1"}})
    assert (status, answer["status"]) == (201, "Success")
    bound = await api.ok("GET", f"{PODS}/p")
    assert bound["spec"]["nodeName"] == "n1"
    assert [(c["type"], c["status"]) for c in bound["status"]["conditions"]] == [("PodScheduled", "True")]
    status, refused = await api("POST", f"{PODS}/p/binding", {"target": {"name": "n2"}})
    assert (status, refused["reason"]) == (409, "Conflict")
    assert 'pod p is already assigned to node "n1"' in refused["message"]


async def test_each_write_has_a_cause(api: Api) -> None:
    person = {"traceparent": f"00-{'a' * 32}-{'b' * 16}-01", "baggage": "kubelearn.command=kubectl%20create"}
    made = await api.ok("POST", f"{NS}/configmaps", configmap("a"), headers=person)
    revision = made["metadata"]["resourceVersion"]
    scheduler = User("system:kube-scheduler", ("system:authenticated",))
    acting = {"traceparent": f"00-{'c' * 32}-{'d' * 16}-01", "tracestate": f"kubelearn={revision}"}
    await api.ok("POST", f"{NS}/configmaps", configmap("b"), headers=acting, user=scheduler)
    first, second = [
        Cause.decode(event.kv.cause) for event in await api.server.store.history("/registry/configmaps/default/")
    ]
    assert first is not None
    assert second is not None
    assert (first.actor, first.verb, first.command, first.parent) == ("ann", "create", "kubectl create", 0)
    assert (second.actor, second.parent, second.trace_id) == ("kube-scheduler", int(revision), first.trace_id)

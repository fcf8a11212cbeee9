"""What a namespace allows: ResourceQuota, LimitRange and Pod Security, in Kubernetes' words."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from support.api import NS, Api, pod

from kubelearn.api import pod_security

QUOTAS, LIMITS = f"{NS}/resourcequotas", f"{NS}/limitranges"


async def quota(api: Api, **hard: str) -> None:
    """As the controller leaves it."""
    spec = {"hard": {name.replace("_", "."): amount for name, amount in hard.items()}}
    await api.ok("POST", QUOTAS, {"metadata": {"name": "q"}, "spec": spec})
    status = {"hard": spec["hard"], "used": dict.fromkeys(spec["hard"], "0")}
    await api.patch(f"{QUOTAS}/q/status", {"status": status})


async def limit_range(api: Api, kind: str = "Container", **item: Any) -> None:
    await api.ok("POST", LIMITS, {"metadata": {"name": "lr"}, "spec": {"limits": [{"type": kind, **item}]}})


def asking(name: str = "p", **resources: Any) -> Any:
    obj = pod(name)
    obj["spec"]["containers"][0]["resources"] = resources
    return obj


async def refused(api: Api, path: str, obj: Any) -> str:
    status, found = await api("POST", path, obj)
    assert (status, found["reason"]) == (403, "Forbidden"), found
    return str(found["message"])


@pytest.fixture(autouse=True)
async def account(api: Api) -> None:
    await api.account()


async def test_what_is_limited_must_be_said(api: Api) -> None:
    await quota(api, pods="2", requests_cpu="1")
    told = await refused(api, f"{NS}/pods", pod("p1"))
    assert told == 'pods "p1" is forbidden: failed quota: q: must specify requests.cpu for: c'


async def test_what_is_used_is_counted_at_once(api: Api) -> None:
    await quota(api, pods="2", requests_cpu="1")
    await api.ok("POST", f"{NS}/pods", asking("p1", requests={"cpu": "300m"}))
    used = (await api.ok("GET", f"{QUOTAS}/q"))["status"]["used"]
    assert used == {"pods": "1", "requests.cpu": "300m"}
    told = await refused(api, f"{NS}/pods", asking("p2", requests={"cpu": "900m"}))
    assert told == (
        'pods "p2" is forbidden: exceeded quota: q, requested: requests.cpu=900m, used: requests.cpu=300m, '
        "limited: requests.cpu=1"
    )


async def test_those_who_write_at_once_do_not_get_more(api: Api) -> None:
    await quota(api, pods="3")
    answers = await asyncio.gather(*(api("POST", f"{NS}/pods", pod(f"p{n}")) for n in range(10)))
    assert sorted(status for status, _ in answers) == [201] * 3 + [403] * 7


async def test_a_dry_run_counts_nothing(api: Api) -> None:
    await quota(api, configmaps="1")
    await api.ok("POST", f"{NS}/configmaps?dryRun=All", {"metadata": {"name": "a"}})
    assert (await api.ok("GET", f"{QUOTAS}/q"))["status"]["used"] == {"configmaps": "0"}


async def test_an_object_count_names_any_kind(api: Api) -> None:
    await quota(api, **{"count/deployments_apps": "0"})
    spec = {
        "selector": {"matchLabels": {"a": "b"}},
        "template": {"metadata": {"labels": {"a": "b"}}, "spec": pod()["spec"]},
    }
    told = await refused(api, "/apis/apps/v1/namespaces/default/deployments", {"metadata": {"name": "d"}, "spec": spec})
    assert "requested: count/deployments.apps=1, used: count/deployments.apps=0" in told


async def test_a_scope_limits_only_the_pods_that_it_means(api: Api) -> None:
    spec = {"hard": {"pods": "0"}, "scopes": ["BestEffort"]}
    await api.ok("POST", QUOTAS, {"metadata": {"name": "q"}, "spec": spec})
    await api.patch(f"{QUOTAS}/q/status", {"status": {"hard": spec["hard"], "used": {"pods": "0"}}})
    await api.ok("POST", f"{NS}/pods", asking("burstable", requests={"cpu": "1m"}))
    assert "exceeded quota" in await refused(api, f"{NS}/pods", pod("best"))


async def test_a_quota_nobody_has_counted_yet_lets_nothing_in(api: Api) -> None:
    await api.ok("POST", QUOTAS, {"metadata": {"name": "q"}, "spec": {"hard": {"pods": "2"}}})
    told = await refused(api, f"{NS}/pods", pod())
    assert told == 'pods "p" is forbidden: status unknown for quota: q, resources: pods'


async def test_node_ports_of_a_refused_service_are_free_again(api: Api) -> None:
    await quota(api, services="0")
    service = {"metadata": {"name": "s"}, "spec": {"type": "NodePort", "ports": [{"port": 80, "nodePort": 30080}]}}
    assert "exceeded quota" in await refused(api, f"{NS}/services", service)
    await api.patch(f"{QUOTAS}/q/status", {"status": {"hard": {"services": "5"}}})
    await api.ok("POST", f"{NS}/services", service)


async def test_a_limit_range_fills_in_and_says_so(api: Api) -> None:
    await limit_range(api, default={"cpu": "400m"}, defaultRequest={"cpu": "300m"}, max={"cpu": "1"})
    made = await api.ok("POST", f"{NS}/pods", pod("p1"))
    assert made["spec"]["containers"][0]["resources"] == {"limits": {"cpu": "400m"}, "requests": {"cpu": "300m"}}
    assert made["metadata"]["annotations"]["kubernetes.io/limit-ranger"] == (
        "LimitRanger plugin set: cpu request for container c; cpu limit for container c"
    )


@pytest.mark.parametrize(
    ("rule", "resources", "why"),
    [
        ({"max": {"cpu": "1"}}, {"limits": {"cpu": "2"}}, "maximum cpu usage per Container is 1, but limit is 2"),
        (
            {"min": {"memory": "64Mi"}},
            {"requests": {"memory": "1Mi"}},
            "minimum memory usage per Container is 64Mi, but request is 1Mi",
        ),
        (
            {"maxLimitRequestRatio": {"cpu": "2"}},
            {"requests": {"cpu": "100m"}, "limits": {"cpu": "1"}},
            "cpu max limit to request ratio per Container is 2, but provided ratio is 10.000000",
        ),
    ],
)
async def test_a_limit_range_refuses(api: Api, rule: Any, resources: Any, why: str) -> None:
    await limit_range(api, **rule)
    assert await refused(api, f"{NS}/pods", asking(**resources)) == f'pods "p" is forbidden: {why}'


async def test_a_limit_for_the_whole_pod(api: Api) -> None:
    await limit_range(api, "Pod", max={"cpu": "1"})
    obj = asking(limits={"cpu": "600m"})
    obj["spec"]["containers"].append({**obj["spec"]["containers"][0], "name": "d"})
    told = await refused(api, f"{NS}/pods", obj)
    assert told == 'pods "p" is forbidden: maximum cpu usage per Pod is 1, but limit is 1200m'


async def label(api: Api, **levels: str) -> Any:
    labels = {f"pod-security.kubernetes.io/{mode}": level for mode, level in levels.items()}
    body = {"metadata": {"labels": labels}}
    headers = {"content-type": "application/merge-patch+json"}
    return await api.send("PATCH", NS, body, headers=headers)


async def test_a_restricted_namespace_refuses_and_warns(api: Api) -> None:
    await label(api, enforce="restricted", warn="restricted")
    told = await refused(api, f"{NS}/pods", pod())
    violations = (
        'allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false), '
        'unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"]), '
        'runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true), '
        'seccompProfile (pod or container "c" must set securityContext.seccompProfile.type to "RuntimeDefault" or '
        '"Localhost")'
    )
    assert told == f'pods "p" is forbidden: violates PodSecurity "restricted:latest": {violations}'
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {**pod()["spec"], "restartPolicy": "Never"}}
    answer = await api.send(
        "POST", "/apis/batch/v1/namespaces/default/jobs", {"metadata": {"name": "j"}, "spec": {"template": template}}
    )
    assert answer.status == 201
    assert violations.replace('"', '\\"') in answer.headers["warning"]


async def test_a_pod_that_does_as_it_should_gets_in(api: Api) -> None:
    await label(api, enforce="restricted")
    obj = pod(securityContext={"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}})
    context = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    obj["spec"]["containers"][0]["securityContext"] = context
    await api.ok("POST", f"{NS}/pods", obj)


async def test_a_namespace_that_begins_to_enforce_names_its_violators(api: Api) -> None:
    await api.ok("POST", f"{NS}/pods", pod("a", hostNetwork=True))
    await api.ok("POST", f"{NS}/pods", pod("b", hostNetwork=True))
    answer = await label(api, enforce="baseline")
    assert (
        'existing pods in namespace \\"default\\" violate the new PodSecurity enforce level'
        in answer.headers["warning"]
    )
    assert "a (and 1 other pod): host namespaces" in answer.headers["warning"]


@pytest.mark.parametrize(
    ("spec", "context", "told"),
    [
        ({"hostPID": True, "hostNetwork": True}, {}, "host namespaces (hostNetwork=true, hostPID=true)"),
        ({"volumes": [{"name": "v", "hostPath": {"path": "/"}}]}, {}, 'hostPath volumes (volume "v")'),
        ({}, {"privileged": True}, 'privileged (container "c" must not set securityContext.privileged=true)'),
        (
            {},
            {"capabilities": {"add": ["NET_ADMIN"]}},
            'non-default capabilities (container "c" must not include "NET_ADMIN" in securityContext.capabilities.add)',
        ),
        (
            {"securityContext": {"seccompProfile": {"type": "Unconfined"}}},
            {},
            'seccompProfile (pod must not set securityContext.seccompProfile.type to "Unconfined")',
        ),
        ({"securityContext": {"sysctls": [{"name": "kernel.x", "value": "1"}]}}, {}, "forbidden sysctls (kernel.x)"),
        ({}, {}, ""),
    ],
)
def test_baseline(spec: Any, context: Any, told: str) -> None:
    found = {"containers": [{"name": "c", "image": "web:v1", "securityContext": context}], **spec}
    assert pod_security.told(pod_security.violations(found, "baseline")) == told


def test_host_ports_are_counted_and_named() -> None:
    containers = [{"name": n, "ports": [{"containerPort": p, "hostPort": p}]} for n, p in (("a", 81), ("b", 80))]
    found = pod_security.violations({"containers": containers}, "baseline")
    assert pod_security.told(found) == 'hostPort (containers "a", "b" use hostPorts 80, 81)'

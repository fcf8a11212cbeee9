"""Discovery: what the recorded Kubernetes says of the resources that both serve."""

from __future__ import annotations

from typing import Any

from support.api import Api

_AGGREGATED = {"accept": "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"}
_POD_SUBRESOURCES = [
    "attach", "binding", "ephemeralcontainers", "eviction", "exec", "log", "portforward", "proxy", "resize", "status"
]  # fmt: skip


async def test_aggregated_and_legacy_agree(api: Api) -> None:
    for root, prefix in (("/api", "/api"), ("/apis", "/apis/{}")):
        found = await api.ok("GET", root, headers=_AGGREGATED)
        assert found["kind"] == "APIGroupDiscoveryList"
        for group in found["items"]:
            for version in group["versions"]:
                path = prefix.format(group["metadata"].get("name")) + "/" + version["version"]
                legacy = await api.ok("GET", path)
                names = [r["name"] for r in legacy["resources"]]
                expected: list[str] = []
                for resource in version["resources"]:
                    expected.append(resource["resource"])
                    expected += [f"{resource['resource']}/{s['subresource']}" for s in resource.get("subresources", ())]
                assert names == expected


async def test_pods(api: Api) -> None:
    found = {r["name"]: r for r in (await api.ok("GET", "/api/v1"))["resources"]}
    pods: dict[str, Any] = found["pods"]
    assert (pods["singularName"], pods["kind"], pods["shortNames"], pods["categories"]) == (
        "pod",
        "Pod",
        ["po"],
        ["all"],
    )
    assert [n.removeprefix("pods/") for n in found if n.startswith("pods/")] == _POD_SUBRESOURCES
    assert found["pods/eviction"]["group"] == "policy"
    assert found["pods/proxy"]["kind"] == "PodProxyOptions"


async def test_groups(api: Api) -> None:
    groups = {g["name"] for g in (await api.ok("GET", "/apis"))["groups"]}
    assert {"apps", "coordination.k8s.io", "discovery.k8s.io", "kubelearn.dev"} <= groups
    assert (await api.ok("GET", "/apis/apps"))["preferredVersion"]["groupVersion"] == "apps/v1"
    version = await api.ok("GET", "/version")
    assert (version["major"], version["gitVersion"].partition("+")[0][:5]) == ("1", "v1.36")


async def test_readiness_in_detail(api: Api) -> None:
    answer = await api.send("GET", "/readyz?verbose=")
    assert answer.body.decode().splitlines() == ["[+]ping ok", "[+]log ok", "[+]etcd ok", "readyz check passed"]
    assert (await api.send("GET", "/livez/ping")).body == b"ok"
    assert (await api.send("GET", "/livez/nothing")).status == 404

"""Discovery: what the recorded Kubernetes says of the resources that both serve."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from support.api import Api

from kubelearn.api import priorities
from kubelearn.apiserver.auth import User

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


async def test_the_beta_of_aggregated_discovery_is_over(api: Api) -> None:
    """Kubernetes serves it no more since 1.33: kubectl 1.26 to 1.29 ask for it, and take the documents of old."""
    beta = "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList"
    for path, kind in (("/api", "APIVersions"), ("/apis", "APIGroupList")):
        answer = await api.send("GET", path, headers={"accept": f"{beta},application/json"})
        assert (answer.headers["content-type"], orjson.loads(answer.body)["kind"]) == ("application/json", kind)
        newer = f"{_AGGREGATED['accept']},{beta},application/json"
        answer = await api.send("GET", path, headers={"accept": newer})
        assert answer.headers["content-type"] == _AGGREGATED["accept"]


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


async def test_groups_come_in_kubernetes_order_and_custom_ones_last(api: Api) -> None:
    found = (await api.ok("GET", "/apis", headers=_AGGREGATED))["items"]
    names = [group["metadata"]["name"] for group in found]
    assert names[:4] == ["apiregistration.k8s.io", "apps", "events.k8s.io", "authentication.k8s.io"]
    assert names.index("batch") < names.index("policy") < names.index("rbac.authorization.k8s.io")
    assert names[-2:] == ["kubelearn.dev", "metrics.k8s.io"]
    (autoscaling,) = (group for group in found if group["metadata"]["name"] == "autoscaling")
    assert [v["version"] for v in autoscaling["versions"]] == ["v2", "v1"]


async def test_the_hash_of_the_stored_version(api: Api) -> None:
    found = {r["name"]: r for r in (await api.ok("GET", "/api/v1"))["resources"]}
    assert found["pods"]["storageVersionHash"] == "xPOwRZ+Yhw8=", "as Kubernetes has it"
    both = [(await api.ok("GET", f"/apis/autoscaling/{v}"))["resources"][0]["storageVersionHash"] for v in ("v1", "v2")]
    assert both[0] == both[1]


@pytest.mark.parametrize(
    ("names", "ordered"),
    [(["v1beta1", "v1", "v2", "v10", "v1alpha2", "zeta", "alpha"], ["v10", "v2", "v1", "v1beta1", "v1alpha2", "alpha", "zeta"])],
)  # fmt: skip
def test_versions_newest_first(names: list[str], ordered: list[str]) -> None:
    assert sorted(names, key=priorities.version_key) == ordered


async def test_readiness_in_detail(api: Api) -> None:
    answer = await api.send("GET", "/readyz?verbose=")
    lines = answer.body.decode().splitlines()
    assert lines[:3] == ["[+]ping ok", "[+]log ok", "[+]etcd ok"]
    assert "[+]poststarthook/rbac/bootstrap-roles ok" in lines
    assert lines[-1] == "readyz check passed"
    assert (await api.send("GET", "/livez/ping")).body == b"ok"
    assert (await api.send("GET", "/livez/nothing")).status == 404


async def test_what_is_not_ready_says_which_check_fails_unless_it_is_excluded(api: Api) -> None:
    api.server.hooks["bootstrap-controller"] = False
    answer = await api.send("GET", "/readyz")
    assert answer.status == 500
    assert b"[-]poststarthook/bootstrap-controller failed: reason withheld\n" in answer.body
    assert (await api.send("GET", "/readyz/poststarthook/bootstrap-controller")).status == 500
    assert (await api.send("GET", "/readyz?exclude=poststarthook/bootstrap-controller")).status == 200
    api.server.closing = True
    assert (await api.send("GET", "/readyz/shutdown")).status == 500
    assert (await api.send("GET", "/livez/ping")).status == 200


async def test_the_root_lists_the_paths(api: Api) -> None:
    found = (await api.ok("GET", "/"))["paths"]
    assert {"/api", "/api/v1", "/apis/apps", "/apis/apps/v1", "/metrics", "/readyz/ping"} <= set(found)


async def test_metrics_count_requests_by_what_they_asked_for(api: Api) -> None:
    for _ in range(3):
        await api.ok("GET", "/api/v1/namespaces/default")
    await api("GET", "/api/v1/namespaces/none")
    answer = await api.send("GET", "/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = answer.body.decode().splitlines()
    told = 'verb="GET",group="",version="v1",resource="namespaces",subresource="",scope="resource"'
    (fine,) = (line for line in lines if line.startswith(f'apiserver_request_total{{{told},code="200"}}'))
    assert int(fine.rpartition(" ")[2]) >= 3
    assert f'apiserver_request_total{{{told},code="404"}}' in "\n".join(lines)
    below = [
        int(line.rpartition(" ")[2])
        for line in lines
        if line.startswith(f"apiserver_request_duration_seconds_bucket{{{told}")
    ]
    assert below == sorted(below)
    assert f"apiserver_request_duration_seconds_count{{{told}}} {below[-1]}" in lines
    assert 'apiserver_storage_objects{resource="namespaces"} 4' in lines
    assert 'apiserver_current_inflight_requests{request_kind="readOnly"} 1' in lines


async def test_metrics_know_the_open_watches(api: Api) -> None:
    made = await api.ok("POST", "/api/v1/namespaces/default/configmaps", {"metadata": {"name": "first"}})
    since = made["metadata"]["resourceVersion"]
    watch = api.watch(f"/api/v1/namespaces/default/configmaps?resourceVersion={since}")
    await api.ok("POST", "/api/v1/namespaces/default/configmaps", {"metadata": {"name": "second"}})
    assert (await anext(watch))["type"] == "ADDED"
    text = (await api.send("GET", "/metrics")).body.decode()
    told = 'verb="WATCH",group="",version="v1",resource="configmaps",subresource="",scope="namespace"'
    assert f"apiserver_longrunning_requests{{{told}}} 1" in text
    assert 'apiserver_watch_events_total{group="",kind="ConfigMap"}' in text
    await watch.aclose()  # type: ignore[attr-defined]


async def test_metrics_are_for_those_who_may(api: Api) -> None:
    answer = await api.send("GET", "/metrics", user=User("bob", ("system:authenticated",)))
    assert answer.status == 403


async def test_a_client_that_has_a_document_is_told_so(api: Api) -> None:
    for path, headers in (("/apis", _AGGREGATED), ("/openapi/v3", {}), ("/openapi/v3/apis/apps/v1", {})):
        first = await api.send("GET", path, headers=headers)
        assert (first.status, first.headers["vary"]) == (200, "Accept")
        again = await api.send("GET", path, headers=headers | {"if-none-match": first.headers["etag"]})
        assert (again.status, again.body, again.headers["etag"]) == (304, b"", first.headers["etag"])
        other = await api.send("GET", "/api", headers=_AGGREGATED | {"if-none-match": first.headers["etag"]})
        assert other.status == 200

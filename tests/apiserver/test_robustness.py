"""Nothing that a client sends may be answered by 500, except where Kubernetes itself does."""

from __future__ import annotations

import gzip
from typing import Any

import aiohttp
import orjson
import pytest
from apiserver.conftest import Secure
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.api import ADMIN, NS, Api, configmap, pod

from kubelearn.apiserver.server import ApiServer
from kubelearn.client.transport import Request

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["metadata", "spec", "name", "labels", "status", "kind", "target", "containers", "finalizers"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
PATHS = [
    f"{NS}/configmaps", f"{NS}/configmaps/c", f"{NS}/pods", f"{NS}/pods/p", f"{NS}/pods/p/status", f"{NS}/pods/p/binding",
    f"{NS}/pods/p/eviction", f"{NS}/services", f"{NS}/services/kubernetes", f"{NS}/serviceaccounts/default/token",
    f"{NS}/secrets", "/api/v1/nodes", "/api/v1/namespaces", "/api/v1/namespaces/default/finalize",
    "/apis/apps/v1/namespaces/default/deployments", "/apis/apps/v1/namespaces/default/deployments/d/scale",
    "/apis/coordination.k8s.io/v1/namespaces/default/leases", f"{NS}/events", f"{NS}/endpoints",
    "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", "/apis/kubelearn.dev/v1alpha1/gates/x",
    "/apis/kubelearn.dev/v1alpha1/gates/x/step",
]  # fmt: skip
TYPES = ["application/json", "application/merge-patch+json", "application/json-patch+json", "application/yaml",
         "application/strategic-merge-patch+json", "application/vnd.kubernetes.protobuf"]  # fmt: skip


@pytest.fixture
async def furnished(api: Api) -> ApiServer:
    await api.account()
    await api.ok("POST", f"{NS}/configmaps", configmap())
    await api.ok("POST", f"{NS}/pods", pod())
    return api.server


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(["POST", "PUT", "PATCH", "DELETE"]), st.sampled_from(PATHS), st.sampled_from(TYPES), JSON)
async def test_bodies(furnished: ApiServer, method: str, path: str, kind: str, body: Any) -> None:
    request = Request(method, path, [("dryRun", "All")], {"content-type": kind}, orjson.dumps(body))
    answer = await furnished.handle(request, ADMIN)
    assert answer.status != 500, answer.body


APPLIED = {
    f"{NS}/configmaps/c": ("v1", "ConfigMap"), f"{NS}/configmaps/new": ("v1", "ConfigMap"), f"{NS}/pods/p": ("v1", "Pod"),
    f"{NS}/pods/p/status": ("v1", "Pod"), f"{NS}/services/kubernetes": ("v1", "Service"),
    "/apis/apps/v1/namespaces/default/deployments/d": ("apps/v1", "Deployment"),
    "/apis/apps/v1/namespaces/default/deployments/d/scale": ("autoscaling/v1", "Scale"),
}  # fmt: skip


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(sorted(APPLIED)), JSON, JSON, JSON, st.booleans())
async def test_applied_bodies(
    furnished: ApiServer, path: str, about: Any, spec: Any, owners: Any, through_patch: bool
) -> None:
    """500 is what Kubernetes answers to a configuration that breaks the schema, and then only."""
    api_version, kind = APPLIED[path]
    metadata = {**about, "name": path.split("/")[6]} if isinstance(about, dict) else about
    body: Any = {"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec}
    media = "application/apply-patch+yaml"
    if through_patch:
        media, body = "application/merge-patch+json", {"metadata": {"managedFields": owners}}
    query = [("fieldManager", "m"), ("dryRun", "All"), *([] if through_patch else [("force", "1")])]
    answer = await furnished.handle(Request("PATCH", path, query, {"content-type": media}, orjson.dumps(body)), ADMIN)
    assert answer.status != 500 or b"failed to create typed patch object" in answer.body, answer.body


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["GET", "DELETE"]),
    st.sampled_from(PATHS),
    st.sampled_from(["limit", "continue", "labelSelector", "fieldSelector", "resourceVersion", "gracePeriodSeconds",
                     "propagationPolicy", "fieldValidation", "includeObject", "resourceVersionMatch"]),
    st.text(max_size=8),
)  # fmt: skip
async def test_queries(furnished: ApiServer, method: str, path: str, name: str, value: str) -> None:
    request = Request(method, path, [(name, value), ("dryRun", "All")])
    answer = await furnished.handle(request, ADMIN)
    assert answer.status != 500, answer.body


@pytest.mark.parametrize(("size", "encoding"), [(1_000, None), (200_000, "gzip")])
async def test_large_answers_are_compressed_for_those_who_take_it(
    secure: Secure, size: int, encoding: str | None
) -> None:
    connector = aiohttp.TCPConnector(ssl=secure.client_tls("admin"))
    async with aiohttp.ClientSession(secure.url, connector=connector, auto_decompress=False) as session:
        path = f"{NS}/configmaps"
        async with session.post(path, json=configmap(a="x" * size)) as made:
            assert made.status == 201
        async with session.get(f"{path}/c", headers={"Accept-Encoding": "gzip"}) as answer:
            body = await answer.read()
            assert answer.headers.get("Content-Encoding") == encoding
        whole = gzip.decompress(body) if encoding else body
        assert orjson.loads(whole)["data"]["a"] == "x" * size

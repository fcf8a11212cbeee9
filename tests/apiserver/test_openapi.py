"""The OpenAPI documents as served: found by the index, hashed by what they say, kept once built."""

from __future__ import annotations

from hashlib import sha512

import orjson

from kubelearn.api import openapi_protobuf
from kubelearn.api.openapi import Custom
from kubelearn.api.resource import Resource
from kubelearn.apiserver.openapi import OpenApi

POD = Resource("", "v1", "Pod", "pods", "pod", True)
DEPLOYMENT = Resource("apps", "v1", "Deployment", "deployments", "deployment", True)


class Two:
    def resources(self) -> list[Resource]:
        return [POD, DEPLOYMENT]

    def structures(self) -> Custom:
        return {}


def served() -> OpenApi:
    return OpenApi(Two())


def test_the_index_leads_to_each_document_by_its_hash() -> None:
    found = served()
    paths = orjson.loads(found.v3_index())["paths"]
    assert sorted(paths) == ["api/v1", "apis/apps/v1"]
    for path, entry in paths.items():
        document = found.v3(path)
        assert document is not None
        digest = sha512(document).hexdigest().upper()
        assert entry["serverRelativeURL"] == f"/openapi/v3/{path}?hash={digest}"


def test_a_document_is_of_its_group_version_and_built_once() -> None:
    found = served()
    document = found.v3("apis/apps/v1")
    assert document is not None
    assert "/apis/apps/v1/deployments" in orjson.loads(document)["paths"]
    assert found.v3("apis/apps/v1") is document
    assert found.v3("apis/batch/v1") is None
    assert found.v3("") is None


def test_v2_comes_as_json_or_as_protobuf() -> None:
    found = served()
    body, content = found.v2("application/json, */*")
    assert content == "application/json"
    assert "io.k8s.api.core.v1.Pod" in orjson.loads(body)["definitions"]
    packed, content = found.v2(f"application/json;q=0.5,{openapi_protobuf.ACCEPT}")
    assert content == openapi_protobuf.MEDIA_TYPE
    assert packed.startswith(b"\x0a\x032.0")
    assert found.v2(openapi_protobuf.ACCEPT)[0] is packed

"""OpenAPI documents, as far as clients rely on them."""

from __future__ import annotations

from typing import Any

from kubelearn.api import openapi, openapi_protobuf, schema
from kubelearn.api.resource import Resource

POD = Resource("", "v1", "Pod", "pods", "pod", True, subresources=("status", "log", "eviction"))
DEPLOYMENT = Resource("apps", "v1", "Deployment", "deployments", "deployment", True, subresources=("scale",))
SPAN = Resource("kubelearn.dev", "v1alpha1", "Span", "spans", "span", False, verbs=("get", "list", "watch"))


def references(spec: Any) -> set[str]:
    if isinstance(spec, dict):
        own = {spec["$ref"]} if isinstance(spec.get("$ref"), str) else set()
        return own.union(*(references(value) for value in spec.values()))
    return set().union(*(references(value) for value in spec)) if isinstance(spec, list) else set()


def test_v3_is_closed_and_says_what_kubectl_looks_for() -> None:
    document = schema.openapi_v3("", "v1", [POD, DEPLOYMENT])
    schemas = document["components"]["schemas"]
    assert {ref.removeprefix("#/components/schemas/") for ref in references(document)} <= set(schemas)
    patch = document["paths"]["/api/v1/namespaces/{namespace}/pods/{name}"]["patch"]
    assert patch["x-kubernetes-group-version-kind"] == {"group": "", "version": "v1", "kind": "Pod"}
    assert {"fieldValidation", "dryRun"} <= {parameter["name"] for parameter in patch["parameters"]}
    assert "/api/v1/pods" in document["paths"]
    assert not any("deployments" in path for path in document["paths"])


def test_schemas_are_kubernetes_own() -> None:
    schemas = schema.openapi_v3("", "v1", [POD])["components"]["schemas"]
    pod = schemas["io.k8s.api.core.v1.Pod"]
    assert pod["x-kubernetes-group-version-kind"] == [{"group": "", "version": "v1", "kind": "Pod"}]
    assert pod["properties"]["kind"]["type"] == "string"
    assert "enum" not in pod["properties"]["kind"]
    assert pod["properties"]["spec"]["allOf"] == [{"$ref": "#/components/schemas/io.k8s.api.core.v1.PodSpec"}]
    policy = schemas["io.k8s.api.core.v1.PodSpec"]["properties"]["restartPolicy"]
    assert policy["enum"] == ["Always", "Never", "OnFailure"]
    port = schemas["io.k8s.apimachinery.pkg.util.intstr.IntOrString"]
    assert port == {"format": "int-or-string", "oneOf": [{"type": "integer"}, {"type": "string"}]}


def test_kinds_of_our_own_are_listed() -> None:
    schemas = schema.openapi_v3("kubelearn.dev", "v1alpha1", [SPAN])["components"]["schemas"]
    assert schemas["dev.kubelearn.v1alpha1.Span"]["x-kubernetes-group-version-kind"][0]["kind"] == "Span"


def fields(message: bytes) -> dict[int, list[bytes]]:
    """A protobuf message's length-delimited fields by number."""

    def varint(at: int) -> tuple[int, int]:
        value = shift = 0
        while True:
            byte = message[at]
            value |= (byte & 0x7F) << shift
            at, shift = at + 1, shift + 7
            if byte < 0x80:
                return value, at

    out: dict[int, list[bytes]] = {}
    at = 0
    while at < len(message):
        tag, at = varint(at)
        size, at = varint(at)
        if tag & 7 == 2:
            out.setdefault(tag >> 3, []).append(message[at : at + size])
            at += size
    return out


def test_v2_in_protobuf() -> None:
    document = fields(openapi_protobuf.encode(openapi.v2([POD])))
    assert document[1] == [b"2.0"]
    named = {fields(d)[1][0].decode(): fields(fields(d)[2][0]) for d in fields(document[9][0])[1]}
    pod = named["io.k8s.api.core.v1.Pod"]
    assert fields(pod[22][0])[1] == [b"object"]
    extensions = {fields(e)[1][0]: fields(fields(e)[2][0])[2][0] for e in pod[31]}
    assert extensions[b"x-kubernetes-group-version-kind"] == b"[{group: '', kind: Pod, version: v1}]\n"
    paths = [fields(p)[1][0].decode() for p in fields(document[8][0])[2]]
    assert "/api/v1/namespaces/{namespace}/pods/{name}/status" in paths

"""OpenAPI documents of what the server serves, from the official definitions.

v3 is what kubectl explains from and where it looks up that the server validates fields; v2, as protobuf
(`openapi_protobuf`), is what it checks a `kind: List` with. Documents hold only what the given resources
reach, and are built on demand: a caller that answers often keeps the encoded bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Literal

from kubelearn import KUBERNETES_VERSION
from kubelearn.api import definitions
from kubelearn.api.resource import Obj, Resource

Version = Literal[2, 3]
_REFS: Mapping[Version, str] = {2: "#/definitions/", 3: "#/components/schemas/"}
_META = "io.k8s.apimachinery.pkg.apis.meta.v1."
_ALWAYS = (_META + "Status", _META + "DeleteOptions")
_POD_LIST = "io.k8s.api.core.v1.PodList"
_GVK = "x-kubernetes-group-version-kind"
_QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"
_INT_OR_STRING = "io.k8s.apimachinery.pkg.util.intstr.IntOrString"
_KEPT = ("description", "format", "required", "readOnly", "title")

#: Subresources that have a kind of their own.
_SUBRESOURCE_KINDS: Mapping[str, definitions.Gvk] = {
    "scale": ("autoscaling", "v1", "Scale"),
    "eviction": ("policy", "v1", "Eviction"),
    "binding": ("", "v1", "Binding"),
    "token": ("authentication.k8s.io", "v1", "TokenRequest"),
}


#: openAPIV3Schemas of custom resources by group, version and kind.
Custom = Mapping[definitions.Gvk, Obj]


def v3(group: str, version: str, resources: Iterable[Resource], custom: Custom = MappingProxyType({})) -> Obj:
    """The document at /openapi/v3/apis/GROUP/VERSION."""
    served = [r for r in resources if (r.group, r.version) == (group, version)]
    paths: dict[str, Any] = {}
    for resource in served:
        paths |= _paths(resource, 3)
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": f"v{KUBERNETES_VERSION}"},
        "paths": dict(sorted(paths.items())),
        "components": {"schemas": _schemas(served, 3, custom)},
    }


def v2(resources: Iterable[Resource], custom: Custom = MappingProxyType({})) -> Obj:
    """The document at /openapi/v2; without resources it has every definition and no paths."""
    served = list(resources)
    paths: dict[str, Any] = {}
    for resource in served:
        paths |= _paths(resource, 2)
    return {
        "swagger": "2.0",
        "info": {"title": "Kubernetes", "version": f"v{KUBERNETES_VERSION}"},
        "paths": dict(sorted(paths.items())),
        "definitions": _schemas(served, 2, custom),
    }


def _schemas(resources: list[Resource], openapi: Version, custom: Custom) -> dict[str, Any]:
    roots: set[str] = set(_ALWAYS) if resources else set(definitions.names())
    own: dict[str, Any] = {}
    for resource in resources:
        gvk = (resource.group, resource.version, resource.kind)
        name = definitions.name_of(*gvk)
        if name is None:
            schema = custom.get(gvk)
            if schema is None:
                own[_own_name(resource)] = _own_schema(resource)
            else:
                own |= _custom(resource, schema, openapi)
                roots |= {_META + "ObjectMeta", _META + "ListMeta"}
            continue
        others = [(*gvk[:2], resource.kind + "List")]
        others += [_SUBRESOURCE_KINDS[s] for s in resource.subresources if s in _SUBRESOURCE_KINDS]
        roots.add(name)
        roots.update(found for other in others if (found := definitions.name_of(*other)))
    return dict(sorted((own | {n: _definition(n, openapi) for n in _closure(roots)}).items()))


def _own_name(resource: Resource) -> str:
    """A definition's name for a kind that is not Kubernetes' own: `dev.kubelearn.v1alpha1.Span`."""
    return ".".join([*reversed(resource.group.split(".")), resource.version, resource.kind])


def _own_schema(resource: Resource) -> dict[str, Any]:
    return {"type": "object", _GVK: [_gvk(resource.group, resource.version, resource.kind)]}


def _custom(resource: Resource, schema: Obj, openapi: Version) -> dict[str, Any]:
    """A custom resource and its list, as apiextensions-apiserver publishes them."""
    name, gvk = _own_name(resource), (resource.group, resource.version, resource.kind)

    def with_meta(found: Obj, of: definitions.Gvk, meta: str, properties: Obj) -> Obj:
        about = {**definitions.raw(_POD_LIST)["properties"]["metadata"], "$ref": definitions.PREFIX + meta}
        texts = {key: _schema(definitions.raw(_POD_LIST)["properties"][key], openapi) for key in ("apiVersion", "kind")}
        properties = {**properties, **texts, "metadata": _schema(about, openapi)}
        return {"type": "object", **found, "properties": properties, _GVK: [_gvk(*of)]}

    body = schema if openapi == 3 else _plain(schema)
    items = {"type": "array", "items": {"$ref": _REFS[openapi] + name}}
    listed = {"description": f"{resource.kind}List is a list of {resource.kind}", "required": ["items"]}
    return {
        name: with_meta(body, gvk, _META + "ObjectMeta", body.get("properties") or {}),
        name + "List": with_meta(listed, (*gvk[:2], gvk[2] + "List"), _META + "ListMeta", {"items": items}),
    }


def _plain(schema: Any) -> Any:
    """Without what OpenAPI v2 cannot say."""
    if isinstance(schema, dict):
        return {k: _plain(v) for k, v in schema.items() if k not in ("anyOf", "oneOf", "not", "nullable", "default")}
    return [_plain(item) for item in schema] if isinstance(schema, list) else schema


def _gvk(group: str, version: str, kind: str) -> dict[str, str]:
    return {"group": group, "kind": kind, "version": version}


def _closure(roots: set[str]) -> Iterator[str]:
    """The names and all that they refer to."""
    seen: set[str] = set()
    waiting = sorted(roots)
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        yield name
        waiting += _references(definitions.raw(name))


def _references(spec: Any) -> Iterator[str]:
    if isinstance(spec, dict):
        for key, value in spec.items():
            if key == "$ref" and isinstance(value, str):
                yield value.removeprefix(definitions.PREFIX)
            else:
                yield from _references(value)
    elif isinstance(spec, list):
        for value in spec:
            yield from _references(value)


def _definition(name: str, openapi: Version) -> dict[str, Any]:
    raw = definitions.raw(name)
    if name == _QUANTITY:
        both = [{"type": "string"}, {"type": "number"}]
        return {"oneOf": both} if openapi == 3 else {"type": "string"}
    if name == _INT_OR_STRING:
        both = [{"type": "integer"}, {"type": "string"}]
        shape = {"oneOf": both} if openapi == 3 else {"type": "string"}
        return shape | {"format": "int-or-string"}
    out = _schema(raw, openapi)
    for field, facts in definitions.facts().get(name, {}).items():
        if (spec := out.get("properties", {}).get(field)) is not None:
            if openapi == 3 and "$ref" in spec:
                spec["allOf"] = [{"$ref": spec.pop("$ref")}]
            spec |= {key: value for key, value in facts.items() if openapi == 3 or key == "enum"}
    return out


def _schema(raw: Mapping[str, Any], openapi: Version) -> dict[str, Any]:
    """A schema as Kubernetes publishes it: the package's additions (null types, enums of kind) taken back."""
    out = {key: raw[key] for key in raw if key in _KEPT or key.startswith("x-")}
    if kind := definitions.json_type(raw):
        out["type"] = kind
    if ref := definitions.referenced(raw):
        target = {"$ref": _REFS[openapi] + ref}
        out = out | {"allOf": [target]} if openapi == 3 and out else out | target
    if "properties" in raw:
        out["properties"] = {key: _schema(value, openapi) for key, value in raw["properties"].items()}
    for key in ("items", "additionalProperties"):
        if isinstance(raw.get(key), dict):
            out[key] = _schema(raw[key], openapi)
    return out


def _paths(resource: Resource, openapi: Version) -> dict[str, Any]:
    gvk = (resource.group, resource.version, resource.kind)
    namespace = "{namespace}" if resource.namespaced else ""
    verbs = set(resource.verbs)
    collection = {"list": "get", "create": "post", "deletecollection": "delete"}
    item = {"get": "get", "update": "put", "patch": "patch", "delete": "delete"}
    builder = _PathBuilder(resource, openapi)
    out: dict[str, Any] = {}
    if found := {http: verb for verb, http in collection.items() if verb in verbs}:
        out[resource.path(namespace)] = builder.path(found, gvk, namespace, "")
    if resource.namespaced and "list" in verbs:
        out[resource.path()] = builder.path({"get": "list"}, gvk, "", "")
    if found := {http: verb for verb, http in item.items() if verb in verbs}:
        out[resource.path(namespace, "{name}")] = builder.path(found, gvk, namespace, "{name}")
    for subresource in resource.subresources:
        path = resource.path(namespace, "{name}", subresource)
        if subresource in ("status", "scale"):
            methods = {"get": "get", "put": "update", "patch": "patch"}
        else:
            methods = {"post": "create"} if subresource in _SUBRESOURCE_KINDS else {"get": "connect"}
        kind = _SUBRESOURCE_KINDS.get(subresource, gvk)
        out[path] = builder.path(methods, kind, namespace, "{name}", subresource)
    return out


_ACTIONS = {"create": "post", "update": "put"}
_QUERY: Mapping[str, tuple[str, ...]] = {
    "create": ("dryRun", "fieldManager", "fieldValidation"),
    "update": ("dryRun", "fieldManager", "fieldValidation"),
    "patch": ("dryRun", "fieldManager", "fieldValidation", "force"),
    "delete": ("dryRun", "gracePeriodSeconds", "orphanDependents", "propagationPolicy"),
    "list": (
        "allowWatchBookmarks", "continue", "fieldSelector", "labelSelector", "limit", "resourceVersion",
        "resourceVersionMatch", "sendInitialEvents", "timeoutSeconds", "watch",
    ),
}  # fmt: skip
_QUERY_TYPES = {
    "force": "boolean", "gracePeriodSeconds": "integer", "orphanDependents": "boolean", "limit": "integer",
    "allowWatchBookmarks": "boolean", "sendInitialEvents": "boolean", "timeoutSeconds": "integer",
    "watch": "boolean",
}  # fmt: skip


class _PathBuilder:
    def __init__(self, resource: Resource, openapi: Version) -> None:
        self.resource = resource
        self.openapi = openapi

    def path(
        self, methods: Mapping[str, str], gvk: definitions.Gvk, namespace: str, name: str, subresource: str = ""
    ) -> dict[str, Any]:
        """`methods` maps HTTP methods to verbs."""
        out: dict[str, Any] = {
            method: self.operation(verb, gvk, namespace, subresource) for method, verb in methods.items()
        }
        found = [n for n, there in (("name", name), ("namespace", namespace)) if there]
        out["parameters"] = [self.parameter(n, "path") for n in found] + [self.parameter("pretty", "query")]
        return out

    def parameter(self, name: str, where: str) -> dict[str, Any]:
        shape = {"type": _QUERY_TYPES.get(name, "string"), "uniqueItems": True}
        out: dict[str, Any] = {"name": name, "in": where}
        if where == "path":
            out["required"] = True
        return out | ({"schema": shape} if self.openapi == 3 else shape)

    def operation(
        self, verb: str, gvk: definitions.Gvk, namespace: str, subresource: str
    ) -> dict[str, Any]:  # fmt: skip
        group = self.resource.group.split(".")[0].capitalize() or "Core"
        scope = "Namespaced" if namespace else ""
        name = f"{verb}{group}{self.resource.version.capitalize()}{scope}{self.resource.kind}"
        out: dict[str, Any] = {
            "operationId": name + subresource.capitalize(),
            _GVK: _gvk(*gvk),
            "x-kubernetes-action": _ACTIONS.get(verb, verb),
            "parameters": [self.parameter(query, "query") for query in _QUERY.get(verb, ())],
            "responses": {"200": {"description": "OK"}},
        }
        listed = (*gvk[:2], gvk[2] + "List") if verb == "list" else gvk
        if self.openapi == 3 and (definition := definitions.name_of(*listed)):
            content = {"application/json": {"schema": {"$ref": _REFS[3] + definition}}}
            out["responses"]["200"]["content"] = content
            if verb in ("create", "update"):
                out["requestBody"] = {"content": content, "required": True}
        return out

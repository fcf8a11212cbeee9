"""`/version`, `/api`, `/apis` and below: what clients ask first. The aggregated form (v2) and the legacy ones."""

from __future__ import annotations

import base64
import hashlib
import platform
from typing import Any

from kubelearn import KUBERNETES_VERSION, __version__
from kubelearn.api.resource import Obj, Resource
from kubelearn.apiserver.registry import Registry

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


def version() -> Obj:
    major, minor, _ = KUBERNETES_VERSION.split(".")
    return {
        "major": major,
        "minor": minor,
        "emulationMajor": major,
        "emulationMinor": minor,
        "minCompatibilityMajor": major,
        "minCompatibilityMinor": str(int(minor) - 1),
        "gitVersion": f"v{KUBERNETES_VERSION}+kubelearn.{__version__}",
        "gitCommit": "",
        "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": f"python{platform.python_version()}",
        "compiler": platform.python_implementation().lower(),
        "platform": f"{platform.system().lower()}/{platform.machine().replace('x86_64', 'amd64')}",
    }


def openid_configuration(issuer: str, algorithm: str) -> Obj:
    """What OpenID Connect Discovery asks for: where the keys of ServiceAccount tokens are. Source: KEP-1393."""
    return {
        "issuer": issuer,
        "jwks_uri": f"{issuer}/openid/v1/jwks",
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [algorithm],
    }


def wants_aggregated(accept: str) -> bool:
    return "as=APIGroupDiscoveryList" in accept and "v=v2" in accept.replace("v=v2beta1", "")


def api_versions(address: str) -> Obj:
    return {
        "kind": "APIVersions",
        "versions": ["v1"],
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}],
    }


def groups(registry: Registry) -> Obj:
    found = [_group(name, versions) for name, versions in registry.group_versions().items() if name]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": found}


def _group(name: str, versions: list[str]) -> Obj:
    listed = [{"groupVersion": f"{name}/{v}", "version": v} for v in versions]
    return {"name": name, "versions": listed, "preferredVersion": listed[0]}


def group(registry: Registry, name: str) -> Obj | None:
    versions = registry.group_versions().get(name)
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(name, versions)} if versions else None


def resources(registry: Registry, group_name: str, version_name: str) -> Obj | None:
    """The APIResourceList of a group version, None if it is not served."""
    served = [r for r in registry.resources() if (r.group, r.version) == (group_name, version_name)]
    if not served:
        return None
    items: list[Obj] = []
    for resource in sorted(served, key=lambda r: r.plural):
        items.append(_legacy(registry, resource))
        for sub in sorted(resource.subresources):
            sub_group, sub_version, kind, verbs = registry.subresource_kind(resource, sub)
            item: Obj = {
                "name": f"{resource.plural}/{sub}",
                "singularName": "",
                "namespaced": resource.namespaced,
                "kind": kind,
                "verbs": list(verbs),
            }
            if (sub_group, sub_version) != (resource.group, resource.version):
                item |= {"group": sub_group, "version": sub_version}
            items.append(item)
    name = f"{group_name}/{version_name}" if group_name else version_name
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": name, "resources": items}


def _legacy(registry: Registry, resource: Resource) -> Obj:
    item: dict[str, Any] = {
        "name": resource.plural,
        "singularName": resource.singular,
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": list(resource.verbs),
    }
    if resource.short_names:
        item["shortNames"] = list(resource.short_names)
    if resource.categories:
        item["categories"] = list(resource.categories)
    kind = registry.find(resource.group, resource.version, resource.plural)
    if kind is not None and "get" in resource.verbs:
        item["storageVersionHash"] = _storage_version_hash(registry.stored(kind).resource)
    return item


def _storage_version_hash(stored: Resource) -> str:
    """Tells clients when objects begin to be stored as another version. Source: KEP-2339."""
    text = f"{stored.group}/{stored.version}/{stored.kind}"
    return base64.b64encode(hashlib.sha256(text.encode()).digest()[:8]).decode()


def aggregated(registry: Registry, *, core: bool) -> Obj:
    """APIGroupDiscoveryList of the core group (`/api`) or of all others (`/apis`)."""
    items = []
    for name, versions in registry.group_versions().items():
        if core == (name == ""):
            meta: Obj = {"name": name} if name else {}
            items.append({"metadata": meta, "versions": [_version(registry, name, v) for v in versions]})
    return {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items}


def _version(registry: Registry, group_name: str, version_name: str) -> Obj:
    served = [r for r in registry.resources() if (r.group, r.version) == (group_name, version_name)]
    listed = [_aggregated(registry, r) for r in sorted(served, key=lambda r: r.plural)]
    return {"version": version_name, "resources": listed, "freshness": "Current"}


def _aggregated(registry: Registry, resource: Resource) -> Obj:
    item: dict[str, Any] = {
        "resource": resource.plural,
        "responseKind": {"group": "", "version": "", "kind": resource.kind},
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": resource.singular,
        "verbs": list(resource.verbs),
    }
    if resource.short_names:
        item["shortNames"] = list(resource.short_names)
    if resource.categories:
        item["categories"] = list(resource.categories)
    subs = []
    for sub in sorted(resource.subresources):
        sub_group, sub_version, kind, verbs = registry.subresource_kind(resource, sub)
        if (sub_group, sub_version) == (resource.group, resource.version):
            sub_group = sub_version = ""  # left out where it is the resource's own
        response = {"group": sub_group, "version": sub_version, "kind": kind}
        subs.append({"subresource": sub, "responseKind": response, "verbs": list(verbs)})
    if subs:
        item["subresources"] = subs
    return item

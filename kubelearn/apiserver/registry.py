"""What is served: the kinds of the registry by path, and kubelearn's own group."""

from __future__ import annotations

from collections.abc import Iterable

from kubelearn.api.kind import Kind
from kubelearn.api.resource import Resource
from kubelearn.kit.discover import discover

#: Kinds that stand for several: what a subresource is called in discovery.
SUBRESOURCE_KINDS: dict[str, tuple[str, str, str, tuple[str, ...]]] = {
    "status": ("", "", "", ("get", "patch", "update")),
    "scale": ("autoscaling", "v1", "Scale", ("get", "patch", "update")),
    "binding": ("", "v1", "Binding", ("create",)),
    "eviction": ("policy", "v1", "Eviction", ("create",)),
    "token": ("authentication.k8s.io", "v1", "TokenRequest", ("create",)),
    "finalize": ("", "", "", ("update",)),
    "ephemeralcontainers": ("", "", "", ("get", "patch", "update")),
    "resize": ("", "", "", ("get", "patch", "update")),
    "log": ("", "", "", ("get",)),
    "exec": ("", "v1", "PodExecOptions", ("create", "get")),
    "attach": ("", "v1", "PodAttachOptions", ("create", "get")),
    "portforward": ("", "v1", "PodPortForwardOptions", ("create", "get")),
    "proxy": ("", "v1", "ProxyOptions", ("create", "delete", "get", "patch", "update")),
    "step": ("", "", "", ("create",)),
}
_PROXY_KINDS = {"Pod": "PodProxyOptions", "Service": "ServiceProxyOptions", "Node": "NodeProxyOptions"}


class Registry:
    """Kinds by (group, version, plural); `extra` are resources served by other handlers."""

    def __init__(self, extra: Iterable[Resource] = ()) -> None:
        kinds = discover("kubelearn.api.kinds", "KIND", Kind).values()
        self.kinds = {(k.resource.group, k.resource.version, k.resource.plural): k for k in kinds}
        self.extra = {(r.group, r.version, r.plural): r for r in extra}

    def resources(self) -> list[Resource]:
        return [*(k.resource for k in self.kinds.values()), *self.extra.values()]

    def find(self, group: str, version: str, plural: str) -> Kind | None:
        return self.kinds.get((group, version, plural))

    def by_kind(self, api_version: str, kind: str) -> Kind | None:
        return next(
            (k for k in self.kinds.values() if k.resource.api_version == api_version and k.resource.kind == kind), None
        )

    def group_versions(self) -> dict[str, list[str]]:
        """Versions by group, core as the empty group."""
        found: dict[str, list[str]] = {}
        for resource in self.resources():
            versions = found.setdefault(resource.group, [])
            if resource.version not in versions:
                versions.append(resource.version)
        return found


def subresource_kind(resource: Resource, name: str) -> tuple[str, str, str, tuple[str, ...]]:
    """Group, version, kind and verbs of a subresource, as discovery lists it."""
    group, version, kind, verbs = SUBRESOURCE_KINDS.get(name, ("", "", "", ("get",)))
    if name == "proxy":
        kind = _PROXY_KINDS.get(resource.kind, kind)
    if not kind:
        return resource.group, resource.version, resource.kind, verbs
    return group, version, kind, verbs

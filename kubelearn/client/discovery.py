"""What a server serves, and which resource a word means (`po`, `deployments.apps`, `Pod`).

Learned from aggregated discovery, or from the older per-group documents where a server has only these.
Resolution follows kubectl's REST mapper: core first, then groups and versions in the server's order.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from kubelearn.api.resource import Obj, Resource
from kubelearn.client.rest import Client, decode, whole
from kubelearn.kit.errors import KubelearnError

_AGGREGATED = (
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
    "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json"
)


class NoMatch(KubelearnError):
    """No resource of that name or kind; the message is kubectl's."""


class Mapper:
    """The server's resources, in its order of preference."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        self._resources = tuple(resources)

    def all(self) -> tuple[Resource, ...]:
        return self._resources

    def find(self, word: str) -> Resource:
        """A resource by plural, singular, short name or kind, alone or with `.group` or `.version.group`."""
        lowered = word.lower()
        name, _, rest = lowered.partition(".")
        for version, group in _readings(rest):
            found = self._named(name, version, group)
            if found is not None:
                return found
        where = f' in group "{rest}"' if rest else ""
        raise NoMatch(f'the server doesn\'t have a resource type "{name}"{where}')

    def _named(self, name: str, version: str, group: str | None) -> Resource | None:
        for match in (_is_named, _is_short):
            exact = None
            for resource in self._resources:
                if not match(resource, name) or (version and resource.version != version):
                    continue
                if group is None or resource.group == group:
                    return resource
                # kubectl lets a group be shortened (`deployments.app`), an exact one wins
                if exact is None and resource.group.startswith(group):
                    exact = resource
            if exact is not None:
                return exact
        return None

    def for_kind(self, api_version: str, kind: str) -> Resource:
        """The resource that serves objects of this apiVersion and kind."""
        for resource in self._resources:
            if resource.kind == kind and resource.api_version == api_version:
                return resource
        raise NoMatch(f'no matches for kind "{kind}" in version "{api_version}"')

    def category(self, name: str) -> list[Resource]:
        """The resources of a category (`all`), one version of each; empty if there is no such category."""
        found: dict[str, Resource] = {}
        for resource in self._resources:
            if name in resource.categories:
                found.setdefault(resource.group_resource, resource)
        return list(found.values())

    def categories(self) -> list[str]:
        return sorted({c for resource in self._resources for c in resource.categories})


def _readings(rest: str) -> list[tuple[str, str | None]]:
    """(version, group) that `version.group` or `group` after the first dot may mean; None: any group."""
    if not rest:
        return [("", None)]
    version, dot, group = rest.partition(".")
    return [(version, group), ("", rest)] if dot else [("", rest), (rest, "")]


def _is_named(resource: Resource, name: str) -> bool:
    return name in (resource.plural, resource.singular, resource.kind.lower())


def _is_short(resource: Resource, name: str) -> bool:
    return name in resource.short_names


async def discover(client: Client) -> Mapper:
    """Ask the server. Raises ApiError and TransportError."""
    core, groups = await asyncio.gather(_document(client, "/api"), _document(client, "/apis"))
    if core.get("kind") == "APIGroupDiscoveryList" and groups.get("kind") == "APIGroupDiscoveryList":
        return Mapper(_aggregated([*core["items"], *groups["items"]]))
    return Mapper(await _legacy(client, core, groups))


async def _document(client: Client, path: str) -> Obj:
    response = await client.request("GET", path, headers={"accept": _AGGREGATED})
    return decode(await whole(response))


def _aggregated(items: list[Obj]) -> Iterable[Resource]:
    for item in items:
        group = item.get("metadata", {}).get("name", "")
        for version in item.get("versions", []):
            for entry in version.get("resources") or []:
                kind = entry.get("responseKind") or {}
                yield Resource(
                    group=group,
                    version=version["version"],
                    kind=kind.get("kind", ""),
                    plural=entry["resource"],
                    singular=entry.get("singularResource", ""),
                    namespaced=entry["scope"] == "Namespaced",
                    short_names=tuple(entry.get("shortNames") or ()),
                    categories=tuple(entry.get("categories") or ()),
                    verbs=tuple(entry.get("verbs") or ()),
                    subresources=tuple(s["subresource"] for s in entry.get("subresources") or ()),
                )


async def _legacy(client: Client, core: Obj, groups: Obj) -> list[Resource]:
    places = [("", version, f"/api/{version}") for version in core.get("versions", [])]
    for group in groups.get("groups", []):
        preferred = group.get("preferredVersion", {}).get("version")
        versions = sorted((v["version"] for v in group["versions"]), key=lambda v: v != preferred)
        places += [(group["name"], v, f"/apis/{group['name']}/{v}") for v in versions]
    documents = await asyncio.gather(*(_document(client, path) for _, _, path in places))
    found: list[Resource] = []
    for (group_name, version, _), document in zip(places, documents, strict=True):
        found += _of_list(group_name, version, document.get("resources") or [])
    return found


def _of_list(group: str, version: str, entries: list[dict[str, Any]]) -> list[Resource]:
    """An APIResourceList: subresources are entries of their own there (`pods/log`)."""
    subresources: dict[str, list[str]] = {}
    for entry in entries:
        plural, slash, sub = entry["name"].partition("/")
        if slash:
            subresources.setdefault(plural, []).append(sub)
    return [
        Resource(
            group=group,
            version=version,
            kind=entry["kind"],
            plural=entry["name"],
            singular=entry.get("singularName") or entry["kind"].lower(),
            namespaced=entry["namespaced"],
            short_names=tuple(entry.get("shortNames") or ()),
            categories=tuple(entry.get("categories") or ()),
            verbs=tuple(entry.get("verbs") or ()),
            subresources=tuple(subresources.get(entry["name"], ())),
        )
        for entry in entries
        if "/" not in entry["name"]
    ]

"""What is served: the kinds of the registry by path, and kubelearn's own group."""

from __future__ import annotations

from collections.abc import Iterable

from kubelearn.api import priorities
from kubelearn.api.kind import Kind
from kubelearn.api.resource import Obj, Resource
from kubelearn.apiserver.reviews._base import Review
from kubelearn.apiserver.subresources._base import Subresource
from kubelearn.kit.discover import discover


class Registry:
    """Kinds and reviews by (group, version, plural), subresources by name; `extra` are resources served by other handlers."""

    def __init__(self, extra: Iterable[Resource] = ()) -> None:
        kinds = discover("kubelearn.api.kinds", "KIND", Kind).values()
        self.kinds = {_path(k.resource): k for k in kinds}
        reviews = discover("kubelearn.apiserver.reviews", "REVIEW", Review).values()
        self.reviews = {_path(r.kind.resource): r for r in reviews}
        self.kinds |= {path: review.kind for path, review in self.reviews.items()}
        self.subresources = discover("kubelearn.apiserver.subresources", "SUBRESOURCE", Subresource)
        self.extra = {_path(r): r for r in extra}
        self._unserved: set[tuple[str, str, str]] = set()

    def resources(self) -> list[Resource]:
        served = [kind.resource for path, kind in self.kinds.items() if path not in self._unserved]
        return [*served, *self.extra.values()]

    def find(self, group: str, version: str, plural: str) -> Kind | None:
        path = (group, version, plural)
        return None if path in self._unserved else self.kinds.get(path)

    def replace(self, group: str, plural: str, served: Iterable[Kind], unserved: Iterable[Kind] = ()) -> None:
        """From now on these are the versions of a custom resource; those of the second kind are only stored as."""
        old = [path for path in self.kinds if (path[0], path[2]) == (group, plural)]
        for path in old:
            del self.kinds[path]
        self._unserved.difference_update(old)
        hidden = {_path(kind.resource): kind for kind in unserved}
        self.kinds |= {_path(kind.resource): kind for kind in served} | hidden
        self._unserved.update(hidden)

    def stored(self, kind: Kind) -> Kind:
        """The kind as which its objects are stored: itself, unless it is another version of one."""
        if kind.conversion is None:
            return kind
        group, version = kind.conversion.stored
        return self.kinds[(group, version, kind.resource.plural)]

    def by_kind(self, api_version: str, kind: str) -> Kind | None:
        return next(
            (k for k in self.kinds.values() if k.resource.api_version == api_version and k.resource.kind == kind), None
        )

    def structures(self) -> dict[tuple[str, str, str], Obj]:
        """The schemas of custom resources by group, version and kind."""
        return {
            (k.resource.group, k.resource.version, k.resource.kind): k.structure.schema
            for k in self.kinds.values()
            if k.structure is not None
        }

    def group_versions(self) -> dict[str, list[str]]:
        """Versions by group, core as the empty group, in the order of discovery."""
        found: dict[str, set[str]] = {}
        for resource in self.resources():
            found.setdefault(resource.group, set()).add(resource.version)
        return {g: sorted(found[g], key=priorities.version_key) for g in sorted(found, key=priorities.group_key)}

    def subresource_kind(self, resource: Resource, name: str) -> tuple[str, str, str, tuple[str, ...]]:
        """Group, version, kind and verbs of a subresource, as discovery lists it."""
        found = self.subresources.get(name)
        if found is None:  # of an extra resource, which answers for its own
            return resource.group, resource.version, resource.kind, ("create",)
        kind = found.kind_of(resource.kind) if found.kind_of else found.kind
        if not kind:
            return resource.group, resource.version, resource.kind, found.verbs
        return found.group, found.version, kind, found.verbs


def _path(resource: Resource) -> tuple[str, str, str]:
    return resource.group, resource.version, resource.plural

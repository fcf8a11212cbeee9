"""Custom resources are served as soon as their definition is Established, and no longer than it is there."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from kubelearn.api.crd import kinds
from kubelearn.api.kind import Kind
from kubelearn.api.kinds import customresourcedefinition as crd
from kubelearn.api.resource import Obj
from kubelearn.apiserver import codec, keys
from kubelearn.store.interface import KeyValue

if TYPE_CHECKING:
    from kubelearn.apiserver.openapi import OpenApi
    from kubelearn.apiserver.registry import Registry
    from kubelearn.store.interface import Store

_PREFIX = keys.prefix(crd.RESOURCE)


class CustomResources:
    """`load` first; `changed` after each write."""

    def __init__(self, registry: Registry, openapi: OpenApi) -> None:
        self._registry, self._openapi = registry, openapi
        self._served: dict[str, Obj] = {}
        self._watches: dict[tuple[str, str], set[Callable[[], None]]] = {}

    async def load(self, store: Store) -> None:
        for kv in (await store.range(_PREFIX)).items:
            self.changed(kv)

    def changed(self, kv: KeyValue, *, gone: bool = False) -> None:
        """Takes any write, and passes over those of other kinds."""
        if not kv.key.startswith(_PREFIX):
            return
        name = kv.key.removeprefix(_PREFIX)
        definition = None if gone else codec.decode(kv)
        wanted = _what_counts(definition) if definition is not None and crd.established(definition) else {}
        if wanted == self._served.get(name, {}):
            return
        plural, _, group = name.partition(".")
        served = kinds.all_of(definition) if definition is not None and wanted else ((), ())
        self._registry.replace(group, plural, *served)
        self._served[name] = wanted
        self._openapi.forget()
        for end in list(self._watches.get((group, plural), ())):
            end()

    @contextlib.contextmanager
    def watching(self, kind: Kind, end: Callable[[], None]) -> Iterator[None]:
        """Within this, `end` is called when the kind is no longer served as it was: its watchers must begin anew."""
        if kind.structure is None:
            yield
            return
        ends = self._watches.setdefault((kind.resource.group, kind.resource.plural), set())
        ends.add(end)
        try:
            yield
        finally:
            ends.discard(end)


def _what_counts(definition: Obj) -> Obj:
    status = definition["status"]
    return {"spec": definition["spec"], **{key: status.get(key) for key in ("acceptedNames", "storedVersions")}}

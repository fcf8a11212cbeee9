"""Custom resources are served as soon as their definition is Established, and no longer than it is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubelearn.api.crd import kinds
from kubelearn.api.kinds import customresourcedefinition as crd
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

    async def load(self, store: Store) -> None:
        for kv in (await store.range(_PREFIX)).items:
            self.changed(kv)

    def changed(self, kv: KeyValue, *, gone: bool = False) -> None:
        """Takes any write, and passes over those of other kinds."""
        if not kv.key.startswith(_PREFIX):
            return
        name = kv.key.removeprefix(_PREFIX)
        plural, _, group = name.partition(".")
        definition = None if gone else codec.decode(kv)
        if definition is not None and crd.established(definition):
            self._registry.replace(group, plural, *kinds.all_of(definition))
        else:
            self._registry.replace(group, plural, ())
        self._openapi.forget()

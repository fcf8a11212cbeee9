"""The admission policies that are bound, kept in memory and renewed with every write of one."""

from __future__ import annotations

from dataclasses import dataclass

from kubelearn.api.kinds import validatingadmissionpolicy, validatingadmissionpolicybinding
from kubelearn.api.resource import Obj
from kubelearn.apiserver import codec, keys
from kubelearn.store.interface import KeyValue, Store

_POLICIES = keys.prefix(validatingadmissionpolicy.RESOURCE)
_BINDINGS = keys.prefix(validatingadmissionpolicybinding.RESOURCE)


@dataclass(frozen=True, slots=True)
class Bound:
    """A policy, and its bindings in the order of their names."""

    policy: Obj
    bindings: tuple[Obj, ...]


class Policies:
    """`load` first; `changed` after each write."""

    def __init__(self) -> None:
        self._found: dict[str, dict[str, Obj]] = {_POLICIES: {}, _BINDINGS: {}}
        self.bound: tuple[Bound, ...] = ()  # in the order of the policies' names

    async def load(self, store: Store) -> None:
        for prefix in self._found:
            for kv in (await store.range(prefix)).items:
                self.changed(kv)

    def changed(self, kv: KeyValue, *, gone: bool = False) -> None:
        """Takes any write, and passes over those of other kinds."""
        for prefix, found in self._found.items():
            if kv.key.startswith(prefix):
                found.pop(kv.key, None)
                if not gone:
                    found[kv.key] = codec.decode(kv)
                self.bound = self._joined()

    def _joined(self) -> tuple[Bound, ...]:
        by_policy: dict[str, list[Obj]] = {}
        for _, binding in sorted(self._found[_BINDINGS].items()):
            by_policy.setdefault(binding["spec"]["policyName"], []).append(binding)
        policies = [policy for _, policy in sorted(self._found[_POLICIES].items())]
        return tuple(
            Bound(policy, tuple(by_policy[name]))
            for policy in policies
            if (name := policy["metadata"]["name"]) in by_policy
        )

"""RBAC: what the Roles and bindings in the store allow, kept in memory and renewed with every write of one.

Also the rule that nobody may hand out what he does not have. Source: Kubernetes' plugin/pkg/auth/authorizer/rbac and
pkg/registry/rbac.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Protocol

import orjson

from kubelearn.api import errors, rbac
from kubelearn.api.rbac import GROUP, Attributes, Rule
from kubelearn.api.resource import Obj, Resource
from kubelearn.apiserver import codec, keys
from kubelearn.kit.data import PACKAGE
from kubelearn.store.interface import KeyValue, Store

if TYPE_CHECKING:
    from kubelearn.apiserver.call import Call

_PREFIX = f"{keys.ROOT}{GROUP}/"
_BOOTSTRAP = PACKAGE / "apiserver" / "bootstrap_rbac.json"
_REMEMBERED = 4096
_ROLES = {"Role": "roles", "ClusterRole": "clusterroles"}


class Who(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def groups(self) -> tuple[str, ...]: ...


class Rbac:
    """`load` first; `changed` after each write. Keys are (plural, namespace, name)."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str, str], Obj] = {}
        self._answers: dict[tuple[str, tuple[str, ...], Attributes], str] = {}  # until something changes

    async def load(self, store: Store) -> None:
        for kv in (await store.range(_PREFIX)).items:
            self.changed(kv)

    def changed(self, kv: KeyValue, *, gone: bool = False) -> None:
        """Takes any write, and passes over those of other groups."""
        if not kv.key.startswith(_PREFIX):
            return
        self._answers.clear()
        plural, *rest = kv.key.removeprefix(_PREFIX).split("/")
        key = (plural, "" if len(rest) == 1 else rest[0], rest[-1])
        if gone:
            self._found.pop(key, None)
        else:
            self._found[key] = codec.decode(kv)

    def role_rules(self, kind: str, namespace: str, name: str) -> list[Rule] | None:
        """None if there is no such role."""
        role = self._found.get((_ROLES[kind], namespace if kind == "Role" else "", name))
        return None if role is None else role.get("rules") or []

    def _bindings(self, user: Who, namespace: str) -> Iterator[tuple[Obj, Obj]]:
        """The bindings that hold for the user there, each with the subject that means him."""
        for (plural, place, _), binding in self._found.items():
            if plural == "clusterrolebindings" or (plural == "rolebindings" and namespace and place == namespace):
                for subject in binding.get("subjects") or ():
                    if rbac.means(subject, user.name, user.groups, place):
                        yield binding, subject
                        break

    def _rules(self, binding: Obj) -> list[Rule]:
        ref = binding["roleRef"]
        return self.role_rules(ref["kind"], binding["metadata"].get("namespace", ""), ref["name"]) or []

    def rules(self, user: Who, namespace: str) -> list[Rule]:
        """All that the user may do there."""
        return [rule for binding, _ in self._bindings(user, namespace) for rule in self._rules(binding)]

    def allows(self, user: Who, asked: Attributes) -> str:
        """Why, in Kubernetes' words; empty if no rule allows it."""
        question = user.name, user.groups, asked
        answer = self._answers.get(question)
        if answer is None:
            if len(self._answers) >= _REMEMBERED:
                self._answers.clear()
            answer = self._answers[question] = self._look(user, asked)
        return answer

    def _look(self, user: Who, asked: Attributes) -> str:
        for binding, subject in self._bindings(user, asked.namespace):
            if any(rbac.allows(rule, asked) for rule in self._rules(binding)):
                return _because(binding, subject)
        return ""


def _because(binding: Obj, subject: Obj) -> str:
    about, ref = binding["metadata"], binding["roleRef"]
    place = about.get("namespace", "")
    kind, name = ("RoleBinding", f"{about['name']}/{place}") if place else ("ClusterRoleBinding", about["name"])
    of = subject["name"]
    if subject["kind"] == "ServiceAccount":
        of = f"{of}/{subject.get('namespace') or place}"
    return f'RBAC: allowed by {kind} "{name}" of {ref["kind"]} "{ref["name"]}" to {subject["kind"]} "{of}"'


def check_escalation(call: Call, resource: Resource, obj: Obj, old: Obj | None = None) -> None:
    """Roles hold only rules that their writer has, bindings only roles whose rules he has, unless he may `escalate`
    or `bind`. Raises ApiError 403."""
    if resource.group != GROUP or "system:masters" in call.user.groups or (old and _grants(old) == _grants(obj)):
        return
    namespace, name = obj["metadata"].get("namespace", ""), obj["metadata"].get("name", "")
    if resource.plural in _ROLES.values():
        verb, plural, role, rules = "escalate", resource.plural, name, obj.get("rules") or []
    else:
        ref = obj["roleRef"]
        found = call.server.rbac.role_rules(ref["kind"], namespace, ref["name"])
        verb, plural, role = "bind", _ROLES[ref["kind"]], ref["name"]
        if found is None:
            if not _may(call, verb, plural, namespace, role):
                raise errors.not_found(Resource(GROUP, "v1", ref["kind"], plural, "", bool(namespace)), role)
            return
        rules = found
    if _may(call, verb, plural, namespace, role):
        return
    missing = rbac.uncovered(call.server.rbac.rules(call.user, namespace), rules)
    if missing:
        groups = " ".join(f'"{g}"' for g in call.user.groups)
        why = (
            f'user "{call.user.name}" (groups=[{groups}]) is attempting to grant RBAC permissions not currently held:\n'
            + rbac.compact(missing)
        )
        raise errors.forbidden(resource, name, why)


def _grants(obj: Obj) -> tuple[Any, ...]:
    return obj.get("rules"), obj.get("aggregationRule"), obj.get("subjects"), obj.get("roleRef")


def _may(call: Call, verb: str, plural: str, namespace: str, name: str) -> bool:
    asked = Attributes(verb, "", GROUP, plural, "", namespace, name)
    return call.server.authorizer.allows(call.user, asked) is not None


def bootstrap_objects() -> Iterator[tuple[str, str, Obj]]:
    """(plural, namespace, object) of the roles and bindings that every cluster has: kube-apiserver's, as recorded."""
    policy: dict[str, list[dict[str, Any]]] = orjson.loads(_BOOTSTRAP.read_bytes())
    for plural, items in policy.items():
        for item in items:
            rest = {k: v for k, v in item.items() if k not in ("name", "namespace", "labels", "annotations")}
            about = {k: v for k, v in item.items() if k not in rest}
            yield plural, item.get("namespace", ""), {"metadata": about, **rest}

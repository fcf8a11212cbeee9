"""RBAC's arithmetic: whether a rule allows a request, whom a subject means, and whether rules cover other rules. Pure.

Source: Kubernetes' pkg/apis/rbac/v1/evaluation_helpers.go and component-helpers/auth/rbac/validation.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kubelearn.api.resource import Obj

GROUP = "rbac.authorization.k8s.io"
ACCOUNT_PREFIX = "system:serviceaccount:"
Rule = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Attributes:
    """What a request wants to do, as authorisers see it; `resource` is empty for a path outside the API."""

    verb: str
    path: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""

    @property
    def whole_resource(self) -> str:
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


def allows(rule: Rule, asked: Attributes) -> bool:
    """Whether one PolicyRule allows the request, wherever the rule applies."""
    if not _has(rule, "verbs", asked.verb):
        return False
    if not asked.resource:
        return any(_url(pattern, asked.path) for pattern in rule.get("nonResourceURLs") or ())
    names = rule.get("resourceNames") or ()
    return (
        _has(rule, "apiGroups", asked.group)
        and _resource(rule.get("resources") or (), asked)
        and (not names or asked.name in names)
    )


def _has(rule: Rule, field: str, value: str) -> bool:
    found = rule.get(field) or ()
    return value in found or "*" in found


def _resource(patterns: Sequence[str], asked: Attributes) -> bool:
    wanted = {"*", asked.whole_resource}
    if asked.subresource:
        wanted.add(f"*/{asked.subresource}")
    return any(pattern in wanted for pattern in patterns)


def _url(pattern: str, path: str) -> bool:
    return pattern in ("*", path) or (pattern.endswith("*") and path.startswith(pattern[:-1].rstrip("*")))


def means(subject: Obj, user: str, groups: Sequence[str], namespace: str) -> bool:
    """Whether a binding's subject is this user; `namespace` is the binding's."""
    kind, name = subject.get("kind"), subject.get("name", "")
    if kind == "User":
        return bool(name == user)
    if kind == "Group":
        return name in groups
    if kind == "ServiceAccount":
        return user == f"{ACCOUNT_PREFIX}{subject.get('namespace') or namespace}:{name}"
    return False


def uncovered(owned: Iterable[Rule], wanted: Iterable[Rule]) -> list[Rule]:
    """What of `wanted` the `owned` rules do not grant, in rules of one verb and one resource or URL each."""
    owned = list(owned)
    return [part for rule in wanted for part in _parts(rule) if not any(_covers(own, part) for own in owned)]


def _parts(rule: Rule) -> Iterator[Rule]:
    names: Sequence[str] = rule.get("resourceNames") or ()
    of = ("apiGroups", "resources", "verbs")
    for group, resource, verb in itertools.product(*(rule.get(field) or () for field in of)):
        part = {"apiGroups": [group], "resources": [resource], "verbs": [verb]}
        yield from ({**part, "resourceNames": [name]} for name in names) if names else (part,)
    for url, verb in itertools.product(rule.get("nonResourceURLs") or (), rule.get("verbs") or ()):
        yield {"nonResourceURLs": [url], "verbs": [verb]}


def _covers(own: Rule, part: Rule) -> bool:
    (verb,) = part["verbs"]
    if not _has(own, "verbs", verb):
        return False
    if "nonResourceURLs" in part:
        return any(_url(pattern, part["nonResourceURLs"][0]) for pattern in own.get("nonResourceURLs") or ())
    resource, _, subresource = part["resources"][0].partition("/")
    name = (part.get("resourceNames") or [""])[0]
    return allows(own, Attributes(verb, "", part["apiGroups"][0], resource, subresource, "", name))


def compact(rules: Iterable[Rule]) -> str:
    """Rules as an escalation refusal lists them: one a line, sorted."""
    return "\n".join(sorted(_text(rule) for rule in rules))


_TITLES = {
    "apiGroups": "APIGroups",
    "resources": "Resources",
    "resourceNames": "ResourceNames",
    "nonResourceURLs": "NonResourceURLs",
    "verbs": "Verbs",
}


def _text(rule: Rule) -> str:
    def quoted(values: Iterable[str]) -> str:
        return "[" + " ".join(f'"{v}"' for v in values) + "]"

    return "{" + ", ".join(f"{title}:{quoted(rule[f])}" for f, title in _TITLES.items() if rule.get(f)) + "}"

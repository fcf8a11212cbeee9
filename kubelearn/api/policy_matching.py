"""Which requests an admission policy or its binding is about (MatchResources of admissionregistration.k8s.io).

Source: Kubernetes' apiserver/pkg/admission/plugin/policy/matching and webhook/predicates.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kubelearn.api import selectors
from kubelearn.api.resource import Obj, Resource


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as rules see it. `resources` has first the one that was asked for, then its other versions; `obj` and
    `old` are None where there is none; `labels` are those of the namespace, None where no namespace is concerned."""

    resources: tuple[Resource, ...]
    subresource: str
    operation: str
    namespace: str
    name: str
    obj: Obj | None
    old: Obj | None
    labels: Mapping[str, str] | None

    @property
    def namespaced(self) -> bool:
        return bool(self.namespace) and self.resources[0].group_resource != "namespaces"


def matched(found: Obj, asked: Asked) -> Resource | None:
    """The version of the resource as which the rules are about the request, None if they are not.
    Without resource rules, everything that is not excluded is meant."""
    space = selectors.from_label_selector(found.get("namespaceSelector") or {})
    if asked.labels is not None and not space.matches(asked.labels):
        return None
    if not _selected(selectors.from_label_selector(found.get("objectSelector") or {}), asked):
        return None
    exact = found.get("matchPolicy") == "Exact"
    if _by_rules(found.get("excludeResourceRules") or [], asked, exact=exact):
        return None
    rules = found.get("resourceRules") or []
    return _by_rules(rules, asked, exact=exact) if rules else asked.resources[0]


def _selected(selector: selectors.LabelSelector, asked: Asked) -> bool:
    if selector.empty:
        return True
    return any(selector.matches(o["metadata"].get("labels")) for o in (asked.obj, asked.old) if o is not None)


def _by_rules(rules: list[Obj], asked: Asked, *, exact: bool) -> Resource | None:
    for resource in asked.resources[:1] if exact else asked.resources:
        if any(_meant(rule, resource, asked) for rule in rules):
            return resource
    return None


def _meant(rule: Obj, resource: Resource, asked: Asked) -> bool:
    scope = rule.get("scope", "*")
    named = rule.get("resourceNames")
    return (
        _among(rule.get("apiGroups"), resource.group)
        and _among(rule.get("apiVersions"), resource.version)
        and _among(rule.get("operations"), asked.operation)
        and (scope == "*" or (scope == "Namespaced") == asked.namespaced)
        and any(_is(text, resource.plural, asked.subresource) for text in rule.get("resources") or ())
        and (not named or asked.name in named)
    )


def _among(words: list[str] | None, word: str) -> bool:
    return words is not None and ("*" in words or word in words)


def _is(text: str, plural: str, subresource: str) -> bool:
    wanted, _, sub = text.partition("/")
    return wanted in ("*", plural) and (sub == subresource or (sub == "*"))

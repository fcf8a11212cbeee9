"""Rules of roles as kubectl tells them: `auth can-i --list` and the descriptions of roles."""

from __future__ import annotations

import itertools

from kubelearn.api.resource import Obj


def compact(rules: list[Obj]) -> list[Obj]:
    """As kubectl lists them: a line for each resource with all its verbs, each URL and named object by itself, in the
    order of their text. Source: component-helpers/auth/rbac (BreakdownRule, CompactRules, SortableRuleSlice)."""
    simple: dict[tuple[str, str], Obj] = {}
    others: list[Obj] = []
    for rule in rules:
        of = (rule.get(field) or [] for field in ("apiGroups", "resources", "verbs"))
        for group, plural, verb in itertools.product(*of):
            part = {
                "verbs": [verb],
                "apiGroups": [group],
                "resources": [plural],
                "resourceNames": [],
                "nonResourceURLs": [],
            }
            if names := rule.get("resourceNames"):
                others += [{**part, "resourceNames": [name]} for name in names]
            elif verb not in (known := simple.setdefault((group, plural), {**part, "verbs": []})["verbs"]):
                known.append(verb)
        for url, verb in itertools.product(rule.get("nonResourceURLs") or [], rule.get("verbs") or []):
            empty: Obj = {"apiGroups": [], "resources": [], "resourceNames": []}
            others.append({"verbs": [verb], **empty, "nonResourceURLs": [url]})
    return sorted([*simple.values(), *others], key=_text)


def _text(rule: Obj) -> str:
    fields = ("verbs", "apiGroups", "resources", "resourceNames", "nonResourceURLs")
    return ",".join(f"[{' '.join(rule[field])}]" for field in fields)


def resource(rule: Obj) -> str:
    """`deployments.apps/scale` of a compacted rule; empty for one about URLs."""
    plural, group = (rule[field][0] if rule[field] else "" for field in ("resources", "apiGroups"))
    name, slash, sub = plural.partition("/")
    return (f"{name}.{group}" if group else name) + slash + sub

"""ClusterRole aggregation: a role with an aggregationRule holds the rules of all roles that its selectors match.

Source: Kubernetes' pkg/controller/clusterroleaggregation.
"""

from __future__ import annotations

from collections.abc import Iterable

from kubelearn.api import selectors
from kubelearn.api.rbac import GROUP
from kubelearn.api.resource import Obj, Resource
from kubelearn.controllers.base import Controller, ControllerContext, Watch
from kubelearn.trace import cause

CLUSTERROLES = Resource(GROUP, "v1", "ClusterRole", "clusterroles", "clusterrole", False)


def _all_aggregates(context: ControllerContext, _type: str, _old: Obj | None, _new: Obj) -> Iterable[str]:
    """Any change may touch any of them; there are few."""
    return [r["metadata"]["name"] for r in context.informer(CLUSTERROLES).items() if r.get("aggregationRule")]


async def reconcile(context: ControllerContext, key: str) -> None:
    role = context.informer(CLUSTERROLES).get("", key)
    if role is None or not role.get("aggregationRule"):
        return
    rules: list[Obj] = []
    for wanted in (role["aggregationRule"] or {}).get("clusterRoleSelectors") or ():
        matches = selectors.from_label_selector(wanted)
        for other in sorted(context.informer(CLUSTERROLES).items(), key=lambda r: str(r["metadata"]["name"])):
            if other["metadata"]["name"] != key and matches.matches(other["metadata"].get("labels") or {}):
                rules += [rule for rule in other.get("rules") or () if rule not in rules]
    if rules != (role.get("rules") or []):
        cause.add_note(reconcile=f"{key} holds {len(rules)} rules of other roles")
        await context.update(CLUSTERROLES, {**role, "rules": rules})


CONTROLLER = Controller(
    "clusterrole-aggregation-controller", (Watch(CLUSTERROLES, _all_aggregates),), reconcile, workers=1
)

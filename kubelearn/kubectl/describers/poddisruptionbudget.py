"""Disruption budgets: how many pods may be missed."""

from __future__ import annotations

from kubelearn.api import selectors
from kubelearn.api.resource import Obj
from kubelearn.kubectl.describers._writer import Describer, Sources, Writer

_COUNTS = (
    ("Allowed disruptions", "disruptionsAllowed"),
    ("Current", "currentHealthy"),
    ("Desired", "desiredHealthy"),
    ("Total", "expectedPods"),
)


async def write(out: Writer, budget: Obj, _sources: Sources) -> None:
    spec, status = budget.get("spec") or {}, budget.get("status") or {}
    out.field("Name", budget["metadata"]["name"])
    out.field("Namespace", budget["metadata"].get("namespace", ""))
    if spec.get("minAvailable") is not None:
        out.field("Min available", spec["minAvailable"])
    elif spec.get("maxUnavailable") is not None:
        out.field("Max unavailable", spec["maxUnavailable"])
    selector = spec.get("selector")
    out.field("Selector", "<unset>" if selector is None else selectors.format(selector))
    out.line(0, "Status:")
    for title, key in _COUNTS:
        out.field(title, status.get(key, 0), 2)


DESCRIBER = Describer(write)

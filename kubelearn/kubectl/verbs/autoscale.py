"""`autoscale`: a HorizontalPodAutoscaler for something that can be scaled."""

from __future__ import annotations

import re
from typing import Any

from kubelearn.api import quantity
from kubelearn.api.resource import Obj
from kubelearn.kubectl import creating, options, resources
from kubelearn.kubectl.failures import CommandError
from kubelearn.kubectl.flags import require
from kubelearn.kubectl.resources import Target
from kubelearn.kubectl.verb import Context, Flag, Parsed, Verb


async def run(ctx: Context, parsed: Parsed) -> int:
    require(parsed, "max")
    low, high = parsed["min"], parsed["max"]
    if high < 1:
        raise CommandError(f"--max=MAXPODS is required and must be at least 1, max: {high}")
    if high < low:
        raise CommandError(f"--max=MAXPODS must be larger or equal to --min=MINPODS, max: {high}, min: {low}")
    metrics = [_metric(name, text) for name, text in _wanted(ctx, parsed) if text]
    for target in await resources.objects(ctx, parsed, parsed.args):
        await _autoscale(ctx, parsed, target, metrics)
    return 0


def _wanted(ctx: Context, parsed: Parsed) -> list[tuple[str, str]]:
    cpu = parsed["cpu"]
    if "cpu-percent" in parsed.given:
        ctx.err(
            "Flag --cpu-percent has been deprecated, Use --cpu with percentage or resource quantity format "
            "(e.g., '70%' for utilization or '500m' for milliCPU).\n"
        )
        cpu = cpu or f"{parsed['cpu-percent']}%"
    return [("cpu", cpu), ("memory", parsed["memory"])]


def _metric(name: str, text: str) -> Obj:
    """A share of what was requested (`50%`), or an amount (`500m`)."""
    target: dict[str, Any]
    if text.endswith("%"):
        if not re.fullmatch("[0-9]+", text[:-1]):
            raise CommandError(f"invalid percentage value: {text[:-1]}")
        target = {"type": "Utilization", "averageUtilization": int(text[:-1])}
    else:
        try:
            target = {"type": "AverageValue", "averageValue": quantity.canonical(text)}
        except ValueError as error:
            raise CommandError(f"invalid resource {name} value: {text}") from error
    return {"type": "Resource", "resource": {"name": name, "target": target}}


async def _autoscale(ctx: Context, parsed: Parsed, target: Target, metrics: list[Obj]) -> None:
    r = target.resource
    if "scale" not in r.subresources:
        where = f"{r.group}/{r.version}, Resource={r.plural}"
        why = f"could not find scale subresource for {where} in discovery information"
        raise CommandError(f"cannot autoscale a {r.kind}: {why}")
    spec: Obj = {
        "scaleTargetRef": {"kind": r.kind, "name": target.name, "apiVersion": r.api_version},
        **({"minReplicas": parsed["min"]} if parsed["min"] > 0 else {}),
        "maxReplicas": parsed["max"],
        **({"metrics": metrics} if metrics else {}),
    }
    obj = {
        "kind": "HorizontalPodAutoscaler",
        "apiVersion": "autoscaling/v2",
        "metadata": {"name": parsed["name"] or target.name},
        "spec": spec,
        "status": {"desiredReplicas": 0, "currentMetrics": None},
    }
    operation = "created" if options.dry_run(parsed) == "client" else "autoscaled"
    await creating.make(ctx, parsed, obj, operation=operation)


VERB = Verb(
    name="autoscale",
    summary="Auto-scale a deployment, replica set, stateful set, or replication controller",
    usage="autoscale (-f FILENAME | TYPE NAME | TYPE/NAME) [--min=MINPODS] --max=MAXPODS [--cpu=AMOUNT]",
    examples="""
# Between two and ten pods, by use of CPU
kubectl autoscale deployment web --min=2 --max=10 --cpu=80%
""",
    flags=(
        *creating.flags("kubectl-autoscale"),
        *options.FILES,
        Flag("min", kind="int", default=-1, help="at least this many pods"),
        Flag("max", kind="int", default=-1, help="at most this many pods"),
        Flag("cpu", help="target use of CPU: a share of what is requested (80%) or an amount (500m)"),
        Flag("memory", help="target use of memory: a share (80%) or an amount (200Mi)"),
        Flag("cpu-percent", kind="int", default=-1, help="deprecated, use --cpu"),
        Flag("name", help="the name of the autoscaler; the object's own if not given"),
    ),
    run=run,
    complete="scalable name",
)

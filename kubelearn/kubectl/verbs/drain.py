"""`drain`: cordon a node and evict its pods."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from kubelearn.api.errors import ApiError
from kubelearn.api.resource import Obj
from kubelearn.kubectl import nodes, options, resources, waiting
from kubelearn.kubectl.failures import CommandError, Exit, raise_all
from kubelearn.kubectl.resources import Target
from kubelearn.kubectl.verb import Context, Flag, Parsed, Verb

_RETRY_SECONDS = 5.0


@dataclass(slots=True)
class _Plan:
    """Which pods to evict, and what is said of the others."""

    pods: list[Obj] = field(default_factory=list)
    errors: dict[str, list[str]] = field(default_factory=dict)
    warnings: dict[str, list[str]] = field(default_factory=dict)


async def run(ctx: Context, parsed: Parsed) -> int:
    dry = options.dry_run(parsed)
    found, errors = await nodes.targets(ctx, parsed, "drain")
    raise_all(errors)
    for target in found:
        word = await nodes.cordon(ctx, target, True, dry, "kubectl-drain")
        ctx.out(f"{target.title} {word}\n")
    failed: list[tuple[Target, Exception]] = []
    for target in found:
        try:
            await _drain(ctx, parsed, target, dry)
        except resources.FAILURES as error:
            text = getattr(error, "message", str(error))
            ctx.err(f'error: unable to drain node "{target.name}" due to error: {text}, continuing command...\n')
            failed.append((target, error))
            continue
        ctx.out(f"{target.title} drained{options.dry_suffix(dry)}\n")
    if failed:
        names = "".join(f" {target.name}\n" for target, _ in failed)
        texts = "".join(getattr(error, "message", str(error)) + "\n" for _, error in failed)
        ctx.err(f"There are pending nodes to be drained:\n{names}{texts}")
        raise Exit(1)
    return 0


async def _drain(ctx: Context, parsed: Parsed, target: Target, dry: str) -> None:
    plan = await _plan(ctx, parsed, target)
    if plan.errors:
        raise CommandError(_texts(plan.errors))
    if plan.warnings:
        ctx.err(f"Warning: {_texts(plan.warnings)}\n")
    if dry == "client":
        for pod in plan.pods:
            ctx.out(f"evicting pod {_name(pod)} (dry run)\n")
        return
    try:
        async with asyncio.timeout(parsed["timeout"] or None):
            await asyncio.gather(*(_evict(ctx, parsed, pod, dry) for pod in plan.pods))
    except TimeoutError:
        raise CommandError("global timeout reached: " + f"{parsed['timeout']:g}s") from None


def _name(pod: Obj) -> str:
    return f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"


def _texts(found: dict[str, list[str]]) -> str:
    return "; ".join(f"{why}: {', '.join(names)}" for why, names in sorted(found.items()))


async def _plan(ctx: Context, parsed: Parsed, target: Target) -> _Plan:
    pods = await resources.find(ctx, "pods")
    answer = await ctx.client.list(
        pods, "", field_selector=f"spec.nodeName={target.name}", label_selector=parsed["pod-selector"]
    )
    plan = _Plan()
    for pod in answer["items"]:
        _consider(pod, parsed, plan)
    return plan


def _consider(pod: Obj, parsed: Parsed, plan: _Plan) -> None:
    meta, name = pod["metadata"], _name(pod)
    if "kubernetes.io/config.mirror" in (meta.get("annotations") or {}):
        return
    over = (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")
    owner = next((o for o in meta.get("ownerReferences") or [] if o.get("controller")), None)
    if owner and owner["kind"] == "DaemonSet" and not over:
        if not parsed["ignore-daemonsets"]:
            why = "cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore)"
            plan.errors.setdefault(why, []).append(name)
        else:
            plan.warnings.setdefault("ignoring DaemonSet-managed Pods", []).append(name)
        return
    local = any("emptyDir" in v for v in pod["spec"].get("volumes") or [])
    if local and not over and not parsed["delete-emptydir-data"]:
        why = "cannot delete Pods with local storage (use --delete-emptydir-data to override)"
        plan.errors.setdefault(why, []).append(name)
    if owner is None and not over:
        if not parsed["force"]:
            why = "cannot delete Pods that declare no controller (use --force to override)"
            plan.errors.setdefault(why, []).append(name)
        else:
            plan.warnings.setdefault("deleting Pods that declare no controller", []).append(name)
    plan.pods.append(pod)


async def _evict(ctx: Context, parsed: Parsed, pod: Obj, dry: str) -> None:
    meta = pod["metadata"]
    pods = await resources.find(ctx, "pods")
    target = Target(pods, meta["namespace"], meta["name"], pod)
    delete_options = {"gracePeriodSeconds": parsed["grace-period"]} if parsed["grace-period"] >= 0 else {}
    if dry == "server":
        delete_options["dryRun"] = ["All"]
    eviction = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": target.name, "namespace": target.namespace},
        "deleteOptions": delete_options,
    }
    ctx.out(f"evicting pod {_name(pod)}{options.dry_suffix(dry)}\n")
    while True:
        try:
            if parsed["disable-eviction"]:
                await ctx.client.delete(pods, target.name, target.namespace, options=delete_options)
            else:
                await ctx.client.create(pods, eviction, target.namespace, subresource="eviction", name=target.name)
        except ApiError as error:
            if error.reason == "NotFound":
                return
            if error.reason != "TooManyRequests":
                raise
            text = f'error when evicting pods/"{target.name}" -n "{target.namespace}" (will retry after 5s): '
            ctx.err(text + error.message + "\n")
            await asyncio.sleep(_RETRY_SECONDS)
            continue
        break
    if dry == "none":
        await waiting.until_gone(ctx, [(target, meta.get("uid", ""))], 0)
        ctx.out(f"pod/{target.name} {'deleted' if parsed['disable-eviction'] else 'evicted'}\n")


VERB = Verb(
    name="drain",
    summary="Drain node in preparation for maintenance",
    usage="drain NODE",
    examples="# Empty a node, gently\nkubectl drain worker-1 --ignore-daemonsets",
    flags=(
        options.SELECTOR,
        options.DRY_RUN,
        Flag("force", kind="bool", help="also pods that nothing would create again"),
        Flag("ignore-daemonsets", kind="bool", help="leave pods of daemon sets alone"),
        Flag("delete-emptydir-data", kind="bool", help="also pods that would lose data in emptyDir volumes"),
        Flag("disable-eviction", kind="bool", help="delete instead of evicting: disruption budgets are not asked"),
        Flag("grace-period", kind="int", default=-1, help="seconds each pod has to end by itself; negative: its own"),
        Flag("pod-selector", help="only pods whose labels match"),
        Flag("timeout", kind="duration", help="give up after this long; 0: never"),
        Flag("skip-wait-for-delete-timeout", kind="int", help="accepted: pods that end are waited for"),
        Flag("chunk-size", kind="int", default=500, help="accepted: pods are listed at once"),
    ),
    run=run,
    complete="node",
)

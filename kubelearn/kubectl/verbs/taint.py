"""`taint`: keep pods off nodes, except those that tolerate it."""

from __future__ import annotations

from kubelearn.api import names
from kubelearn.api.resource import Obj
from kubelearn.client.rest import STRATEGIC_MERGE_PATCH
from kubelearn.kubectl import options, resources
from kubelearn.kubectl.failures import CommandError, UsageError, raise_all
from kubelearn.kubectl.printers.encode import to_json
from kubelearn.kubectl.printers.result import Results
from kubelearn.kubectl.resources import Target
from kubelearn.kubectl.verb import Context, Flag, Parsed, Verb

_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")


async def run(ctx: Context, parsed: Parsed) -> int:
    at = next((i for i, a in enumerate(parsed.args) if "=" in a or ":" in a or a.endswith("-")), len(parsed.args))
    about, specs = parsed.args[:at], parsed.args[at:]
    if not about:
        raise CommandError("one or more resources must be specified as <resource> <name>")
    if about[0] not in ("node", "nodes", "no") and not about[0].startswith(("node/", "nodes/", "no/")):
        raise CommandError(f"invalid resource type {about[0]}, only node types are supported")
    if not specs:
        raise CommandError("at least one taint update is required")
    if len(about) == 1 and "/" not in about[0] and not parsed["all"] and not parsed["selector"]:
        raise CommandError("at least one resource name must be specified since 'all' parameter is not set")
    added, removed = _parse(specs)
    dry = options.dry_run(parsed)
    targets, errors = await resources.partly(ctx, parsed, about)
    for target in targets:
        try:
            await _taint(ctx, parsed, target, added, removed, dry)
        except resources.FAILURES as error:
            errors.append(error)
    raise_all(errors)
    return 0


def _parse(specs: list[str]) -> tuple[list[Obj], list[Obj]]:
    added: list[Obj] = []
    removed: list[Obj] = []
    for spec in specs:
        taint = _taint_of(spec.removesuffix("-"))
        if spec.endswith("-"):
            removed.append(taint)
            continue
        if "effect" not in taint:
            raise UsageError("taint", f"invalid taint spec: {spec}")
        if any(_same(taint, other) for other in added):
            shown = f"{{{taint['key']} {taint.get('value', '')} {taint['effect']} <nil>}}"
            raise UsageError("taint", f"duplicated taints with the same key and effect: {shown}")
        added.append(taint)
    both = [f"{t['key']}={t['effect']}" for t in added if any(_same(t, r) for r in removed)]
    if both:
        text = "can not both modify and remove the following taint(s) in the same command: "
        raise CommandError(text + ", ".join(both))
    return added, removed


def _taint_of(text: str) -> Obj:
    """`KEY[=VALUE][:EFFECT]`; without an effect, all of it is the key."""
    parts = text.split(":")
    key, value, effect = text, "", parts[1] if len(parts) == 2 else ""
    if len(parts) == 2:
        key, _, value = parts[0].partition("=")
    if len(parts) > 2 or "=" in value:
        raise UsageError("taint", f"invalid taint spec: {text}")
    if len(parts) == 2 and effect not in _EFFECTS:
        raise UsageError("taint", f"invalid taint effect: {effect}, unsupported taint effect")
    if problems := names.label_value(value) or names.qualified_name(key):
        raise UsageError("taint", f"invalid taint spec: {text}, {'; '.join(problems)}")
    return {"key": key} | ({"value": value} if value else {}) | ({"effect": effect} if effect else {})


def _same(a: Obj, b: Obj) -> bool:
    return a["key"] == b["key"] and a.get("effect") == b.get("effect")


async def _taint(ctx: Context, parsed: Parsed, target: Target, added: list[Obj], removed: list[Obj], dry: str) -> None:
    node = target.object or {}
    taints: list[Obj] = (node.get("spec") or {}).get("taints") or []
    missing = [
        t
        for t in removed
        if not any(t["key"] == x["key"] and t.get("effect") in (None, x.get("effect")) for x in taints)
    ]
    if missing:
        texts = [f'taint "{t["key"]}{":" + t["effect"] if t.get("effect") else ""}" not found' for t in missing]
        raise CommandError(texts[0] if len(texts) == 1 else "[" + ", ".join(texts) + "]")
    if not parsed["overwrite"]:
        _refuse_overwriting(target, taints, added)
    kept = [
        x
        for x in taints
        if not any(t["key"] == x["key"] and t.get("effect") in (None, x.get("effect")) for t in removed)
    ]
    result = [*added, *(x for x in kept if not any(_same(t, x) for t in added))]
    if dry != "client":
        query = {"fieldManager": parsed["field-manager"]} | ({"dryRun": "All"} if dry == "server" else {})
        body = to_json({"spec": {"taints": result or None}}, None).encode()
        node = await ctx.client.patch(target.resource, target.name, "", body, STRATEGIC_MERGE_PATCH, **query)
    word = "modified" if parsed["overwrite"] or (added and removed) else "tainted" if added else "untainted"
    Results(ctx, parsed, dry).show({"apiVersion": "v1", "kind": "Node", **node}, word)


def _refuse_overwriting(target: Target, taints: list[Obj], added: list[Obj]) -> None:
    keys = [new["key"] for new in added if any(_same(new, old) for old in taints)]
    if keys:
        text = f"node {target.name} already has {','.join(keys)} taint(s) with same effect(s) and --overwrite is false"
        raise CommandError(text)


VERB = Verb(
    name="taint",
    summary="Update the taints on one or more nodes",
    usage="taint NODE NAME KEY_1=VAL_1:TAINT_EFFECT_1 ... KEY_N=VAL_N:TAINT_EFFECT_N",
    examples="""
# Only for pods that tolerate it
kubectl taint nodes worker-1 dedicated=db:NoSchedule

# No longer
kubectl taint nodes worker-1 dedicated-
""",
    flags=(
        *options.PRINT,
        options.SELECTOR,
        options.ALL,
        options.DRY_RUN,
        options.VALIDATE,
        options.field_manager("kubectl-taint"),
        Flag("overwrite", kind="bool", help="replace a taint with the same key and effect"),
    ),
    run=run,
    complete="node-kind node",
)

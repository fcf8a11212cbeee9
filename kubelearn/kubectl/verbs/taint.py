"""`taint`: keep pods off nodes, except those that tolerate it."""

from __future__ import annotations

from kubelearn.api import names
from kubelearn.api.resource import Obj
from kubelearn.client.rest import STRATEGIC_MERGE_PATCH
from kubelearn.kubectl import options, resources
from kubelearn.kubectl.failures import CommandError, raise_all
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
        raise CommandError(f"invalid resource type {about[0]}, only node(s) is supported")
    if not specs:
        raise CommandError("at least one taint update is required")
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
        removes = spec.endswith("-")
        text = spec.removesuffix("-")
        body, colon, effect = text.partition(":")
        key, _, value = body.partition("=")
        if ":" in effect or "=" in value or (not colon and not removes) or (colon and not effect):
            raise (
                CommandError(f"invalid taint spec: {spec}")
                if not removes
                else CommandError(f"invalid taint spec: {text}")
            )
        if colon and effect not in _EFFECTS:
            raise CommandError(f"invalid taint effect: {effect}, unsupported taint effect")
        if problems := names.qualified_name(key):
            raise CommandError(f"invalid taint spec: {spec}, {'; '.join(problems)}")
        if problems := names.label_value(value):
            raise CommandError(f"invalid taint spec: {spec}, {'; '.join(problems)}")
        taint: Obj = {"key": key} | ({"value": value} if value else {}) | ({"effect": effect} if effect else {})
        (removed if removes else added).append(taint)
    return added, removed


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
    word = "modified" if added and removed else "tainted" if added else "untainted"
    Results(ctx, parsed, dry).show({"apiVersion": "v1", "kind": "Node", **node}, word)


def _refuse_overwriting(target: Target, taints: list[Obj], added: list[Obj]) -> None:
    for new in added:
        if any(_same(new, old) for old in taints):
            text = f"{new['key']}:{new.get('effect', '')}"
            raise CommandError(
                f"node {target.name} already has {text} taint(s) with same effect(s) and --overwrite is false"
            )


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

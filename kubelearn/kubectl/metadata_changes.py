"""`label` and `annotate`, which differ in little more than the word."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from kubelearn.api.resource import Obj
from kubelearn.client.rest import MERGE_PATCH
from kubelearn.kubectl import options, resources
from kubelearn.kubectl.failures import CommandError, raise_all
from kubelearn.kubectl.printers.encode import to_json
from kubelearn.kubectl.printers.result import Results
from kubelearn.kubectl.resources import Target
from kubelearn.kubectl.verb import Context, Flag, Parsed


@dataclass(frozen=True, slots=True)
class Field:
    """`name` is metadata's: labels, annotations; `check` gives what is wrong with a key and value."""

    name: str
    singular: str
    changed: str
    removed: str
    check: Callable[[str, str | None], list[str]]
    #: Whether a value may hold `=`: `a=b=c` is then key `a`.
    equals_in_value: bool


FLAGS: tuple[Flag, ...] = (
    *options.PRINT,
    *options.FILES,
    options.SELECTOR,
    options.FIELD_SELECTOR,
    options.ALL,
    options.ALL_NAMESPACES,
    options.DRY_RUN,
    options.LOCAL,
    Flag("overwrite", kind="bool", help="replace a value that is already there"),
    Flag("resource-version", help="only if the object still has this resourceVersion"),
    Flag("list", kind="bool", help="show what is there"),
)


def split(arguments: Sequence[str], field: Field) -> tuple[list[str], dict[str, str], list[str]]:
    """Resources, new values and keys to remove."""
    about: list[str] = []
    values: dict[str, str] = {}
    removed: list[str] = []
    for argument in arguments:
        if "=" in argument and not argument.startswith("="):
            key, _, value = argument.partition("=")
            if "=" in value and not field.equals_in_value:
                raise CommandError(f"invalid {field.singular} spec: {argument}")
            problems = field.check(key, value)
            if problems:
                raise CommandError(problems[0])
            values[key] = value
        elif argument.endswith("-") and len(argument) > 1:
            removed.append(argument[:-1])
        elif values or removed:
            raise CommandError(f"all resources must be specified before {field.singular} changes: {argument}")
        else:
            about.append(argument)
    if both := sorted(set(removed) & set(values)):
        what = "a label" if field.singular == "label" else "the following annotation(s)"
        which = "" if field.singular == "label" else f": {', '.join(both)}"
        raise CommandError(f"can not both modify and remove {what} in the same command{which}")
    return about, values, removed


async def change(ctx: Context, parsed: Parsed, field: Field) -> int:
    about, values, removed = split(parsed.args, field)
    from_files = bool(parsed["filename"])
    if not about and not from_files:
        raise CommandError("one or more resources must be specified as <resource> <name> or <resource>/<name>")
    if not values and not removed and not parsed["list"]:
        raise CommandError(f"at least one {field.singular} update is required")
    dry = options.dry_run(parsed)
    results = Results(ctx, parsed, dry)
    targets, errors = await resources.partly(ctx, parsed, about)
    for target in targets:
        try:
            await _one(ctx, parsed, field, target, values, removed, results, dry)
        except resources.FAILURES as error:
            errors.append(error)
    raise_all(errors)
    return 0


async def _one(
    ctx: Context,
    parsed: Parsed,
    field: Field,
    target: Target,
    values: dict[str, str],
    removed: list[str],
    results: Results,
    dry: str,
) -> None:
    assert target.object is not None
    obj: Obj = {"apiVersion": target.resource.api_version, "kind": target.resource.kind, **target.object}
    before = obj["metadata"].get(field.name) or {}
    if parsed["list"]:
        ctx.out("".join(f"{k}={v}\n" for k, v in sorted(before.items())))
        return
    _refuse_overwriting(parsed, field, before, values)
    after = {k: v for k, v in {**before, **values}.items() if k not in removed}
    for key in removed:
        if key not in before and field.singular == "label":
            ctx.out(f'{field.singular} "{key}" not found.\n')
    done = _word(field, before, after, values, removed)
    if before != after and dry != "client" and not parsed["local"]:
        metadata: dict[str, Any] = {field.name: values | dict.fromkeys(removed)}
        if parsed["resource-version"]:
            metadata["resourceVersion"] = parsed["resource-version"]
        body = to_json({"metadata": metadata}, None).encode()
        query = options.write_query(parsed, dry)
        obj = await ctx.client.patch(target.resource, target.name, target.namespace, body, MERGE_PATCH, **query)
        obj = {"apiVersion": target.resource.api_version, "kind": target.resource.kind, **obj}
    elif before != after:
        obj = {**obj, "metadata": {**obj["metadata"], field.name: after}}
    results.show(obj, done)


def _refuse_overwriting(parsed: Parsed, field: Field, before: dict[str, str], values: dict[str, str]) -> None:
    if parsed["overwrite"]:
        return
    for key, value in values.items():
        if key in before and before[key] != value:
            has = f"'{key}' already has a value ({before[key]})"
            if field.singular == "label":
                raise CommandError(f"{has}, and --overwrite is false")
            raise CommandError(f"--overwrite is false but found the following declared annotation(s): {has}")


def _word(
    field: Field, before: dict[str, str], after: dict[str, str], values: dict[str, str], removed: list[str]
) -> str:
    if field.singular == "annotation":
        return field.changed
    if before == after:
        return "not labeled"
    if removed and values:
        return "modified"
    return field.removed if removed else field.changed

"""What `create`, `run` and `expose` share: an object made from flags, shown only or sent to the server."""

from __future__ import annotations

from collections.abc import Sequence

from kubelearn.api.errors import ApiError
from kubelearn.api.resource import Obj
from kubelearn.kubectl import lastapplied, options, resources
from kubelearn.kubectl.failures import CommandError, UsageError
from kubelearn.kubectl.printers.result import Results
from kubelearn.kubectl.verb import Context, Flag, Parsed


def flags(manager: str = "kubectl-create") -> tuple[Flag, ...]:
    return (
        *options.PRINT,
        options.DRY_RUN,
        options.SAVE_CONFIG,
        options.VALIDATE,
        options.field_manager(manager),
    )


def one_name(parsed: Parsed, command: str) -> str:
    """The NAME argument. Raises UsageError as kubectl does unless there is exactly one."""
    if len(parsed.args) != 1:
        raise UsageError(command, f"exactly one NAME is required, got {len(parsed.args)}")
    return parsed.args[0]


async def make(
    ctx: Context,
    parsed: Parsed,
    obj: Obj,
    *,
    namespaced: bool = True,
    operation: str = "created",
    what: str = "",
    results: Results | None = None,
) -> Obj:
    """Create `obj`, or show what would be created; gives what the server made of it.

    `what` is for the sub-commands that say "failed to create WHAT" before the server's words, and drop its reason.
    A command that makes several objects passes its `results`."""
    dry = options.dry_run(parsed)
    results = results or Results(ctx, parsed, dry)
    if namespaced and ("namespace" in parsed.given or dry != "client"):
        meta = obj["metadata"]
        first = {k: meta[k] for k in ("name", "generateName") if k in meta}
        obj = {
            **obj,
            "metadata": {**first, "namespace": ctx.namespace, **{k: v for k, v in meta.items() if k not in first}},
        }
    if parsed["save-config"]:
        obj = lastapplied.annotated(obj)
    if dry != "client":
        resource = await resources.for_object(ctx, obj)
        query = options.write_query(parsed, dry)
        try:
            obj = await ctx.client.create(resource, obj, ctx.namespace if namespaced else "", **query)
        except ApiError as error:
            if not what:
                raise
            raise CommandError(f"failed to create {what} {error.message}") from error
    results.show(obj, operation)
    return obj


def key_values(pairs: Sequence[str], what: str = "literal source") -> list[tuple[str, str]]:
    found = []
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise CommandError(f"invalid {what} {pair}, expected key=value")
        found.append((key, value))
    return found

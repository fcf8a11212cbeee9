"""`create poddisruptionbudget`."""

from __future__ import annotations

from kubelearn.api import selectors
from kubelearn.api.resource import Obj
from kubelearn.kubectl import creating
from kubelearn.kubectl.failures import CommandError
from kubelearn.kubectl.verb import Context, Flag, Parsed, Verb

_OPERATORS = {"in": "In", "notin": "NotIn", "!=": "NotIn", "exists": "Exists", "!": "DoesNotExist"}
_STATUS = {"disruptionsAllowed": 0, "currentHealthy": 0, "desiredHealthy": 0, "expectedPods": 0}


async def run(ctx: Context, parsed: Parsed) -> int:
    name = creating.one_name(parsed, "create poddisruptionbudget")
    low, high = parsed["min-available"], parsed["max-unavailable"]
    if not parsed["selector"]:
        raise CommandError("a selector must be specified")
    if not low and not high:
        raise CommandError("one of min-available or max-unavailable must be specified")
    if low and high:
        raise CommandError("min-available and max-unavailable cannot be both specified")
    bound = {"minAvailable": _amount(low)} if low else {"maxUnavailable": _amount(high)}
    obj = {
        "kind": "PodDisruptionBudget",
        "apiVersion": "policy/v1",
        "metadata": {"name": name},
        "spec": {**bound, "selector": _selector(parsed["selector"])},
        "status": _STATUS,
    }
    await creating.make(ctx, parsed, obj, what="poddisruptionbudgets:")
    return 0


def _amount(text: str) -> int | str:
    """A number, or a share with a percent sign."""
    return int(text) if text.isdecimal() else text


def _selector(text: str) -> Obj:
    """As an object: what is equal as matchLabels, everything else as expressions."""
    try:
        found = selectors.parse_label_selector(text).requirements
    except ValueError as error:
        raise CommandError(str(error)) from error
    labels = {r.key: r.values[0] for r in found if r.operator in ("=", "==")}
    expressions = [_expression(r) for r in found if r.operator not in ("=", "==")]
    return ({"matchLabels": labels} if labels else {}) | ({"matchExpressions": expressions} if expressions else {})


def _expression(found: selectors.Requirement) -> Obj:
    if found.operator not in _OPERATORS:
        raise CommandError(f'"{found.operator}" is not a valid label selector operator')
    values = {"values": sorted(found.values)} if found.values else {}
    return {"key": found.key, "operator": _OPERATORS[found.operator], **values}


VERB = Verb(
    name="poddisruptionbudget",
    summary="Create a pod disruption budget with the specified name",
    usage="create poddisruptionbudget NAME --selector=SELECTOR --min-available=N [--dry-run=server|client|none]",
    examples="# Always leave one\nkubectl create pdb web --selector=app=web --min-available=1",
    flags=(
        *creating.flags(),
        Flag("selector", help="labels of the pods"),
        Flag("min-available", help="how many must stay: a number or a share (50%)"),
        Flag("max-unavailable", help="how many may be missing: a number or a share (50%)"),
    ),
    run=run,
    aliases=("pdb",),
)

"""`create priorityclass`."""

from __future__ import annotations

from kubelearn.kubectl import creating
from kubelearn.kubectl.verb import Context, Flag, Parsed, Verb


async def run(ctx: Context, parsed: Parsed) -> int:
    name = creating.one_name(parsed, "create priorityclass")
    obj = {
        "kind": "PriorityClass",
        "apiVersion": "scheduling.k8s.io/v1",
        "metadata": {"name": name},
        "value": parsed["value"],
        **({"globalDefault": True} if parsed["global-default"] else {}),
        **({"description": parsed["description"]} if parsed["description"] else {}),
        "preemptionPolicy": parsed["preemption-policy"],
    }
    await creating.make(ctx, parsed, obj, namespaced=False, what="priorityclass:")
    return 0


VERB = Verb(
    name="priorityclass",
    summary="Create a priority class with the specified name",
    usage="create priorityclass NAME --value=VALUE --global-default=BOOL [--dry-run=server|client|none]",
    examples="# Before others\nkubectl create priorityclass high --value=1000 --description='what matters most'",
    flags=(
        *creating.flags(),
        Flag("value", kind="int", help="the priority: more goes first"),
        Flag("global-default", kind="bool", help="for pods that name no class"),
        Flag("description", help="when to use it"),
        Flag("preemption-policy", default="PreemptLowerPriority", help="PreemptLowerPriority or Never"),
    ),
    run=run,
    aliases=("pc",),
)

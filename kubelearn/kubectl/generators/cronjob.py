"""`create cronjob`."""

from __future__ import annotations

from kubelearn.kubectl import creating
from kubelearn.kubectl.flags import require
from kubelearn.kubectl.generators.job import template
from kubelearn.kubectl.verb import Context, Flag, Parsed, Verb


async def run(ctx: Context, parsed: Parsed) -> int:
    require(parsed, "image", "schedule")
    name = creating.one_name(parsed, "create cronjob")
    pod = template(name, parsed["image"], parsed.after_dashes or [], parsed["restart"] or "OnFailure")
    obj = {
        "kind": "CronJob",
        "apiVersion": "batch/v1",
        "metadata": {"name": name},
        "spec": {
            "schedule": parsed["schedule"],
            "jobTemplate": {"metadata": {"name": name}, "spec": {"template": pod}},
        },
        "status": {},
    }
    await creating.make(ctx, parsed, obj, what="cronjob:")
    return 0


VERB = Verb(
    name="cronjob",
    summary="Create a cron job with the specified name",
    usage="create cronjob NAME --image=image --schedule='0/5 * * * ?' -- [COMMAND] [args...] [flags]",
    examples="""
# Something to be done every five minutes
kubectl create cronjob tick --image=kubelearn/busybox:1 --schedule="*/5 * * * *" -- date
""",
    flags=(
        *creating.flags(),
        Flag("image", help="image of the container"),
        Flag("schedule", help="when, in cron's five fields"),
        Flag("restart", help="restart policy of the pods: OnFailure or Never", complete="restart-policies"),
    ),
    run=run,
    aliases=("cj",),
)

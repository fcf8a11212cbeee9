"""`create token`: a token with which a program acts as a service account."""

from __future__ import annotations

from typing import Any

from kubelearn.api.errors import ApiError
from kubelearn.kubectl import creating, options, resources
from kubelearn.kubectl.failures import CommandError
from kubelearn.kubectl.printers import choose
from kubelearn.kubectl.verb import Context, Flag, Parsed, Verb


async def run(ctx: Context, parsed: Parsed) -> int:
    name = creating.one_name(parsed, "create token")
    spec: dict[str, Any] = {"audiences": parsed["audience"] or None}
    if parsed["duration"]:
        spec["expirationSeconds"] = int(parsed["duration"])
    accounts = await resources.find(ctx, "serviceaccounts")
    review = {"kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1", "spec": spec}
    try:
        answer = await ctx.client.create(accounts, review, ctx.namespace, subresource="token", name=name)
    except ApiError as error:
        raise CommandError(f"failed to create token: {error.message}") from error
    if parsed["output"]:
        choose.printer(parsed["output"], parsed["template"], cwd=ctx.cwd)(answer, ctx.out)
    else:
        ctx.out(answer["status"]["token"] + "\n")
    return 0


VERB = Verb(
    name="token",
    summary="Request a service account token",
    usage="create token SERVICE_ACCOUNT_NAME",
    examples="# A token that is good for ten minutes\nkubectl create token robot --duration 10m",
    flags=(
        *options.PRINT,
        Flag("audience", kind="array", help="who the token is for (repeatable)"),
        Flag("duration", kind="duration", help="how long it should be good"),
    ),
    run=run,
)

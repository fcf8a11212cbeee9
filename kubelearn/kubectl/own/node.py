"""Failure drills on a node's machine: `node stop worker-2`.

Not a Kubernetes API: kubelearn's control plane has the machines' power switch on its own path. On a foreign cluster
there is none, and the answer says so.
"""

from __future__ import annotations

import json

from kubelearn.api.errors import ApiError
from kubelearn.client.rest import whole
from kubelearn.client.transport import Request
from kubelearn.kubectl.verb import Context, Flag, Parsed, Verb

_ACTIONS = ("list", "start", "stop", "kill", "pause", "unpause", "disconnect", "connect")


async def _run(context: Context, parsed: Parsed) -> int:
    action, *names = parsed.args or ["list"]
    if action not in _ACTIONS or (action == "list") != (not names):
        context.err(f"error: usage: node {'|'.join(_ACTIONS)} NAME\n")
        return 1
    states: dict[str, str] = {}
    for name in names or [""]:
        path = f"/machines/v1/{name}/{action}" if name else "/machines/v1/"
        answer = await context.client.transport.send(Request("POST" if name else "GET", path))
        body = json.loads(await whole(answer) or b"{}")
        if answer.status >= 400:
            if "error" not in body:
                raise ApiError.from_status(body, answer.status)
            context.err(f"error: {body['error']}\n" + (f"  {body['hint']}\n" if body.get("hint") else ""))
            return 1
        states.update(body)
    if parsed["output"] == "json":
        context.out(json.dumps(states) + "\n")
    else:
        context.out("".join(f"{name}  {state}\n" for name, state in states.items()))
    return 0


VERB = Verb(
    name="node",
    summary="Failure drills on a node's machine",
    usage="node (list | start | stop | kill | pause | unpause | disconnect | connect) [NAME ...] [flags]",
    examples="# Switch a machine off, and on again\nkubelearn node stop worker-2\nkubelearn node start worker-2",
    flags=(Flag("output", "o", help="json, or text when empty", default=""),),
    run=_run,
    complete="node-action node",
)

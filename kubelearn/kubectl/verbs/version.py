"""`version`: of this client and of the server."""

from __future__ import annotations

from kubelearn import KUBERNETES_VERSION, __version__
from kubelearn.client.rest import decode, whole
from kubelearn.kubectl.failures import CommandError
from kubelearn.kubectl.printers.encode import to_json, to_yaml
from kubelearn.kubectl.verb import Context, Flag, Parsed, Verb


async def run(ctx: Context, parsed: Parsed) -> int:
    if parsed["output"] not in ("", "yaml", "json"):
        raise CommandError("--output must be 'yaml' or 'json'")
    major, minor, _ = KUBERNETES_VERSION.split(".", 2)
    own = {"major": major, "minor": minor, "gitVersion": f"v{KUBERNETES_VERSION}+kubelearn.{__version__}"}
    found = {"clientVersion": own}
    if not parsed["client"]:
        found["serverVersion"] = decode(await whole(await ctx.client.request("GET", "/version")))
    if parsed["output"]:
        ctx.out(to_yaml(found) if parsed["output"] == "yaml" else to_json(found, 2) + "\n")
        return 0
    ctx.out(f"Client Version: {own['gitVersion']}\n")
    if "serverVersion" in found:
        ctx.out(f"Server Version: {found['serverVersion']['gitVersion']}\n")
    return 0


VERB = Verb(
    name="version",
    summary="Print the client and server version information",
    usage="version",
    examples="# Both\nkubectl version",
    flags=(
        Flag("client", kind="bool", help="this client only; needs no server"),
        Flag("output", "o", help="yaml or json", complete="outputs"),
    ),
    run=run,
)

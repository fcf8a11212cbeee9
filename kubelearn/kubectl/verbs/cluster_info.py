"""`cluster-info`: where the control plane is."""

from __future__ import annotations

from kubelearn.api.errors import ApiError
from kubelearn.kubectl import resources
from kubelearn.kubectl.verb import Context, Parsed, Verb

_LABEL = "kubernetes.io/cluster-service=true"


async def run(ctx: Context, _parsed: Parsed) -> int:
    server = ctx.cache.get("server") or "the API server"
    start, end = ("\x1b[0;32m", "\x1b[0m") if ctx.color else ("", "")
    yellow = "\x1b[0;33m" if ctx.color else ""
    ctx.out(f"{start}Kubernetes control plane{end} is running at {yellow}{server}{end}\n")
    try:
        services = await ctx.client.list(await resources.find(ctx, "services"), "kube-system", label_selector=_LABEL)
    except ApiError:
        services = {"items": []}
    for service in services["items"]:
        meta = service["metadata"]
        name = (meta.get("labels") or {}).get("kubernetes.io/name") or meta["name"]
        port = next((f":{p['name']}" for p in service["spec"].get("ports") or [] if p.get("name")), "")
        path = f"/api/v1/namespaces/{meta['namespace']}/services/{meta['name']}{port}/proxy"
        ctx.out(f"{start}{name}{end} is running at {yellow}{server}{path}{end}\n")
    ctx.out("\nTo further debug and diagnose cluster problems, use 'kubectl cluster-info dump'.\n")
    return 0


VERB = Verb(
    name="cluster-info",
    summary="Display cluster information",
    usage="cluster-info",
    examples="# Where it is\nkubectl cluster-info",
    run=run,
)

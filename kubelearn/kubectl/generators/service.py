"""`create service clusterip|nodeport|loadbalancer|externalname`."""

from __future__ import annotations

from kubelearn.kubectl import creating
from kubelearn.kubectl.flags import require
from kubelearn.kubectl.generators._service import TCP, ports, service
from kubelearn.kubectl.verb import Context, Flag, Parsed, Verb


async def _clusterip(ctx: Context, parsed: Parsed) -> int:
    name = creating.one_name(parsed, "create service clusterip")
    headless = parsed["clusterip"] == "None"
    spec: dict[str, object] = {"type": "ClusterIP"}
    if parsed["tcp"] or not headless:
        spec["ports"] = ports(parsed["tcp"])
    if parsed["clusterip"]:
        spec["clusterIP"] = parsed["clusterip"]
    await creating.make(ctx, parsed, service(name, spec), what="ClusterIP service:")
    return 0


async def _nodeport(ctx: Context, parsed: Parsed) -> int:
    name = creating.one_name(parsed, "create service nodeport")
    spec = {"type": "NodePort", "ports": ports(parsed["tcp"], parsed["node-port"])}
    await creating.make(ctx, parsed, service(name, spec), what="NodePort service:")
    return 0


async def _loadbalancer(ctx: Context, parsed: Parsed) -> int:
    name = creating.one_name(parsed, "create service loadbalancer")
    spec = {"type": "LoadBalancer", "ports": ports(parsed["tcp"])}
    await creating.make(ctx, parsed, service(name, spec), what="LoadBalancer service:")
    return 0


async def _externalname(ctx: Context, parsed: Parsed) -> int:
    require(parsed, "external-name")
    name = creating.one_name(parsed, "create service externalname")
    spec: dict[str, object] = {"type": "ExternalName", "externalName": parsed["external-name"]}
    if parsed["tcp"]:
        spec["ports"] = ports(parsed["tcp"])
    await creating.make(ctx, parsed, service(name, spec), what="ExternalName service:")
    return 0


_CHILDREN = (
    Verb(
        "clusterip",
        "Create a ClusterIP service",
        "create service clusterip NAME [--tcp=<port>:<targetPort>] [--dry-run=server|client|none]",
        "# Reach the pods labelled app=web at port 80\nkubectl create service clusterip web --tcp=80:8080",
        (*creating.flags(), TCP, Flag("clusterip", help="an address of your choice, or None for a headless service")),
        _clusterip,
    ),
    Verb(
        "nodeport",
        "Create a NodePort service",
        "create service nodeport NAME [--tcp=port:targetPort] [--dry-run=server|client|none]",
        "# Also at a port of every node\nkubectl create service nodeport web --tcp=80:8080",
        (*creating.flags(), TCP, Flag("node-port", kind="int", help="the node port, if you want to choose it")),
        _nodeport,
    ),
    Verb(
        "loadbalancer",
        "Create a LoadBalancer service",
        "create service loadbalancer NAME [--tcp=port:targetPort] [--dry-run=server|client|none]",
        "# Ask for a load balancer\nkubectl create service loadbalancer web --tcp=80:8080",
        (*creating.flags(), TCP),
        _loadbalancer,
    ),
    Verb(
        "externalname",
        "Create an ExternalName service",
        "create service externalname NAME --external-name external.name [--dry-run=server|client|none]",
        "# A name for one outside\nkubectl create service externalname db --external-name db.example.com",
        (*creating.flags(), TCP, Flag("external-name", help="the name outside")),
        _externalname,
    ),
)

VERB = Verb(
    name="service",
    summary="Create a service using a specified subcommand",
    usage="create service [flags]",
    aliases=("svc",),
    children=_CHILDREN,
)

"""`expose`: a Service for the pods of an object."""

from __future__ import annotations

import dataclasses
from typing import Any

from kubelearn.api.resource import Obj
from kubelearn.kubectl import creating, options, resources
from kubelearn.kubectl.failures import CommandError, raise_all
from kubelearn.kubectl.printers.result import Results
from kubelearn.kubectl.resources import Target
from kubelearn.kubectl.verb import Context, Flag, Parsed, Verb

_NO_SELECTOR = "couldn't retrieve selectors via --selector flag or introspection: "
_EXPOSABLE = ("ReplicationController", "Service", "Pod", "Deployment", "ReplicaSet")


async def run(ctx: Context, parsed: Parsed) -> int:
    about = dataclasses.replace(parsed, flags={**parsed.flags, "selector": ""})  # the selector is the service's
    targets, errors = await resources.partly(ctx, about, parsed.args)
    raise_all(errors)
    dry = options.dry_run(parsed)
    results = Results(ctx, parsed, dry)
    services = await resources.find(ctx, "services")
    for target in targets:
        obj = _service(ctx, parsed, target)
        if dry != "client":
            obj = await ctx.client.create(services, obj, ctx.namespace, **options.write_query(parsed, dry))
        results.show({"apiVersion": "v1", "kind": "Service", **obj}, "exposed")
    return 0


def _service(ctx: Context, parsed: Parsed, target: Target) -> Obj:
    obj = target.object or {}
    if target.resource.kind not in _EXPOSABLE:
        raise CommandError(f"cannot expose a {target.word}")
    labels = dict(creating.key_values(parsed["labels"].split(","), "label")) if parsed["labels"] else None
    if labels is None:
        labels = obj["metadata"].get("labels") or {}
    spec: dict[str, Any] = {"ports": _ports(parsed, target), "selector": _selector(parsed, target)}
    for flag, name in (
        ("type", "type"),
        ("cluster-ip", "clusterIP"),
        ("external-name", "externalName"),
        ("session-affinity", "sessionAffinity"),
        ("load-balancer-ip", "loadBalancerIP"),
    ):
        if parsed[flag]:
            spec[name] = parsed[flag]
    if parsed["external-ip"]:
        spec["externalIPs"] = [parsed["external-ip"]]
    metadata: dict[str, Any] = {"name": parsed["name"] or target.name}
    if "namespace" in parsed.given or options.dry_run(parsed) != "client":
        metadata["namespace"] = ctx.namespace
    if labels:
        metadata["labels"] = labels
    return {"kind": "Service", "apiVersion": "v1", "metadata": metadata, "spec": spec, "status": {"loadBalancer": {}}}


def _selector(parsed: Parsed, target: Target) -> dict[str, str]:
    if parsed["selector"]:
        return dict(creating.key_values(parsed["selector"].split(","), "selector"))
    obj = target.object or {}
    if target.resource.kind == "Pod":
        labels: dict[str, str] = obj["metadata"].get("labels") or {}
        if not labels:
            raise CommandError(_NO_SELECTOR + "the pod has no labels and cannot be exposed")
        return labels
    selector = (obj.get("spec") or {}).get("selector") or {}
    if selector.get("matchExpressions"):
        raise CommandError(_NO_SELECTOR + "couldn't convert expressions to map-based selector format")
    found: dict[str, str] = selector.get("matchLabels", selector)
    if not found:
        raise CommandError(_NO_SELECTOR + "invalid service: no selectors, therefore cannot be exposed")
    return found


def _ports(parsed: Parsed, target: Target) -> list[dict[str, Any]]:
    found = [{"protocol": parsed["protocol"] or "TCP", "port": _number(p)} for p in parsed["port"].split(",") if p]
    if not found:
        found = _introspected(parsed, target)
    if not found:
        raise CommandError("couldn't find port via --port flag or introspection")
    wanted = parsed["target-port"]
    for index, port in enumerate(found):
        if len(found) > 1:
            port = found[index] = {"name": f"port-{index + 1}", **port}
        port["targetPort"] = (int(wanted) if wanted.isdecimal() else wanted) if wanted else port["port"]
    return found


def _number(text: str) -> int:
    if not text.isdecimal():
        raise CommandError(f'strconv.Atoi: parsing "{text}": invalid syntax')
    return int(text)


def _introspected(parsed: Parsed, target: Target) -> list[dict[str, Any]]:
    spec = (target.object or {}).get("spec") or {}
    if target.resource.kind == "Service":
        return [{"protocol": p.get("protocol", "TCP"), "port": p["port"]} for p in spec.get("ports") or []]
    pod = spec if target.resource.kind == "Pod" else (spec.get("template") or {}).get("spec") or {}
    return [
        {"protocol": parsed["protocol"] or p.get("protocol", "TCP"), "port": p["containerPort"]}
        for c in pod.get("containers") or []
        for p in c.get("ports") or []
    ]


VERB = Verb(
    name="expose",
    summary="Take a replication controller, service, deployment or pod and expose it as a new Kubernetes service",
    usage="expose (-f FILENAME | TYPE NAME) [--port=port] [--protocol=TCP|UDP|SCTP] [--target-port=number-or-name] "
    "[--name=name] [--external-ip=external-ip-of-service] [--type=type]",
    examples="# Reach the pods of a deployment at port 80\nkubectl expose deployment web --port=80 --target-port=8080",
    flags=(
        *options.PRINT,
        *options.FILES,
        options.DRY_RUN,
        options.SAVE_CONFIG,
        options.field_manager("kubectl-expose"),
        Flag("port", help="the service's port"),
        Flag("target-port", help="the containers' port, by number or name"),
        Flag("protocol", help="TCP, UDP or SCTP"),
        Flag("name", help="the service's name, if not the object's"),
        Flag("type", help="ClusterIP, NodePort, LoadBalancer or ExternalName", complete="service-types"),
        Flag("labels", "l", help="labels of the service"),
        Flag("selector", help="which pods, if not the object's"),
        Flag("cluster-ip", help="an address of your choice, or None"),
        Flag("external-ip", help="an address outside"),
        Flag("external-name", help="a name outside"),
        Flag("load-balancer-ip", help="the load balancer's address"),
        Flag("session-affinity", help="None or ClientIP"),
        Flag("overrides", help="not supported"),
        Flag("override-type", default="merge", help="not supported"),
    ),
    run=run,
    complete="resource name",
)

"""Nodes: conditions, capacity, and what their pods ask of them."""

from __future__ import annotations

from decimal import Decimal

from kubelearn.api import quantity
from kubelearn.api.resource import Obj
from kubelearn.api.table import age
from kubelearn.kubectl.describers import _writer as w
from kubelearn.kubectl.describers._writer import Describer, Sources, Writer

_ROLE = "node-role.kubernetes.io/"
_INFO = (
    ("Machine ID", "machineID"),
    ("System UUID", "systemUUID"),
    ("Boot ID", "bootID"),
    ("Kernel Version", "kernelVersion"),
    ("OS Image", "osImage"),
    ("Operating System", "operatingSystem"),
    ("Architecture", "architecture"),
    ("Container Runtime Version", "containerRuntimeVersion"),
    ("Kubelet Version", "kubeletVersion"),
)


async def write(out: Writer, node: Obj, sources: Sources) -> None:
    meta, spec, status = node["metadata"], node.get("spec") or {}, node.get("status") or {}
    roles = sorted(k.removeprefix(_ROLE) for k in meta.get("labels") or {} if k.startswith(_ROLE) and k != _ROLE)
    out.field("Name", meta["name"])
    out.field("Roles", ",".join(roles) or "<none>")
    w.labels(out, "Labels", meta.get("labels"))
    w.annotation_lines(out, meta.get("annotations"))
    out.field("CreationTimestamp", w.time(meta.get("creationTimestamp")))
    w.multiline(out, "Taints", map(taint_text, spec.get("taints") or []))
    out.field("Unschedulable", str(bool(spec.get("unschedulable"))).lower())
    await _lease(out, meta["name"], sources)
    _conditions(out, status.get("conditions") or [])
    out.line(0, "Addresses:")
    for address in status.get("addresses") or []:
        out.field(address["type"], address["address"], 1)
    w.quantities(out, "Capacity", status.get("capacity"), 0)
    w.quantities(out, "Allocatable", status.get("allocatable"), 0)
    out.line(0, "System Info:")
    for title, key in _INFO:
        out.field(title, (status.get("nodeInfo") or {}).get(key, ""), 1)
    if spec.get("podCIDR"):
        out.field("PodCIDR", spec["podCIDR"])
    if spec.get("podCIDRs"):
        out.field("PodCIDRs", ",".join(spec["podCIDRs"]))
    if spec.get("providerID"):
        out.field("ProviderID", spec["providerID"])
    pods = await sources.list("pods", "", field_selector=f"spec.nodeName={meta['name']}")
    _pods(out, status, [p for p in pods if (p.get("status") or {}).get("phase") not in ("Succeeded", "Failed")])


def taint_text(taint: Obj) -> str:
    """`key=value:effect`."""
    value = f"={taint['value']}" if taint.get("value") else ""
    return f"{taint['key']}{value}:{taint.get('effect', '')}"


async def _lease(out: Writer, name: str, sources: Sources) -> None:
    lease = await sources.get("leases.coordination.k8s.io", name, "kube-node-lease")
    spec = (lease or {}).get("spec") or {}
    out.line(0, "Lease:")
    out.field("HolderIdentity", spec.get("holderIdentity", "<unset>"), 1)
    out.field("AcquireTime", w.time(spec.get("acquireTime")), 1)
    out.field("RenewTime", w.time(spec.get("renewTime")), 1)


def _conditions(out: Writer, found: list[Obj]) -> None:
    if not found:
        return
    out.line(0, "Conditions:")
    out.line(1, "Type\tStatus\tLastHeartbeatTime\tLastTransitionTime\tReason\tMessage")
    out.line(1, "----\t------\t-----------------\t------------------\t------\t-------")
    for c in found:
        times = f"{w.time(c.get('lastHeartbeatTime'))} \t{w.time(c.get('lastTransitionTime'))}"
        out.line(1, f"{c['type']} \t{c['status']} \t{times} \t{c.get('reason', '')} \t{c.get('message', '')}")


def _asked(pod: Obj, which: str, resource: str) -> Decimal:
    """What a pod requests (or may use at most): the sum of its containers, or the largest init container."""
    spec = pod["spec"]

    def of(container: Obj) -> Decimal:
        return quantity.parse(((container.get("resources") or {}).get(which) or {}).get(resource, "0"))

    total = sum((of(c) for c in spec.get("containers") or []), Decimal(0))
    return max([total, *(of(c) for c in spec.get("initContainers") or [])])


def _amount(value: Decimal, resource: str) -> str:
    if resource == "cpu":
        return quantity.canonical(f"{int(value * 1000)}m") if value else "0"
    return quantity.format(value, "BinarySI") if value else "0"


def _share(value: Decimal, status: Obj, resource: str) -> str:
    allocatable = status.get("allocatable") or status.get("capacity") or {}
    total = quantity.parse(allocatable.get(resource, "0"))
    percent = int(value * 100 / total) if total else 0
    return f"{_amount(value, resource)} ({percent}%)"


def _pods(out: Writer, status: Obj, pods: list[Obj]) -> None:
    out.line(0, f"Non-terminated Pods:\t({len(pods)} in total)")
    out.line(1, "Namespace\tName\t\tCPU Requests\tCPU Limits\tMemory Requests\tMemory Limits\tAge")
    out.line(1, "---------\t----\t\t------------\t----------\t---------------\t-------------\t---")
    for pod in pods:
        shares = [
            _share(_asked(pod, which, resource), status, resource)
            for resource in ("cpu", "memory")
            for which in ("requests", "limits")
        ]
        meta = pod["metadata"]
        cells = [meta.get("namespace", ""), meta["name"], "", *shares, age(meta.get("creationTimestamp"))]
        out.line(1, "\t".join(cells))
    out.line(0, "Allocated resources:")
    out.line(1, "(Total limits may be over 100 percent, i.e., overcommitted.)")
    out.line(1, "Resource\tRequests\tLimits")
    out.line(1, "--------\t--------\t------")
    for resource in ("cpu", "memory", "ephemeral-storage"):
        totals = [sum((_asked(p, which, resource) for p in pods), Decimal(0)) for which in ("requests", "limits")]
        out.line(1, "\t".join([resource, *(_share(total, status, resource) for total in totals)]))


DESCRIBER = Describer(write)

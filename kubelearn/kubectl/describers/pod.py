"""Pods."""

from __future__ import annotations

from kubelearn.api.resource import Obj
from kubelearn.api.table import age
from kubelearn.kubectl.describers import _containers as c
from kubelearn.kubectl.describers import _writer as w
from kubelearn.kubectl.describers._writer import Describer, Sources, Writer


async def write(out: Writer, pod: Obj, _sources: Sources) -> None:
    meta, spec, status = pod["metadata"], pod.get("spec") or {}, pod.get("status") or {}
    _head(out, meta, spec, status)
    if owner := w.controller(pod):
        out.field("Controlled By", owner)
    if status.get("nominatedNodeName"):
        out.field("NominatedNodeName", status["nominatedNodeName"])
    if spec.get("initContainers"):
        c.containers(
            out, "Init Containers", spec["initContainers"], status.get("initContainerStatuses"), resolve=_resolver(pod)
        )
    c.containers(
        out, "Containers", spec.get("containers") or [], status.get("containerStatuses"), resolve=_resolver(pod)
    )
    if status.get("conditions"):
        out.line(0, "Conditions:")
        out.line(1, "Type\tStatus")
        for condition in status["conditions"]:
            out.line(1, f"{condition['type']} \t{condition['status']} ")
    c.volumes(out, spec.get("volumes") or [])
    out.field("QoS Class", status.get("qosClass", ""))
    w.labels(out, "Node-Selectors", spec.get("nodeSelector"))
    c.tolerations(out, "Tolerations", spec.get("tolerations"))
    c.spread(out, spec.get("topologySpreadConstraints"))


def _head(out: Writer, meta: Obj, spec: Obj, status: Obj) -> None:
    out.field("Name", meta["name"])
    out.field("Namespace", meta.get("namespace", ""))
    for title, key in (
        ("Priority", "priority"),
        ("Priority Class Name", "priorityClassName"),
        ("Runtime Class Name", "runtimeClassName"),
        ("Service Account", "serviceAccountName"),
    ):
        if spec.get(key) not in (None, ""):
            out.field(title, spec[key])
    out.field("Node", f"{spec['nodeName']}/{status.get('hostIP', '')}" if spec.get("nodeName") else "<none>")
    if status.get("startTime"):
        out.field("Start Time", w.time(status["startTime"]))
    w.labels(out, "Labels", meta.get("labels"))
    w.annotation_lines(out, meta.get("annotations"))
    if meta.get("deletionTimestamp"):
        out.field("Status", f"Terminating (lasts {age(meta['deletionTimestamp'])})")
        out.field("Termination Grace Period", f"{meta.get('deletionGracePeriodSeconds', 0)}s")
    else:
        out.field("Status", status.get("phase", ""))
    for title, key in (("Reason", "reason"), ("Message", "message")):
        if status.get(key):
            out.field(title, status[key])
    profile = (spec.get("securityContext") or {}).get("seccompProfile")
    if profile:
        out.field("SeccompProfile", profile.get("type", ""))
    out.field("IP", status.get("podIP", ""))
    ips = [entry.get("ip", "") for entry in status.get("podIPs") or []]
    out.line(0, "IPs:" if ips else "IPs:\t<none>")
    for ip in ips:
        out.field("IP", ip, 1)


def _resolver(pod: Obj) -> c.Resolve:
    """The value of a downward-API field, as far as the object tells."""

    def resolve(path: str) -> str:
        if path in ("status.podIP", "status.hostIP"):
            return str((pod.get("status") or {}).get(path.split(".")[1], ""))
        if path.startswith("spec."):
            return str((pod.get("spec") or {}).get(path.split(".")[1], ""))
        part, _, key = path.removeprefix("metadata.").partition("['")
        value = pod["metadata"].get(part, "")
        return str(value.get(key.removesuffix("']"), "")) if key and isinstance(value, dict) else str(value)

    return resolve


DESCRIBER = Describer(write)

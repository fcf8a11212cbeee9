"""Persistent volume claims, with the pods that use them."""

from __future__ import annotations

from kubelearn.api.resource import Obj
from kubelearn.kubectl.describers import _storage as s
from kubelearn.kubectl.describers import _writer as w
from kubelearn.kubectl.describers._writer import Describer, Sources, Writer


async def write(out: Writer, claim: Obj, sources: Sources) -> None:
    meta, spec, status = claim["metadata"], claim.get("spec") or {}, claim.get("status") or {}
    out.field("Name", meta["name"])
    out.field("Namespace", meta.get("namespace", ""))
    out.field("StorageClass", s.class_of(claim))
    out.field("Status", s.status_of(claim))
    out.field("Volume", spec.get("volumeName", ""))
    w.labels(out, "Labels", meta.get("labels"))
    w.annotation_lines(out, meta.get("annotations"))
    out.field("Finalizers", s.finalizers(claim))
    bound = bool(spec.get("volumeName"))
    out.field("Capacity", (status.get("capacity") or {}).get("storage", "0") if bound else "")
    out.field("Access Modes", s.access_modes(status.get("accessModes")) if bound else "")
    if spec.get("volumeMode"):
        out.field("VolumeMode", spec["volumeMode"])
    if source := spec.get("dataSource"):
        out.line(0, "DataSource:")
        if source.get("apiGroup") is not None:
            out.field("APIGroup", source["apiGroup"], 1)
        out.field("Kind", source.get("kind", ""), 1)
        out.field("Name", source.get("name", ""), 1)
    pods = await sources.list("pods", meta.get("namespace", ""))
    w.multiline(out, "Used By", [pod["metadata"]["name"] for pod in pods if _mounts(pod, meta["name"])])
    _conditions(out, status.get("conditions") or [])


def _mounts(pod: Obj, name: str) -> bool:
    """By a volume of its own, or by one that its ephemeral volume became."""
    for volume in (pod.get("spec") or {}).get("volumes") or []:
        if (volume.get("persistentVolumeClaim") or {}).get("claimName") == name:
            return True
        if volume.get("ephemeral") and f"{pod['metadata']['name']}-{volume['name']}" == name:
            return True
    return False


def _conditions(out: Writer, found: list[Obj]) -> None:
    if found:
        out.line(0, "Conditions:")
        out.line(1, "Type\tStatus\tLastProbeTime\tLastTransitionTime\tReason\tMessage")
        out.line(1, "----\t------\t-----------------\t------------------\t------\t-------")
    for c in found:
        times = f"{w.zero_time(c.get('lastProbeTime'))} \t{w.zero_time(c.get('lastTransitionTime'))}"
        out.line(1, f"{c['type']} \t{c['status']} \t{times} \t{c.get('reason', '')} \t{c.get('message', '')}")


DESCRIBER = Describer(write)

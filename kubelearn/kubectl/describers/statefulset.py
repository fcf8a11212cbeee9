"""StatefulSets, with their volume claims."""

from __future__ import annotations

from kubelearn.api import selectors
from kubelearn.api.resource import Obj
from kubelearn.kubectl.describers import _containers as c
from kubelearn.kubectl.describers import _writer as w
from kubelearn.kubectl.describers._storage import class_of
from kubelearn.kubectl.describers._writer import Describer, Sources, Writer
from kubelearn.kubectl.describers.replicaset import pod_counts


async def write(out: Writer, found: Obj, sources: Sources) -> None:
    meta, spec, status = found["metadata"], found.get("spec") or {}, found.get("status") or {}
    out.field("Name", meta["name"])
    out.field("Namespace", meta.get("namespace", ""))
    out.field("CreationTimestamp", w.time(meta.get("creationTimestamp")))
    out.field("Selector", selectors.format(spec.get("selector")))
    w.labels(out, "Labels", meta.get("labels"))
    w.annotation_lines(out, meta.get("annotations"))
    out.field("Service Name", spec.get("serviceName", ""))
    out.field("Pod Management Policy", spec.get("podManagementPolicy", ""))
    out.field("Replicas", f"{spec.get('replicas', 1)} desired | {status.get('replicas', 0)} total")
    strategy = spec.get("updateStrategy") or {}
    out.field("Update Strategy", strategy.get("type", ""))
    rolling = strategy.get("rollingUpdate") or {}
    if rolling.get("partition") is not None:
        out.field("Partition", rolling["partition"], 1)
        if rolling.get("maxUnavailable") is not None:
            out.field("MaxUnavailable", rolling["maxUnavailable"], 1)
    if retention := spec.get("persistentVolumeClaimRetentionPolicy"):
        out.line(0, "Persistent Volume Claim Retention Policy:")
        out.field("WhenDeleted", retention.get("whenDeleted", ""), 1)
        out.field("WhenScaled", retention.get("whenScaled", ""), 1)
    out.field("Pods Status", await pod_counts(found, sources))
    c.template(out, spec.get("template") or {})
    _claims(out, spec.get("volumeClaimTemplates") or [])


def _claims(out: Writer, templates: list[Obj]) -> None:
    out.line(0, "Volume Claims:" if templates else "Volume Claims:\t<none>")
    for claim in templates:
        meta, spec = claim.get("metadata") or {}, claim.get("spec") or {}
        out.field("Name", meta.get("name", ""), 1)
        out.field("StorageClass", class_of(claim), 1)
        for title in ("Labels", "Annotations"):
            pairs = [f"{k}={v}" for k, v in sorted((meta.get(title.lower()) or {}).items())] or ["<none>"]
            out.field(title, pairs[0], 1)
            for pair in pairs[1:]:
                out.line(1, f"\t{pair}")
        requests = (spec.get("resources") or {}).get("requests") or {}
        out.field("Capacity", requests.get("storage", "<default>"), 1)
        out.field("Access Modes", f"[{' '.join(spec.get('accessModes') or [])}]", 1)


DESCRIBER = Describer(write)

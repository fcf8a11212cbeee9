"""ReplicationControllers, the older form of ReplicaSets."""

from __future__ import annotations

from kubelearn.api.resource import Obj
from kubelearn.kubectl.describers import _containers as c
from kubelearn.kubectl.describers import _writer as w
from kubelearn.kubectl.describers._writer import Describer, Sources, Writer
from kubelearn.kubectl.describers.replicaset import pod_counts


async def write(out: Writer, found: Obj, sources: Sources) -> None:
    meta, spec, status = found["metadata"], found.get("spec") or {}, found.get("status") or {}
    labels = spec.get("selector") or {}
    out.field("Name", meta["name"])
    out.field("Namespace", meta.get("namespace", ""))
    out.field("Selector", w.pairs(labels))
    w.labels(out, "Labels", meta.get("labels"))
    w.annotation_lines(out, meta.get("annotations"))
    out.field("Replicas", f"{status.get('replicas', 0)} current / {spec.get('replicas', 1)} desired")
    out.field("Pods Status", await pod_counts(found, sources))
    c.template(out, spec.get("template") or {})
    w.conditions(out, found)


DESCRIBER = Describer(write)

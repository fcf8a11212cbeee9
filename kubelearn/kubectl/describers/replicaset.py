"""ReplicaSets, with a count of their pods by phase."""

from __future__ import annotations

from kubelearn.api import selectors
from kubelearn.api.resource import Obj
from kubelearn.kubectl.describers import _containers as c
from kubelearn.kubectl.describers import _writer as w
from kubelearn.kubectl.describers._writer import Describer, Sources, Writer


async def write(out: Writer, rs: Obj, sources: Sources) -> None:
    meta, spec, status = rs["metadata"], rs.get("spec") or {}, rs.get("status") or {}
    out.field("Name", meta["name"])
    out.field("Namespace", meta.get("namespace", ""))
    out.field("Selector", selectors.format(spec.get("selector")))
    w.labels(out, "Labels", meta.get("labels"))
    w.annotation_lines(out, meta.get("annotations"))
    if owner := w.controller(rs):
        out.field("Controlled By", owner)
    out.field("Replicas", f"{status.get('replicas', 0)} current / {spec.get('replicas', 0)} desired")
    out.field("Pods Status", await pod_counts(rs, sources))
    c.template(out, spec.get("template") or {})
    w.conditions(out, rs)


async def pod_counts(owner: Obj, sources: Sources) -> str:
    """`2 Running / 0 Waiting / 0 Succeeded / 0 Failed`, of the pods that `owner` controls."""
    meta = owner["metadata"]
    wanted = (owner.get("spec") or {}).get("selector")
    # A ReplicationController's selector is a plain map of labels.
    plain = owner.get("kind") == "ReplicationController"
    selector = selectors.format({"matchLabels": wanted or {}} if plain else wanted)
    pods = await sources.list("pods", meta.get("namespace", ""), label_selector=selector)
    phases = [
        (pod.get("status") or {}).get("phase")
        for pod in pods
        if any(r.get("uid") == meta.get("uid") for r in pod["metadata"].get("ownerReferences") or [])
    ]
    words = (("Running", "Running"), ("Pending", "Waiting"), ("Succeeded", "Succeeded"), ("Failed", "Failed"))
    return " / ".join(f"{phases.count(phase)} {word}" for phase, word in words)


DESCRIBER = Describer(write)

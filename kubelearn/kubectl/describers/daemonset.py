"""DaemonSets: on how many nodes they run."""

from __future__ import annotations

from kubelearn.api import selectors
from kubelearn.api.resource import Obj
from kubelearn.kubectl.describers import _containers as c
from kubelearn.kubectl.describers import _writer as w
from kubelearn.kubectl.describers._writer import Describer, Sources, Writer
from kubelearn.kubectl.describers.replicaset import pod_counts

_COUNTS = (
    ("Desired Number of Nodes Scheduled", "desiredNumberScheduled"),
    ("Current Number of Nodes Scheduled", "currentNumberScheduled"),
    ("Number of Nodes Scheduled with Up-to-date Pods", "updatedNumberScheduled"),
    ("Number of Nodes Scheduled with Available Pods", "numberAvailable"),
    ("Number of Nodes Misscheduled", "numberMisscheduled"),
)


async def write(out: Writer, found: Obj, sources: Sources) -> None:
    meta, spec, status = found["metadata"], found.get("spec") or {}, found.get("status") or {}
    template = spec.get("template") or {}
    out.field("Name", meta["name"])
    out.field("Namespace", meta.get("namespace", ""))
    out.field("Selector", selectors.format(spec.get("selector")))
    out.field("Node-Selector", w.pairs((template.get("spec") or {}).get("nodeSelector")))
    w.labels(out, "Labels", meta.get("labels"))
    w.annotation_lines(out, meta.get("annotations"))
    for title, key in _COUNTS:
        out.line(0, f"{title}: {status.get(key, 0)}")
    out.field("Pods Status", await pod_counts(found, sources))
    c.template(out, template)


DESCRIBER = Describer(write)

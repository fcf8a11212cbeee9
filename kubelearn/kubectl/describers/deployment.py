"""Deployments, with their ReplicaSets."""

from __future__ import annotations

from kubelearn.api import selectors
from kubelearn.api.resource import Obj
from kubelearn.kubectl.describers import _containers as c
from kubelearn.kubectl.describers import _writer as w
from kubelearn.kubectl.describers._writer import Describer, Sources, Writer

_REVISION = "deployment.kubernetes.io/revision"


async def write(out: Writer, deployment: Obj, sources: Sources) -> None:
    meta, spec, status = deployment["metadata"], deployment.get("spec") or {}, deployment.get("status") or {}
    out.field("Name", meta["name"])
    out.field("Namespace", meta.get("namespace", ""))
    out.field("CreationTimestamp", w.time(meta.get("creationTimestamp")))
    w.labels(out, "Labels", meta.get("labels"))
    w.annotation_lines(out, meta.get("annotations"))
    out.field("Selector", selectors.format(spec.get("selector")))
    counts = (
        (spec.get("replicas", 1), "desired"),
        (status.get("updatedReplicas", 0), "updated"),
        (status.get("replicas", 0), "total"),
        (status.get("availableReplicas", 0), "available"),
        (status.get("unavailableReplicas", 0), "unavailable"),
    )
    out.field("Replicas", " | ".join(f"{n} {word}" for n, word in counts))
    strategy = spec.get("strategy") or {}
    out.field("StrategyType", strategy.get("type", ""))
    out.field("MinReadySeconds", spec.get("minReadySeconds", 0))
    if rolling := strategy.get("rollingUpdate"):
        text = f"{rolling.get('maxUnavailable', 0)} max unavailable, {rolling.get('maxSurge', 0)} max surge"
        out.field("RollingUpdateStrategy", text)
    c.template(out, spec.get("template") or {})
    w.conditions(out, deployment)
    await _replica_sets(out, deployment, sources)


async def _replica_sets(out: Writer, deployment: Obj, sources: Sources) -> None:
    meta = deployment["metadata"]
    selector = selectors.format((deployment.get("spec") or {}).get("selector"))
    found = await sources.list("replicasets.apps", meta.get("namespace", ""), label_selector=selector)
    owned = [rs for rs in found if w.controller(rs) == f"Deployment/{meta['name']}"]
    revision = (meta.get("annotations") or {}).get(_REVISION)
    new = [rs for rs in owned if (rs["metadata"].get("annotations") or {}).get(_REVISION) == revision][:1]
    old = [rs for rs in owned if rs not in new]
    out.field("OldReplicaSets", _summary(old))
    out.field("NewReplicaSet", _summary(new))


def _summary(found: list[Obj]) -> str:
    texts = []
    for rs in found:
        replicas, wanted = (rs.get("status") or {}).get("replicas", 0), rs["spec"].get("replicas", 0)
        texts.append(f"{rs['metadata']['name']} ({replicas}/{wanted} replicas created)")
    return ", ".join(texts) or "<none>"


DESCRIBER = Describer(write)

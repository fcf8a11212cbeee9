"""What the sub-commands of `rollout` know of a workload: its status in words, its history, its templates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kubelearn.api import selectors
from kubelearn.api.resource import Obj
from kubelearn.kubectl import resources
from kubelearn.kubectl.describers._writer import controller
from kubelearn.kubectl.failures import CommandError
from kubelearn.kubectl.resources import Target
from kubelearn.kubectl.verb import Context

REVISION = "deployment.kubernetes.io/revision"
CAUSE = "kubernetes.io/change-cause"


def status(obj: Obj, kind: str, revision: int = 0) -> tuple[str, bool]:
    """What kubectl says of a rollout, and whether it is over. Raises CommandError when it has failed."""
    viewers = {"Deployment": _deployment, "DaemonSet": _daemon_set, "StatefulSet": _stateful_set}
    if kind not in viewers:
        raise CommandError(f"no status viewer has been implemented for {kind}")
    return viewers[kind](obj, revision)


def _deployment(obj: Obj, revision: int) -> tuple[str, bool]:
    meta, spec, now = obj["metadata"], obj["spec"], obj.get("status") or {}
    name = meta["name"]
    if revision:
        has = int((meta.get("annotations") or {}).get(REVISION, 0))
        if has != revision:
            raise CommandError(f"desired revision ({revision}) is different from the running revision ({has})")
    if meta.get("generation", 0) > now.get("observedGeneration", 0):
        return "Waiting for deployment spec update to be observed...\n", False
    for condition in now.get("conditions") or []:
        if condition["type"] == "Progressing" and condition.get("reason") == "ProgressDeadlineExceeded":
            raise CommandError(f'deployment "{name}" exceeded its progress deadline')
    waiting = f'Waiting for deployment "{name}" rollout to finish: '
    updated, total, available = (now.get(k, 0) for k in ("updatedReplicas", "replicas", "availableReplicas"))
    wanted = spec.get("replicas", 1)
    if updated < wanted:
        return f"{waiting}{updated} out of {wanted} new replicas have been updated...\n", False
    if total > updated:
        return f"{waiting}{total - updated} old replicas are pending termination...\n", False
    if available < updated:
        return f"{waiting}{available} of {updated} updated replicas are available...\n", False
    return f'deployment "{name}" successfully rolled out\n', True


def _daemon_set(obj: Obj, _revision: int) -> tuple[str, bool]:
    meta, now = obj["metadata"], obj.get("status") or {}
    if (obj["spec"].get("updateStrategy") or {}).get("type") != "RollingUpdate":
        raise CommandError("rollout status is only available for RollingUpdate strategy type")
    if meta.get("generation", 0) > now.get("observedGeneration", 0):
        return "Waiting for daemon set spec update to be observed...\n", False
    name, wanted = meta["name"], now.get("desiredNumberScheduled", 0)
    updated, available = now.get("updatedNumberScheduled", 0), now.get("numberAvailable", 0)
    waiting = f'Waiting for daemon set "{name}" rollout to finish: '
    if updated < wanted:
        return f"{waiting}{updated} out of {wanted} new pods have been updated...\n", False
    if available < wanted:
        return f"{waiting}{available} of {wanted} updated pods are available...\n", False
    return f'daemon set "{name}" successfully rolled out\n', True


def _stateful_set(obj: Obj, _revision: int) -> tuple[str, bool]:
    meta, spec, now = obj["metadata"], obj["spec"], obj.get("status") or {}
    strategy = spec.get("updateStrategy") or {}
    if strategy.get("type") != "RollingUpdate":
        raise CommandError("rollout status is only available for RollingUpdate strategy type")
    if not now.get("observedGeneration") or meta.get("generation", 0) > now["observedGeneration"]:
        return "Waiting for statefulset spec update to be observed...\n", False
    wanted, ready = spec.get("replicas", 1), now.get("readyReplicas", 0)
    if ready < wanted:
        return f"Waiting for {wanted - ready} pods to be ready...\n", False
    partition, updated = (strategy.get("rollingUpdate") or {}).get("partition"), now.get("updatedReplicas", 0)
    if partition is not None:
        if updated < wanted - partition:
            left = wanted - partition
            return (
                f"Waiting for partitioned roll out to finish: {updated} out of {left} new pods have been updated...\n",
                False,
            )
        return f"partitioned roll out complete: {updated} new pods have been updated...\n", True
    if now.get("updateRevision") != now.get("currentRevision"):
        text = f"waiting for statefulset rolling update to complete {updated} pods at revision {now.get('updateRevision')}...\n"
        return text, False
    done = now.get("currentReplicas", 0)
    return f"statefulset rolling update complete {done} pods at revision {now.get('currentRevision')}...\n", True


@dataclass(frozen=True, slots=True)
class Revision:
    """One past or present template of a workload. `object` is what `-o` prints; `record` is what the server keeps."""

    cause: str
    template: Obj
    object: Obj
    record: Obj


async def revisions(ctx: Context, target: Target, what: str) -> dict[int, Revision]:
    """The history of a workload, oldest first. Raises CommandError, naming `what` is missing, for another kind."""
    if target.resource.kind == "Deployment":
        found = await replica_sets(ctx, target)
        return {
            n: Revision(_cause(rs), _with_cause(rs), {"apiVersion": "apps/v1", "kind": "ReplicaSet", **rs}, rs)
            for n, rs in found.items()
        }
    if target.resource.kind not in ("DaemonSet", "StatefulSet"):
        raise CommandError(f'no {what} has been implemented for "{target.resource.kind}"')
    assert target.object is not None
    selector = selectors.format(target.object["spec"].get("selector"))
    resource = await resources.find(ctx, "controllerrevisions.apps")
    records = (await ctx.client.list(resource, target.namespace, label_selector=selector))["items"]
    owned = [r for r in records if controller(r) == f"{target.resource.kind}/{target.name}"]
    return {r["revision"]: _recorded(target.object, r) for r in sorted(owned, key=lambda r: int(r["revision"]))}


def _recorded(workload: Obj, record: Obj) -> Revision:
    """A ControllerRevision holds a patch that puts the template in place of the present one."""
    template = {k: v for k, v in record["data"]["spec"]["template"].items() if k != "$patch"}
    applied = {**workload, "spec": {**workload["spec"], "template": template}}
    return Revision(_cause(record), template, applied, record)


def _cause(obj: Obj) -> str:
    return (obj["metadata"].get("annotations") or {}).get(CAUSE) or "<none>"


def _with_cause(rs: Obj) -> Obj:
    """A ReplicaSet's template, with the change cause among its annotations."""
    template = dict(rs["spec"]["template"])
    cause = _cause(rs)
    if cause != "<none>":
        meta = template.get("metadata") or {}
        template["metadata"] = {**meta, "annotations": {**(meta.get("annotations") or {}), CAUSE: cause}}
    return template


async def replica_sets(ctx: Context, target: Target) -> dict[int, Obj]:
    """The deployment's ReplicaSets by revision."""
    assert target.object is not None
    selector = selectors.format(target.object["spec"].get("selector"))
    resource = await resources.find(ctx, "replicasets.apps")
    found = (await ctx.client.list(resource, target.namespace, label_selector=selector))["items"]
    owned = [rs for rs in found if controller(rs) == f"Deployment/{target.name}"]
    by_revision = {int((rs["metadata"].get("annotations") or {}).get(REVISION, 0)): rs for rs in owned}
    return dict(sorted(by_revision.items()))


def template_without_hash(rs: Obj) -> dict[str, Any]:
    """A ReplicaSet's template as the Deployment had it."""
    template = dict(rs["spec"]["template"])
    meta = template.get("metadata") or {}
    labels = {k: v for k, v in (meta.get("labels") or {}).items() if k != "pod-template-hash"}
    template["metadata"] = {**meta, "labels": labels}
    return template

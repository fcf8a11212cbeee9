"""A deployment's ReplicaSets: which is the new one, their revisions and annotations, making and scaling them.

Source: Kubernetes' pkg/controller/deployment/sync.go and util/deployment_util.go.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import orjson

from kubelearn.api import meta
from kubelearn.api.errors import ApiError
from kubelearn.api.resource import Obj
from kubelearn.controllers import _conditions
from kubelearn.controllers import _deployment_math as math
from kubelearn.controllers.base import DEPLOYMENTS, REPLICASETS, ControllerContext
from kubelearn.trace import cause

HASH_LABEL = "pod-template-hash"
REVISION = "deployment.kubernetes.io/revision"
HISTORY = "deployment.kubernetes.io/revision-history"
_NOT_COPIED = frozenset(
    {
        "kubectl.kubernetes.io/last-applied-configuration",
        REVISION,
        HISTORY,
        math.DESIRED,
        math.MAXIMUM,
        "deprecated.deployment.rollback.to",
    }
)


@dataclass(slots=True)
class Rollout:
    """One reconcile: the deployment as written last, its new ReplicaSet if there is one, and the old ones."""

    context: ControllerContext
    deployment: Obj
    new: Obj | None = None
    old: list[Obj] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)

    @property
    def every(self) -> list[Obj]:
        return [*self.old, *([self.new] if self.new else [])]

    def replace(self, rs: Obj) -> None:
        """Put a written ReplicaSet in the place of what it was."""
        uid = rs["metadata"]["uid"]
        if self.new is not None and self.new["metadata"]["uid"] == uid:
            self.new = rs
        self.old = [rs if o["metadata"]["uid"] == uid else o for o in self.old]

    def step(self, text: str) -> None:
        """Say on the timeline what this reconcile does."""
        self.steps.append(text)
        cause.add_note(reconcile=", ".join(self.steps))


def notes_of(obj: Obj) -> Mapping[str, str]:
    return obj["metadata"].get("annotations") or {}


def revision(obj: Obj) -> int:
    text = notes_of(obj).get(REVISION, "0")
    return int(text) if text.isdigit() else 0


def active(sets: Iterable[Obj]) -> list[Obj]:
    return [rs for rs in sets if math.replicas(rs) > 0]


def by_age(sets: Iterable[Obj]) -> list[Obj]:
    return sorted(sets, key=lambda rs: (rs["metadata"].get("creationTimestamp", ""), rs["metadata"]["name"]))


def same_template(a: Obj, b: Obj) -> bool:
    """Equal but for the hash label that only the ReplicaSet's has."""
    return _plain(a) == _plain(b)


def _plain(template: Obj) -> tuple[Obj, Obj]:
    given = {k: v for k, v in (template.get("metadata") or {}).items() if v and k != "creationTimestamp"}
    labels = {k: v for k, v in (given.get("labels") or {}).items() if k != HASH_LABEL}
    return {**given, "labels": labels}, template["spec"]


def template_hash(template: Obj, collisions: int) -> str:
    """FNV-1a over the template's JSON, and the collision count when there was one; spelt as Kubernetes does."""
    data = orjson.dumps(template, option=orjson.OPT_SORT_KEYS)
    if collisions:
        data += collisions.to_bytes(8, "little")
    value = 0x811C9DC5
    for byte in data:
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return meta.safe_encode(str(value))


def split(deployment: Obj, sets: Iterable[Obj]) -> tuple[Obj | None, list[Obj]]:
    """(the ReplicaSet with the deployment's template, the others), oldest first."""
    ordered = by_age(sets)
    template = deployment["spec"]["template"]
    new = next((rs for rs in ordered if same_template(rs["spec"]["template"], template)), None)
    return new, [rs for rs in ordered if rs is not new]


async def sync_new(rollout: Rollout, *, create: bool) -> None:
    """Bring the new ReplicaSet's revision and annotations up to date; make it if it is missing and `create`."""
    number = max((revision(rs) for rs in rollout.old), default=0) + 1
    if rollout.new is not None:
        await _refresh(rollout, rollout.new, number)
    elif create:
        await _make(rollout, number)


async def _refresh(rollout: Rollout, new: Obj, number: int) -> None:
    wanted = copy.deepcopy(new)
    annotate(rollout.deployment, wanted, number, existing=True)
    min_ready = rollout.deployment["spec"].get("minReadySeconds", 0)
    if min_ready or wanted["spec"].get("minReadySeconds"):
        wanted["spec"]["minReadySeconds"] = min_ready
    if wanted != new:
        rollout.replace(await rollout.context.update(REPLICASETS, wanted))
    status = copy.deepcopy(rollout.deployment.get("status") or {})
    if has_deadline(rollout.deployment) and _conditions.get(status, "Progressing") is None:
        text = f'Found new replica set "{new["metadata"]["name"]}"'
        _progressing(rollout, status, "FoundNewReplicaSet", text)
    assert rollout.new is not None
    await write(rollout, status, revision(rollout.new))


async def _make(rollout: Rollout, number: int) -> None:
    context, deployment = rollout.context, rollout.deployment
    wanted = _new_set(deployment)
    wanted["spec"]["replicas"] = math.new_replicas(deployment, [*rollout.old, wanted], wanted)
    annotate(deployment, wanted, number, existing=False)
    name, size = wanted["metadata"]["name"], wanted["spec"]["replicas"]
    rollout.step(f"no ReplicaSet has this template → create {name} with {size} replicas")
    try:
        rollout.new = await context.create(REPLICASETS, wanted)
    except ApiError as error:
        await _not_made(rollout, wanted, error)
        return
    if size > 0:
        text = f"Scaled up replica set {name} from 0 to {size}"
        await context.recorder.event(deployment, "Normal", "ScalingReplicaSet", text)
    status = copy.deepcopy(deployment.get("status") or {})
    if has_deadline(deployment):
        _progressing(rollout, status, "NewReplicaSetCreated", f'Created new replica set "{name}"')
    await write(rollout, status, number)


async def _not_made(rollout: Rollout, wanted: Obj, error: ApiError) -> None:
    context, deployment = rollout.context, rollout.deployment
    status = copy.deepcopy(deployment.get("status") or {})
    name = wanted["metadata"]["name"]
    if error.reason == "AlreadyExists":
        found = await context.client.get(REPLICASETS, name, wanted["metadata"]["namespace"])
        template = deployment["spec"]["template"]
        if meta.is_controlled_by(found, deployment) and same_template(found["spec"]["template"], template):
            rollout.new = found  # made by an earlier run whose event has not come yet
            return
        status["collisionCount"] = (status.get("collisionCount") or 0) + 1
        await write(rollout, status, revision(deployment))
        raise error
    text = f'Failed to create new replica set "{name}": {error.message}'
    if has_deadline(deployment):
        now = context.timestamp()
        failed = _conditions.make("Progressing", "False", "ReplicaSetCreateError", text, now, updated=True)
        _conditions.put(status, failed)
        await write(rollout, status, revision(deployment))
    await context.recorder.event(deployment, "Warning", "ReplicaSetCreateError", text)
    raise error


def _new_set(deployment: Obj) -> Obj:
    spec, own = deployment["spec"], deployment["metadata"]
    collisions = deployment.get("status", {}).get("collisionCount") or 0
    label = template_hash(spec["template"], collisions)
    template = copy.deepcopy(spec["template"])
    labels = {**((template.get("metadata") or {}).get("labels") or {}), HASH_LABEL: label}
    template["metadata"] = {**(template.get("metadata") or {}), "labels": labels}
    selector = copy.deepcopy(spec["selector"])
    selector["matchLabels"] = {**(selector.get("matchLabels") or {}), HASH_LABEL: label}
    made: Obj = {"replicas": 0, "selector": selector, "template": template}
    if spec.get("minReadySeconds"):
        made["minReadySeconds"] = spec["minReadySeconds"]
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": f"{own['name']}-{label}",
            "namespace": own["namespace"],
            "labels": dict(labels),
            "ownerReferences": [meta.owner_reference(deployment)],
        },
        "spec": made,
    }


def annotate(deployment: Obj, rs: Obj, number: int, *, existing: bool) -> None:
    """Copy the deployment's annotations and set revision, history and, on a new one, the sizes. In place."""
    notes = dict(notes_of(rs))
    notes |= {k: v for k, v in notes_of(deployment).items() if k not in _NOT_COPIED}
    before = notes.get(REVISION, "")
    if (int(before) if before.isdigit() else 0) < number:
        notes[REVISION] = str(number)
        if existing and before:
            notes[HISTORY] = ",".join(part for part in (notes.get(HISTORY, ""), before) if part)
    if not existing:
        notes |= _sizes(deployment)
    rs["metadata"]["annotations"] = notes


def _sizes(deployment: Obj) -> dict[str, str]:
    wanted = math.replicas(deployment)
    return {math.DESIRED: str(wanted), math.MAXIMUM: str(wanted + math.limits(deployment)[0])}


async def scale(rollout: Rollout, rs: Obj, size: int) -> bool:
    """Set a ReplicaSet's size, and the sizes it is annotated with; True if the size changed."""
    before = math.replicas(rs)
    sizes = _sizes(rollout.deployment)
    if before == size and sizes.items() <= notes_of(rs).items():
        return False
    wanted = copy.deepcopy(rs)
    wanted["spec"]["replicas"] = size
    wanted["metadata"]["annotations"] = {**notes_of(rs), **sizes}
    if before != size:
        rollout.step(f"{rs['metadata']['name']} {before} → {size}")
    rollout.replace(await rollout.context.update(REPLICASETS, wanted))
    if before == size:
        return False
    way = "up" if size > before else "down"
    text = f"Scaled {way} replica set {rs['metadata']['name']} from {before} to {size}"
    await rollout.context.recorder.event(rollout.deployment, "Normal", "ScalingReplicaSet", text)
    return True


def has_deadline(deployment: Obj) -> bool:
    deadline = deployment["spec"].get("progressDeadlineSeconds")
    return deadline is not None and deadline != 2**31 - 1


def _progressing(rollout: Rollout, status: Obj, reason: str, text: str) -> None:
    now = rollout.context.timestamp()
    _conditions.put(status, _conditions.make("Progressing", "True", reason, text, now, updated=True))


async def write(rollout: Rollout, status: Obj, number: int) -> None:
    """Write status and revision annotation if either changed: in Kubernetes one request, as the status of a
    Deployment carries annotations with it; a server that keeps the metadata apart is sent them in a second one."""
    deployment = rollout.deployment
    notes = {**notes_of(deployment), **({REVISION: str(number)} if number else {})}
    if status == (deployment.get("status") or {}) and notes == notes_of(deployment):
        return
    wanted = {**deployment, "metadata": {**deployment["metadata"], "annotations": notes}, "status": status}
    if not notes:
        del wanted["metadata"]["annotations"]
    written = await rollout.context.update(DEPLOYMENTS, wanted, "status")
    if number and revision(written) != number:
        patch = {"metadata": {"annotations": {REVISION: str(number)}}}
        written = await rollout.context.patch(DEPLOYMENTS, written, patch)
    rollout.deployment = written

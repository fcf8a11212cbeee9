"""What may change in a pod once it exists: images, deadline, added tolerations, removed gates."""

from __future__ import annotations

import copy
import difflib
import json

from kubelearn.api.kinds import _read as r
from kubelearn.api.kinds._errors import Errors, forbidden, invalid
from kubelearn.api.resource import Obj

UPDATABLE = ",".join(
    (
        "`spec.containers[*].image`",
        "`spec.initContainers[*].image`",
        "`spec.activeDeadlineSeconds`",
        "`spec.tolerations` (only additions to existing tolerations)",
        "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
    )
)


def _without_seconds(toleration: Obj) -> Obj:
    return {key: value for key, value in toleration.items() if key != "tolerationSeconds"}


def _deadline(new: Obj, old: Obj) -> Errors:
    path = "spec.activeDeadlineSeconds"
    now, before = r.number(new, "activeDeadlineSeconds"), r.number(old, "activeDeadlineSeconds")
    if before is None:
        return []
    if now is None:
        return [invalid(path, None, "must not update from a positive integer to nil value")]
    return [invalid(path, now, "must be less than or equal to previous value")] if before < now else []


def _tolerations(new: Obj, old: Obj) -> Errors:
    found = [_without_seconds(t) for t in r.objects(new, "tolerations")]
    if all(_without_seconds(t) in found for t in r.objects(old, "tolerations")):
        return []
    text = "existing toleration can not be modified except its tolerationSeconds"
    return [forbidden("spec.tolerations", text)]


def _gates(new: Obj, old: Obj) -> Errors:
    before = {r.text(g, "name") for g in r.objects(old, "schedulingGates")}
    out: Errors = []
    for index, gate in enumerate(r.objects(new, "schedulingGates")):
        if (name := r.text(gate, "name")) not in before:
            text = f"only deletion is allowed, but found new scheduling gate '{name}'"
            out.append(forbidden(f"spec.schedulingGates[{index}].name", text))
    return out


def _keep(munged: Obj, old: Obj, key: str) -> None:
    munged.pop(key, None)
    if key in old:
        munged[key] = old[key]


def _munged(new: Obj, old: Obj) -> Obj:
    """The new spec with what may change set back to the old."""
    out = copy.deepcopy(new)
    for key in ("containers", "initContainers"):
        for container, before in zip(r.objects(out, key), r.objects(old, key), strict=False):
            _keep(container, before, "image")
    for key in ("activeDeadlineSeconds", "schedulingGates", "tolerations"):
        _keep(out, old, key)
    grace = r.number(old, "terminationGracePeriodSeconds")
    if grace is not None and grace < 0 and r.number(out, "terminationGracePeriodSeconds") == 1:
        _keep(out, old, "terminationGracePeriodSeconds")
    return out


def _gated(munged: Obj, new: Obj, old: Obj) -> Errors:
    """A gated pod may also be narrowed: more of nodeSelector, and of node affinity."""
    before = r.string_map(old, "nodeSelector")
    out: Errors = []
    if any(r.string_map(new, "nodeSelector").get(key) != value for key, value in before.items()):
        text = "only additions to spec.nodeSelector are allowed (no mutations or deletions)"
        out.append(invalid("spec.nodeSelector", r.string_map(new, "nodeSelector"), text))
    _keep(munged, old, "nodeSelector")
    if not r.mapping(old, "affinity", "nodeAffinity"):
        affinity = r.mapping(munged, "affinity")
        affinity.pop("nodeAffinity", None)
        if not affinity and "affinity" not in old:
            munged.pop("affinity", None)
    return out


def diff(old: Obj, new: Obj) -> str:
    """A unified diff of two objects, as apimachinery's util/diff shows it."""
    before, after = (json.dumps(obj, indent=2, sort_keys=True).splitlines() for obj in (old, new))
    return "\n".join(difflib.unified_diff(before, after, lineterm="")) + "\n"


def validate_pod_update(new: Obj, old: Obj) -> Errors:
    now, before = r.mapping(new, "spec"), r.mapping(old, "spec")
    for key in ("containers", "initContainers"):
        if len(r.objects(now, key)) != len(r.objects(before, key)):
            return [forbidden(f"spec.{key}", "pod updates may not add or remove containers")]
    out = _deadline(now, before)
    if out and r.has(now, "activeDeadlineSeconds"):
        return out
    out += _tolerations(now, before) + _gates(now, before)
    munged = _munged(now, before)
    if r.objects(before, "schedulingGates"):
        out += _gated(munged, now, before)
    if munged != before:
        text = f"pod updates may not change fields other than {UPDATABLE}\n{diff(before, munged)}"
        out.append(forbidden("spec", text))
    return out

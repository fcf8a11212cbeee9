"""The fields that Go's encoder writes although nobody set them: structs, required scalars, times.

Which ones is a fact of each type (facts.json has all but the times), so answers look the same as those of
Kubernetes without any kind saying so.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from kubelearn.api import definitions
from kubelearn.api.resource import Obj
from kubelearn.api.schema import Type

#: Times that are values in Go, not pointers: written as null while unset.
_TIMES = {
    "ContainerStateRunning": ("startedAt",),
    "ContainerStateTerminated": ("startedAt", "finishedAt"),
    "DeploymentCondition": ("lastUpdateTime", "lastTransitionTime"),
    "NodeCondition": ("lastHeartbeatTime", "lastTransitionTime"),
    "PodCondition": ("lastProbeTime", "lastTransitionTime"),
    "JobCondition": ("lastProbeTime", "lastTransitionTime"),
    "PersistentVolumeClaimCondition": ("lastProbeTime", "lastTransitionTime"),
    "CertificateSigningRequestCondition": ("lastUpdateTime", "lastTransitionTime"),
    "EventSeries": ("lastObservedTime",),
    "VolumeError": ("time",),
}
_EVENT_TIMES = {
    "io.k8s.api.core.v1.Event": ("eventTime", "firstTimestamp", "lastTimestamp"),
    "io.k8s.api.events.v1.Event": ("eventTime", "deprecatedFirstTimestamp", "deprecatedLastTimestamp"),
}


@cache
def _zeros(name: str) -> dict[str, Any]:
    """Zero values by field of one definition."""
    out = {field: facts["default"] for field, facts in definitions.facts().get(name, {}).items() if "default" in facts}
    short = name.rpartition(".")[2]
    times = _EVENT_TIMES.get(name) or _TIMES.get(short, ())
    if not times and short.endswith("Condition"):
        times = ("lastTransitionTime",)
    return out | dict.fromkeys(times)


@cache
def _reaches(name: str) -> frozenset[str]:
    """The fields of a definition below which something may have to be written."""
    fields = definitions.raw(name).get("properties", {})
    return frozenset(
        key
        for key, spec in fields.items()
        if any(
            definitions.referenced(s) for s in (spec, spec.get("items") or {}, spec.get("additionalProperties") or {})
        )
    )


def complete(obj: Obj, schema: Type) -> None:
    """Add what is missing, in place."""
    for key, value in _zeros(schema.name).items():
        if key not in obj:
            obj[key] = {} if value == {} else value
    for key in _reaches(schema.name) & obj.keys():
        _complete_value(obj[key], schema.fields[key].type)


def _complete_value(value: Any, schema: Type) -> None:
    if schema.go_kind == "object":
        if isinstance(value, dict):
            complete(value, schema)
    elif schema.items is not None and schema.items.go_kind == "object" and value:
        for item in value if isinstance(value, list) else value.values():
            if isinstance(item, dict):
                complete(item, schema.items)

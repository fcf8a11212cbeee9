"""Pod (core/v1)."""

from __future__ import annotations

from collections.abc import Mapping

from kubelearn.api import quantity
from kubelearn.api.kind import Column, FieldError, Kind, Part
from kubelearn.api.kinds import _ephemeral as ephemeral
from kubelearn.api.kinds import _read as r
from kubelearn.api.kinds._columns import AGE, NAME, NONE
from kubelearn.api.kinds._errors import Errors, forbidden, invalid
from kubelearn.api.kinds._fields import with_metadata
from kubelearn.api.kinds._pod_status import pod_status
from kubelearn.api.kinds._pod_update import validate_pod_update
from kubelearn.api.kinds._podspec import default_pod_spec, validate_spec
from kubelearn.api.resource import Obj, Resource
from kubelearn.kit import clock

RESOURCE = Resource(
    "", "v1", "Pod", "pods", "pod", True, short_names=("po",), categories=("all",),
    subresources=(
        "attach", "binding", "ephemeralcontainers", "eviction", "exec", "log", "portforward", "proxy", "resize",
        "status",
    ),
)  # fmt: skip
_STATUS_LISTS = ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses")


def default(obj: Obj) -> None:
    default_pod_spec(r.ensure(obj, "spec"))
    status = r.ensure(obj, "status")
    if (address := r.text(status, "podIP")) and not r.objects(status, "podIPs"):
        status["podIPs"] = [{"ip": address}]
    for found in r.objects(status, "conditions"):
        for key in ("lastProbeTime", "lastTransitionTime"):
            found.setdefault(key, None)
    for name in _STATUS_LISTS:
        for container in r.objects(status, name):
            for key, value in (("ready", False), ("restartCount", 0), ("image", ""), ("imageID", "")):
                r.fill(container, key, value)
            for key in ("state", "lastState"):
                r.ensure(container, key)


def prepare(obj: Obj, old: Obj | None) -> None:
    """The strategy of pods. Priority, ServiceAccount and default tolerations are the server's to find."""
    if old is not None:
        return
    spec = r.ensure(obj, "spec")
    obj["status"] = {"phase": "Pending", "qosClass": qos_class(obj)}
    if r.objects(spec, "schedulingGates"):
        gated = {
            "type": "PodScheduled",
            "status": "False",
            "lastProbeTime": None,
            "lastTransitionTime": clock.rfc3339(clock.utc_now()),
            "reason": "SchedulingGated",
            "message": "Scheduling is blocked due to non-empty scheduling gates",
        }
        obj["status"]["conditions"] = [gated]


def _positive(found: Obj) -> dict[str, object]:
    out: dict[str, object] = {}
    for key in ("cpu", "memory"):
        try:
            value = quantity.parse(str(found[key])) if key in found else None
        except ValueError:
            continue
        if value is not None and value > 0:
            out[key] = value
    return out


def qos_class(obj: Obj) -> str:
    """Guaranteed when every container's requests equal its limits for CPU and memory, BestEffort without any."""
    spec = r.mapping(obj, "spec")
    guaranteed, any_set = True, False
    for container in r.objects(spec, "containers") + r.objects(spec, "initContainers"):
        requests = _positive(r.mapping(container, "resources", "requests"))
        limits = _positive(r.mapping(container, "resources", "limits"))
        any_set = any_set or bool(requests or limits)
        guaranteed = guaranteed and len(limits) == 2 and {**limits, **requests} == limits
    if not any_set:
        return "BestEffort"
    return "Guaranteed" if guaranteed else "Burstable"


def validate(obj: Obj) -> list[FieldError]:
    spec = r.mapping(obj, "spec")
    out = validate_spec("spec", spec, is_pod=True)
    for key in ("containers", "initContainers"):
        for index, container in enumerate(r.objects(spec, key)):
            image = r.text(container, "image")
            if image != image.strip():
                text = "must not have leading or trailing whitespace"
                out.append(invalid(f"spec.{key}[{index}].image", image, text))
    if not r.text(r.mapping(obj, "metadata"), "resourceVersion"):
        out += _only_on_create(spec)
    return out


def _only_on_create(spec: Obj) -> Errors:
    out: Errors = []
    if r.objects(spec, "ephemeralContainers"):
        out.append(forbidden("spec.ephemeralContainers", "cannot be set on create"))
    if r.text(spec, "nodeName") and r.objects(spec, "schedulingGates"):
        text = "cannot be set until all schedulingGates have been cleared"
        out.append(forbidden("spec.nodeName", text))
    return out


def _ip(obj: Obj) -> str:
    status = r.mapping(obj, "status")
    first = r.objects(status, "podIPs")[:1]
    return (r.text(first[0], "ip") if first else r.text(status, "podIP")) or NONE


def _gates(obj: Obj) -> str:
    gates = r.objects(r.mapping(obj, "spec"), "readinessGates")
    if not gates:
        return NONE
    true = sum(r.text(r.condition(obj, r.text(g, "conditionType")), "status") == "True" for g in gates)
    return f"{true}/{len(gates)}"


COLUMNS = (
    NAME,
    Column("Ready", lambda obj: pod_status(obj).ready, description="Containers that are ready, of all that run."),
    Column("Status", lambda obj: pod_status(obj).reason, description="The pod's phase, or what holds it up."),
    Column("Restarts", lambda obj: pod_status(obj).restarts, description="How often containers were restarted."),
    AGE,
    Column("IP", _ip, priority=1, description="The pod's address."),
    Column("Node", lambda obj: r.text(r.mapping(obj, "spec"), "nodeName") or NONE, priority=1),
    Column("Nominated Node", lambda obj: r.text(r.mapping(obj, "status"), "nominatedNodeName") or NONE, priority=1),
    Column("Readiness Gates", _gates, priority=1, description="Conditions that must be true for it to be ready."),
)


def fields(obj: Obj) -> Mapping[str, str]:
    spec, status = r.mapping(obj, "spec"), r.mapping(obj, "status")
    out = {
        "spec.nodeName": r.text(spec, "nodeName"),
        "spec.restartPolicy": r.text(spec, "restartPolicy"),
        "spec.schedulerName": r.text(spec, "schedulerName"),
        "spec.serviceAccountName": r.text(spec, "serviceAccountName"),
        "spec.hostNetwork": "true" if r.flag(spec, "hostNetwork") else "false",
        "status.phase": r.text(status, "phase"),
        "status.podIP": "" if (address := _ip(obj)) == NONE else address,
        "status.nominatedNodeName": r.text(status, "nominatedNodeName"),
    }
    return with_metadata(obj, out)


KIND = Kind(
    RESOURCE, COLUMNS, default, validate, validate_pod_update, prepare, fields, has_status=True, has_generation=True,
    parts={"ephemeralcontainers": Part(ephemeral.take, ephemeral.validate_update)},
)  # fmt: skip

"""CSIDriver (storage.k8s.io/v1)."""

from __future__ import annotations

from collections.abc import Callable

from kubelearn.api.kind import Column, FieldError, Kind
from kubelearn.api.kinds import _read as r
from kubelearn.api.kinds._columns import AGE, NAME
from kubelearn.api.kinds._csi import driver_name
from kubelearn.api.kinds._errors import Errors, immutable, invalid, unsupported
from kubelearn.api.resource import Obj, Resource

RESOURCE = Resource("storage.k8s.io", "v1", "CSIDriver", "csidrivers", "csidriver", False)
UNSET = "<unset>"
_POLICIES = ("File", "None", "ReadWriteOnceWithFSType")
_MODES = ("Ephemeral", "Persistent")
_FLAGS = (("attachRequired", True), ("podInfoOnMount", False), ("storageCapacity", False),
          ("requiresRepublish", False), ("seLinuxMount", False))  # fmt: skip
_MIN_TOKEN_SECONDS, _MAX_TOKEN_SECONDS = 600, 1 << 32


def default(obj: Obj) -> None:
    spec = r.ensure(obj, "spec")
    for key, value in _FLAGS:
        r.fill(spec, key, value)
    r.fill(spec, "fsGroupPolicy", "ReadWriteOnceWithFSType")
    if not r.strings(spec, "volumeLifecycleModes"):
        spec["volumeLifecycleModes"] = ["Persistent"]


def _tokens(path: str, requests: list[Obj]) -> Errors:
    out: Errors = []
    seen: list[str] = []
    for index, request in enumerate(requests):
        where, audience, seconds = (
            f"{path}[{index}]",
            r.text(request, "audience"),
            r.number(request, "expirationSeconds"),
        )
        if audience in seen:
            out.append(FieldError(f"{where}.audience", "FieldValueDuplicate", f'Duplicate value: "{audience}"'))
        seen.append(audience)
        if seconds is not None and seconds < _MIN_TOKEN_SECONDS:
            text = "may not specify a duration less than 10 minutes"
            out.append(invalid(f"{where}.expirationSeconds", seconds, text))
        if seconds is not None and seconds > _MAX_TOKEN_SECONDS:
            text = "may not specify a duration larger than 2^32 seconds"
            out.append(invalid(f"{where}.expirationSeconds", seconds, text))
    return out


def validate(obj: Obj) -> list[FieldError]:
    spec = r.mapping(obj, "spec")
    out = driver_name("metadata.name", r.name(obj)) if r.name(obj) else []
    policy = r.text(spec, "fsGroupPolicy")
    if policy not in _POLICIES:
        out.append(unsupported("spec.fsGroupPolicy", policy, _POLICIES))
    out += _tokens("spec.tokenRequests", r.objects(spec, "tokenRequests"))
    for mode in r.strings(spec, "volumeLifecycleModes"):
        if mode not in _MODES:
            out.append(unsupported("spec.volumeLifecycleModes", mode, _MODES))
    return out


def validate_update(new: Obj, old: Obj) -> list[FieldError]:
    now, before = r.mapping(new, "spec"), r.mapping(old, "spec")
    out = immutable("spec.attachRequired", now.get("attachRequired"), before.get("attachRequired"))
    modes = (r.strings(spec, "volumeLifecycleModes") for spec in (now, before))
    return out + immutable("spec.volumeLifecycleModes", *modes)


def _flag(key: str) -> Callable[[Obj], bool]:
    return lambda obj: r.flag(r.mapping(obj, "spec"), key)


def _audiences(obj: Obj) -> str:
    found = r.objects(r.mapping(obj, "spec"), "tokenRequests")
    return ",".join(r.text(request, "audience") for request in found) if found else UNSET


def _modes(obj: Obj) -> str:
    return ",".join(r.strings(r.mapping(obj, "spec"), "volumeLifecycleModes")) or "<none>"


KIND = Kind(
    RESOURCE,
    (
        NAME,
        Column("AttachRequired", _flag("attachRequired"), "boolean", description="Whether volumes are attached first."),
        Column("PodInfoOnMount", _flag("podInfoOnMount"), "boolean", description="Whether it is told of the pod."),
        Column("StorageCapacity", _flag("storageCapacity"), "boolean", description="Whether it says what is left."),
        Column("TokenRequests", _audiences, description="For whom it gets the pod's tokens."),
        Column("RequiresRepublish", _flag("requiresRepublish"), "boolean", description="Whether it is called again."),
        Column("Modes", _modes, description="How long its volumes live."),
        AGE,
    ),
    default,
    validate,
    validate_update,
)

"""What volumes and claims have in common, and the defaults of a claim, which StatefulSets hold too."""

from __future__ import annotations

from typing import Any

from kubelearn.api import quantity
from kubelearn.api.kinds import _read as r
from kubelearn.api.kinds._errors import Errors, forbidden, invalid, subdomain, unsupported
from kubelearn.api.kinds._podspec_defaults import canonical_quantities
from kubelearn.api.resource import Obj

ACCESS_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
VOLUME_MODES = ("Block", "Filesystem")
_SHORT = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}
UNSET = "<unset>"


def default_claim(claim: Obj) -> None:
    spec = r.ensure(claim, "spec")
    r.fill(spec, "volumeMode", "Filesystem")
    for key in ("requests", "limits"):
        canonical_quantities(r.mapping(spec, "resources", key))
    r.fill_text(r.ensure(claim, "status"), "phase", "Pending")


def access_modes(path: str, modes: list[str]) -> Errors:
    out: Errors = [unsupported(path, mode, ACCESS_MODES) for mode in modes if mode not in ACCESS_MODES]
    if "ReadWriteOncePod" in modes and any(m in ACCESS_MODES and m != "ReadWriteOncePod" for m in modes):
        out.append(forbidden(path, "may not use ReadWriteOncePod with other access modes"))
    return out


def positive(path: str, value: Any) -> Errors:
    try:
        found = quantity.parse(str(value))
    except ValueError as error:
        return [invalid(path, str(value), str(error))]
    return [] if found > 0 else [invalid(path, str(value), "must be greater than zero")]


def volume_mode(path: str, spec: Obj) -> Errors:
    mode = r.text(spec, "volumeMode")
    if not r.has(spec, "volumeMode") or mode in VOLUME_MODES:
        return []
    return [unsupported(path, mode, VOLUME_MODES)]


def class_name(path: str, spec: Obj, key: str) -> Errors:
    name = r.text(spec, key)
    return subdomain(f"{path}.{key}", name) if name else []


def short_modes(modes: list[str]) -> str:
    """`RWO,ROX`: each once, in a fixed order."""
    return ",".join(short for mode, short in _SHORT.items() if mode in modes)


def protect(obj: Obj, finalizer: str) -> None:
    """StorageObjectInUseProtection: what is in use cannot go."""
    meta = r.ensure(obj, "metadata")
    found = r.strings(meta, "finalizers")
    if finalizer not in found:
        meta["finalizers"] = [*found, finalizer]

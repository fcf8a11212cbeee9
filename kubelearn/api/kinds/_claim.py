"""What volumes and claims have in common, and the defaults of a claim, which StatefulSets hold too."""

from __future__ import annotations

from typing import Any

from kubelearn.api import names, quantity
from kubelearn.api.kinds import _read as r
from kubelearn.api.kinds._errors import Errors, all_invalid, forbidden, invalid, required, subdomain, unsupported
from kubelearn.api.kinds._podspec_defaults import canonical_quantities
from kubelearn.api.kinds._selector import label_selector
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


def _data_source(path: str, source: Obj) -> Errors:
    out = [required(f"{path}.{key}") for key in ("name", "kind") if not r.text(source, key)]
    group = r.text(source, "apiGroup")
    if not group and r.text(source, "kind") not in ("", "PersistentVolumeClaim"):
        out.append(
            invalid(
                path, r.text(source, "kind"), "must be 'PersistentVolumeClaim' when referencing the default apiGroup"
            )
        )
    elif group:
        out += all_invalid(f"{path}.apiGroup", group, names.dns1123_subdomain(group))
    return out


def validate_spec(path: str, spec: Obj) -> Errors:
    """Of a claim, or of what a claim is made from."""
    modes = r.strings(spec, "accessModes")
    out: Errors = [] if modes else [required(f"{path}.accessModes", "at least 1 access mode is required")]
    if r.has(spec, "selector"):
        out += label_selector(f"{path}.selector", r.mapping(spec, "selector"))
    out += access_modes(f"{path}.accessModes", modes)
    requests = r.mapping(spec, "resources", "requests")
    if "storage" in requests:
        out += positive(f"{path}.resources[storage]", requests["storage"])
    else:
        out.append(required(f"{path}.resources[storage]"))
    out += class_name(path, spec, "storageClassName")
    out += volume_mode(f"{path}.volumeMode", spec)
    for key in ("dataSource", "dataSourceRef"):
        if r.has(spec, key):
            out += _data_source(f"{path}.{key}", r.mapping(spec, key))
    if r.has(spec, "volumeAttributesClassName"):
        out += class_name(path, spec, "volumeAttributesClassName")
    return out


def template(path: str, found: Obj) -> Errors:
    """The claim that a pod's ephemeral volume is made of: it is named for it."""
    meta = r.mapping(found, "metadata")
    out: Errors = list(names.annotation_map(r.string_map(meta, "annotations"), f"{path}.metadata.annotations"))
    out += names.label_map(r.string_map(meta, "labels"), f"{path}.metadata.labels")
    for key in ("name", "generateName", "namespace", "finalizers", "ownerReferences"):
        if meta.get(key):
            out.append(forbidden(f"{path}.metadata.{key}", "cannot be set"))
    return out + validate_spec(f"{path}.spec", r.mapping(found, "spec"))


def short_modes(modes: list[str]) -> str:
    """`RWO,ROX`: each once, in a fixed order."""
    return ",".join(short for mode, short in _SHORT.items() if mode in modes)


def protect(obj: Obj, finalizer: str) -> None:
    """StorageObjectInUseProtection: what is in use cannot go."""
    meta = r.ensure(obj, "metadata")
    found = r.strings(meta, "finalizers")
    if finalizer not in found:
        meta["finalizers"] = [*found, finalizer]

"""Validation of environment variables and of the references that fill them (also used by volumes)."""

from __future__ import annotations

import re

from kubelearn.api import names, quantity
from kubelearn.api.kinds import _read as r
from kubelearn.api.kinds._errors import Errors, all_invalid, invalid, required, subdomain, unsupported
from kubelearn.api.resource import Obj

_FIELDS = (
    "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName",
    "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs",
)  # fmt: skip
#: What fieldPath may name at all, besides subscripts; a wrong one is an error of conversion.
_CONVERTIBLE = {*_FIELDS, "metadata.labels", "metadata.annotations"}
_RESOURCES = (
    "limits.cpu", "limits.ephemeral-storage", "limits.memory", "requests.cpu", "requests.ephemeral-storage",
    "requests.memory",
)  # fmt: skip
_HUGE_PAGES = ("limits.hugepages-", "requests.hugepages-")
_CPU_DIVISORS = ("1m", "1")
_BYTE_DIVISORS = ("1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei")
_SUBSCRIPTED = re.compile(r"(.+)\['(.*)'\]", re.DOTALL)


def object_field(path: str, reference: Obj, supported: tuple[str, ...]) -> Errors:
    """A `fieldRef`."""
    version, field = r.text(reference, "apiVersion"), r.text(reference, "fieldPath")
    for key in ("apiVersion", "fieldPath"):
        if not r.text(reference, key):
            return [required(f"{path}.{key}")]
    match = _SUBSCRIPTED.fullmatch(field)
    plain = match[1] if match else field
    if version != "v1":
        return [invalid(f"{path}.fieldPath", field, f"error converting fieldPath: unsupported pod version: {version}")]
    if match and plain not in ("metadata.annotations", "metadata.labels"):
        text = f"error converting fieldPath: field label does not support subscript: {field}"
        return [invalid(f"{path}.fieldPath", field, text)]
    if plain not in _CONVERTIBLE:
        text = f"error converting fieldPath: field label not supported: {field}"
        return [invalid(f"{path}.fieldPath", field, text)]
    if match:
        subscript = match[2].lower() if plain == "metadata.annotations" else match[2]
        return all_invalid(path, subscript, names.qualified_name(subscript))
    return [] if field in supported else [unsupported(f"{path}.fieldPath", field, supported)]


def _divisor(path: str, resource: str, divisor: str) -> Errors:
    try:
        if not divisor or quantity.parse(divisor) == 0:
            return []
    except ValueError:
        return []
    _, _, name = resource.partition(".")
    if name == "cpu":
        if divisor in _CPU_DIVISORS:
            return []
        text = "only divisor's values 1m and 1 are supported with the cpu resource"
        return [invalid(f"{path}.divisor", resource, text)]
    kind = {"memory": "memory", "ephemeral-storage": "local ephemeral storage"}.get(name, "")
    if name.startswith("hugepages-"):
        kind = "hugepages"
    if not kind or divisor in _BYTE_DIVISORS:
        return []
    text = f"only divisor's values {', '.join(_BYTE_DIVISORS)} are supported with the {kind} resource"
    return [invalid(f"{path}.divisor", resource, text)]


def resource_field(path: str, reference: Obj, *, in_volume: bool = False) -> Errors:
    """A `resourceFieldRef`."""
    resource = r.text(reference, "resource")
    out: Errors = []
    if in_volume and not r.text(reference, "containerName"):
        out.append(required(f"{path}.containerName"))
    elif not resource:
        out.append(required(f"{path}.resource"))
    elif resource not in _RESOURCES and not resource.startswith(_HUGE_PAGES):
        out.append(unsupported(f"{path}.resource", resource, _RESOURCES))
    return out + _divisor(path, resource, r.text(reference, "divisor"))


def _key(path: str, reference: Obj) -> Errors:
    """A `configMapKeyRef` or `secretKeyRef`."""
    name, key = r.text(reference, "name"), r.text(reference, "key")
    out = subdomain(f"{path}.name", name)
    if not key:
        return [*out, required(f"{path}.key")]
    return out + all_invalid(f"{path}.key", key, names.config_map_key(key))


def _value_from(path: str, variable: Obj) -> Errors:
    source = r.mapping(variable, "valueFrom")
    out: Errors = []
    found = [key for key in ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef") if r.has(source, key)]
    if "fieldRef" in found:
        out += object_field(f"{path}.fieldRef", r.mapping(source, "fieldRef"), _FIELDS)
    if "resourceFieldRef" in found:
        out += resource_field(f"{path}.resourceFieldRef", r.mapping(source, "resourceFieldRef"))
    for key in ("configMapKeyRef", "secretKeyRef"):
        if key in found:
            out += _key(f"{path}.{key}", r.mapping(source, key))
    if not found and not r.has(source, "fileKeyRef"):
        text = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`"
        out.append(invalid(path, "", text))
    elif r.text(variable, "value"):
        out.append(invalid(path, "", "may not be specified when `value` is not empty"))
    elif len(found) > 1:
        out.append(invalid(path, "", "may not have more than one field specified at a time"))
    return out


def env(path: str, variables: list[Obj]) -> Errors:
    out: Errors = []
    for index, variable in enumerate(variables):
        where, name = f"{path}[{index}]", r.text(variable, "name")
        if not name:
            out.append(required(f"{where}.name"))
        else:
            out += all_invalid(f"{where}.name", name, names.env_var_name(name))
        if r.has(variable, "valueFrom"):
            out += _value_from(f"{where}.valueFrom", variable)
    return out


def env_from(path: str, sources: list[Obj]) -> Errors:
    out: Errors = []
    for index, source in enumerate(sources):
        where, prefix = f"{path}[{index}]", r.text(source, "prefix")
        if prefix:
            out += all_invalid(f"{where}.prefix", prefix, names.env_var_name(prefix))
        found = [key for key in ("configMapRef", "secretRef") if r.has(source, key)]
        for key in found:
            name = r.text(r.mapping(source, key), "name")
            out += subdomain(f"{where}.{key}.name", name) if name else [required(f"{where}.{key}.name")]
        if not found:
            out.append(invalid(path, "", "must specify one of: `configMapRef` or `secretRef`"))
        elif len(found) > 1:
            out.append(invalid(path, "", "may not have more than one field specified at a time"))
    return out

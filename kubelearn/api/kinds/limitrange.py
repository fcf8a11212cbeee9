"""LimitRange (core/v1): bounds and defaults of what a pod, a container or a claim may ask for."""

from __future__ import annotations

from collections.abc import Iterable

from kubelearn.api import names, quantity
from kubelearn.api.kind import FieldError, Kind
from kubelearn.api.kinds import _read as r
from kubelearn.api.kinds._columns import CREATED_AT, NAME
from kubelearn.api.kinds._errors import Errors, all_invalid, duplicate, forbidden, invalid, required
from kubelearn.api.kinds._podspec_defaults import canonical_quantities
from kubelearn.api.kinds._resources import container_resource_name, overcommits, resource_name
from kubelearn.api.resource import Obj, Resource

RESOURCE = Resource("", "v1", "LimitRange", "limitranges", "limitrange", True, short_names=("limits",))
_TYPES = ("Pod", "Container", "PersistentVolumeClaim")
_AMOUNTS = ("max", "min", "default", "defaultRequest", "maxLimitRequestRatio")
#: Pairs of which the first may not be greater than the second; which one the error names, and its words.
_ORDERED = (
    ("min", "max", "min", "min value {} is greater than max value {}"),
    ("min", "defaultRequest", "defaultRequest", "min value {} is greater than default request value {}"),
    ("defaultRequest", "max", "defaultRequest", "default request value {} is greater than max value {}"),
    ("defaultRequest", "default", "defaultRequest", "default request value {} is greater than default limit value {}"),
    ("min", "default", "default", "min value {} is greater than default value {}"),
    ("default", "max", "default", "default value {} is greater than max value {}"),
)


def default(obj: Obj) -> None:
    """A container's default limit is the greatest allowed, its default request that limit, or else the least."""
    spec = r.ensure(obj, "spec")
    spec.setdefault("limits", None)
    for item in r.objects(spec, "limits"):
        for key in _AMOUNTS:
            canonical_quantities(r.mapping(item, key))
        if r.text(item, "type") != "Container":
            continue
        for target, source in (("default", "max"), ("defaultRequest", "default"), ("defaultRequest", "min")):
            for name, value in r.mapping(item, source).items():
                r.fill(r.ensure(item, target), name, value)


def _names(path: str, kind: str, found: Iterable[str]) -> Errors:
    check = container_resource_name if kind in ("Pod", "Container") else resource_name
    out: Errors = []
    for name in sorted(found):
        out += check(f"{path}[{name}]", name)
    return out


def _type(path: str, kind: str, seen: list[str]) -> Errors:
    out = all_invalid(path, kind, names.qualified_name(kind))
    if not out and "/" not in kind and kind not in _TYPES:
        out.append(invalid(path, kind, "must be a standard limit type or fully qualified"))
    return [*out, duplicate(path, kind)] if kind in seen else out


def _defaults(path: str, kind: str, item: Obj) -> Errors:
    out: Errors = []
    for key in ("default", "defaultRequest"):
        found = r.mapping(item, key)
        if kind != "Pod":
            out += _names(f"{path}.{key}", kind, found)
        elif found:
            out.append(forbidden(f"{path}.{key}", "may not be specified when `type` is 'Pod'"))
    return out


def _order(path: str, name: str, item: Obj) -> Errors:
    """How the amounts of one resource stand to each other."""
    found = {key: str(r.mapping(item, key)[name]) for key in _AMOUNTS if name in r.mapping(item, key)}
    try:
        number = {key: quantity.parse(value) for key, value in found.items()}
    except ValueError:
        return []
    out: Errors = []
    for less, more, named, text in _ORDERED:
        if less in number and more in number and number[less] > number[more]:
            value = found[more] if named == "default" else found[less]
            if named == "defaultRequest":
                value = found["defaultRequest"]
            if named == "default" and less == "min":
                value = found["min"]
            out.append(invalid(f"{path}.{named}[{name}]", value, text.format(found[less], found[more])))
    ratio = number.get("maxLimitRequestRatio")
    where = f"{path}.maxLimitRequestRatio[{name}]"
    if ratio is not None:
        shown = found["maxLimitRequestRatio"]
        if ratio < 1:
            out.append(invalid(where, shown, f"ratio {shown} is less than 1"))
        if number.get("min") and "max" in number and ratio > (most := number["max"] / number["min"]):
            out.append(invalid(where, shown, f"ratio {shown} is greater than max/min = {most:f}"))
    both = "default" in number and "defaultRequest" in number
    if both and not overcommits(name) and number["default"] != number["defaultRequest"]:
        text = (
            f"default value {found['default']} must equal to defaultRequest value {found['defaultRequest']} in {name}"
        )
        out.append(invalid(f"{path}.defaultRequest[{name}]", found["defaultRequest"], text))
    return out


def validate(obj: Obj) -> list[FieldError]:
    out: Errors = []
    seen: list[str] = []
    for index, item in enumerate(r.objects(r.mapping(obj, "spec"), "limits")):
        path, kind = f"spec.limits[{index}]", r.text(item, "type")
        out += _type(f"{path}.type", kind, seen)
        seen.append(kind)
        for key in ("max", "min"):
            out += _names(f"{path}.{key}", kind, r.mapping(item, key))
        out += _defaults(path, kind, item)
        bounds = {*r.mapping(item, "min"), *r.mapping(item, "max")}
        if kind == "PersistentVolumeClaim" and "storage" not in bounds:
            text = "either minimum or maximum storage value is required, but neither was provided"
            out.append(required(f"{path}.limits", text))
        out += _names(f"{path}.maxLimitRequestRatio", kind, r.mapping(item, "maxLimitRequestRatio"))
        for name in sorted({name for key in _AMOUNTS for name in r.mapping(item, key)}):
            out += _order(path, name, item)
    return out


KIND = Kind(RESOURCE, (NAME, CREATED_AT), default, validate)

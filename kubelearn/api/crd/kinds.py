"""From a CustomResourceDefinition to the kinds that it defines, one a version."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any

from kubelearn.api import jsonpath, table
from kubelearn.api.crd.structure import Structure
from kubelearn.api.kind import Column, Conversion, Kind, Scale
from kubelearn.api.kinds import _read as r
from kubelearn.api.kinds._columns import NAME
from kubelearn.api.kinds.customresourcedefinition import storage_version
from kubelearn.api.resource import Obj, Resource

_AGE = {
    "name": "Age",
    "type": "date",
    "jsonPath": ".metadata.creationTimestamp",
    "description": "When the object was created, by the server's clock.",
}


def all_of(definition: Obj) -> tuple[list[Kind], list[Kind]]:
    """The kinds that are served, and those that are not but may be what objects are stored as.

    Objects stay stored as the oldest of `storedVersions`: with the conversion None versions differ in nothing but
    their name, so that nothing has to be rewritten when another version becomes the storage version."""
    spec = definition["spec"]
    known = [r.text(v, "name") for v in r.objects(spec, "versions")]
    noted = r.strings(r.mapping(definition, "status"), "storedVersions")
    stored = next((v for v in noted if v in known), storage_version(definition))
    found = [(version, _kind(definition, version, stored)) for version in r.objects(spec, "versions")]
    served = [kind for version, kind in found if r.flag(version, "served")]
    return served, [kind for version, kind in found if not r.flag(version, "served")]


def _kind(definition: Obj, version: Obj, stored: str) -> Kind:
    spec, given = definition["spec"], r.mapping(definition, "status", "acceptedNames")
    parts = version.get("subresources") or {}
    subresources = tuple(name for name in ("scale", "status") if parts.get(name) is not None)
    has_status = "status" in subresources
    scale = parts.get("scale")
    structure = Structure(r.mapping(version, "schema", "openAPIV3Schema"), scale)
    resource = Resource(
        spec["group"],
        version["name"],
        given["kind"],
        given["plural"],
        r.text(given, "singular"),
        spec["scope"] == "Namespaced",
        short_names=tuple(r.strings(given, "shortNames")),
        categories=tuple(r.strings(given, "categories")),
        subresources=subresources,
    )
    return Kind(
        resource,
        (NAME, *map(_column, version.get("additionalPrinterColumns") or [_AGE])),
        structure.default,
        structure.validate,
        structure.validate_update,
        _drop_status if has_status else None,
        _fields(version),
        has_status=has_status,
        has_generation=True,
        generation_of=partial(_counted, has_status),
        validate_status=structure.validate,
        scale=_scale(scale) if scale else None,
        unconditional_update=False,
        conversion=None if version["name"] == stored else _conversion(spec["group"], stored, version["name"]),
        structure=structure,
    )


def _drop_status(obj: Obj, old: Obj | None) -> None:
    if old is None:
        obj.pop("status", None)


def _counted(has_status: bool, obj: Obj) -> Obj:
    """All that is said, but for metadata and a status of its own."""
    left_out = ("metadata", "status") if has_status else ("metadata",)
    return {key: value for key, value in obj.items() if key not in left_out}


def _fields(version: Obj) -> Callable[[Obj], Mapping[str, str]]:
    paths = [r.text(field, "jsonPath") for field in r.objects(version, "selectableFields")]

    def fields(obj: Obj) -> Mapping[str, str]:
        about = obj["metadata"]
        found = {"metadata.name": about.get("name", ""), "metadata.namespace": about.get("namespace", "")}
        for path in paths:
            value = _first(path, obj)
            found[path.removeprefix(".")] = _plain(value)
        return found

    return fields


def _plain(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _scale(scale: Obj) -> Scale:
    spec, status = (r.text(scale, key).removeprefix(".") for key in ("specReplicasPath", "statusReplicasPath"))
    return Scale(spec, status, r.text(scale, "labelSelectorPath").removeprefix("."))


def _conversion(group: str, stored: str, version: str) -> Conversion:
    def named(name: str) -> Callable[[Obj], Obj]:
        return lambda obj: {**obj, "apiVersion": f"{group}/{name}"}

    return Conversion((group, stored), named(stored), named(version))


# ---- printer columns


def _column(column: Obj) -> Column:
    kind, path = column["type"], column["jsonPath"]
    return Column(
        column["name"],
        partial(_cell, kind, path),
        kind,
        r.text(column, "format"),
        r.text(column, "description") or f"Custom resource definition column (in JSONPath format): {path}",
        r.count(column, "priority"),
    )


def _first(path: str, obj: Obj) -> Any:
    try:
        found = jsonpath.find(path, obj)
    except jsonpath.JsonPathError:
        return None
    return found[0] if found else None


def _cell(kind: str, path: str, obj: Obj) -> Any:
    """A cell as apiextensions-apiserver's table converter makes it; nothing where the value is of another type."""
    if kind == "string":
        try:
            return jsonpath.evaluate("{" + path + "}", obj) if jsonpath.find(path, obj) else None
        except jsonpath.JsonPathError:
            return None
    value = _first(path, obj)
    match kind:
        case "date" if isinstance(value, str):
            return _age(value)
        case "integer" if isinstance(value, int | float) and not isinstance(value, bool):
            return int(value)
        case "number" if isinstance(value, int | float) and not isinstance(value, bool):
            return value
        case "boolean" if isinstance(value, bool):
            return value
    return None


def _age(value: str) -> str:
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return "<invalid>"
    return table.age(value)

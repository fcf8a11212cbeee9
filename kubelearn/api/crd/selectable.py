"""`selectableFields`: by which fields of a custom resource a field selector may choose.

Source: apiextensions-apiserver's pkg/apis/apiextensions/validation (ValidateCustomResourceSelectableFields); KEP-4358.
"""

from __future__ import annotations

from collections.abc import Iterator

from kubelearn.api.kind import FieldError
from kubelearn.api.kinds import _read as r
from kubelearn.api.kinds._errors import duplicate, invalid, required
from kubelearn.api.resource import Obj

_MOST = 8
_SCALARS = ("boolean", "integer", "string")


def problems(fields: list[Obj], schema: Obj, path: str) -> list[FieldError]:
    return list(_problems(fields, schema, path))


def _problems(fields: list[Obj], schema: Obj, path: str) -> Iterator[FieldError]:
    seen = set[str]()
    for index, field in enumerate(fields):
        where, said = f"{path}[{index}]", r.text(field, "jsonPath")
        if not said:
            yield required(f"{where}.jsonPath")
            continue
        found = _field(said, schema)
        if found is None:
            yield invalid(f"{where}.jsonPath", said, "is an invalid path: does not refer to a valid field")
            continue
        if said.startswith(".metadata."):
            yield invalid(where, said, "must not point to fields in metadata")
        if r.text(found, "type") not in _SCALARS:
            text = "must point to a field of type string, boolean or integer. "
            yield invalid(where, said, text + "Enum string fields and strings with formats are allowed.")
        if said in seen:
            yield duplicate(where, said)
        seen.add(said)
    if len(seen) > _MOST:
        text = f"Too many: {len(seen)}: must have at most {_MOST} items"
        yield FieldError(path, "FieldValueTooMany", text)


def _field(path: str, schema: Obj) -> Obj | None:
    """The schema of a field; metadata has name and generateName without being asked."""
    names = path.removeprefix(".").split(".")
    if not path.startswith(".") or not all(names):
        return None
    if names[0] == "metadata":
        return {"type": "string"} if names[1:] in (["name"], ["generateName"]) else None
    found = schema
    for name in names:
        properties = r.mapping(found, "properties")
        if name not in properties:
            return None
        found = properties[name]
    return found

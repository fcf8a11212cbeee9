"""Secret (core/v1)."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping

from kubelearn.api import names
from kubelearn.api.kind import Column, FieldError, Kind
from kubelearn.api.kinds import _read as r
from kubelearn.api.kinds._columns import AGE, NAME, text_at
from kubelearn.api.kinds._data import MAX_SIZE, decoded_size, frozen
from kubelearn.api.kinds._errors import Errors, all_invalid, immutable, invalid, required, too_long
from kubelearn.api.kinds._fields import with_metadata
from kubelearn.api.resource import Obj, Resource

RESOURCE = Resource("", "v1", "Secret", "secrets", "secret", True)
ACCOUNT_ANNOTATION = "kubernetes.io/service-account.name"
ACCOUNT_TOKEN = "kubernetes.io/service-account-token"
_REDACTED = "<secret contents redacted>"
_REQUIRED_KEYS = {
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
}
_JSON_KEYS = (".dockercfg", ".dockerconfigjson")


def default(obj: Obj) -> None:
    """`stringData` is write-only: it goes into `data`."""
    plain = r.string_map(obj, "stringData")
    if plain:
        data = r.ensure(obj, "data")
        data |= {key: base64.b64encode(value.encode()).decode() for key, value in plain.items()}
    obj.pop("stringData", None)
    r.fill_text(obj, "type", "Opaque")


def _decoded(encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _typed(obj: Obj, data: dict[str, str]) -> Errors:
    kind = r.text(obj, "type")
    out: Errors = []
    if kind == ACCOUNT_TOKEN:
        if not r.string_map(r.mapping(obj, "metadata"), "annotations").get(ACCOUNT_ANNOTATION):
            out.append(required(f"metadata.annotations[{ACCOUNT_ANNOTATION}]"))
    elif kind == "kubernetes.io/basic-auth" and not {"username", "password"} & set(data):
        out += [required("data[username]"), required("data[password]")]
    for key in _REQUIRED_KEYS.get(kind, ()):
        if key not in data:
            out.append(required(f"data[{key}]"))
        elif key in _JSON_KEYS:
            try:
                json.loads(_decoded(data[key]))
            except ValueError as error:
                out.append(invalid(f"data[{key}]", _REDACTED, str(error)))
    return out


def validate(obj: Obj) -> list[FieldError]:
    data = r.string_map(obj, "data")
    out: Errors = []
    for key in sorted(data):
        out += all_invalid(f"data[{key}]", key, names.config_map_key(key))
    if sum(map(decoded_size, data.values())) > MAX_SIZE:
        out.append(too_long("data", MAX_SIZE))
    return out + _typed(obj, data)


def validate_update(new: Obj, old: Obj) -> list[FieldError]:
    return immutable("type", r.text(new, "type"), r.text(old, "type")) + frozen(new, old, "data")


def fields(obj: Obj) -> Mapping[str, str]:
    return with_metadata(obj, {"type": r.text(obj, "type")})


KIND = Kind(
    RESOURCE,
    (
        NAME,
        Column("Type", text_at("type"), description="Says how the data is to be read."),
        Column("Data", lambda obj: len(r.mapping(obj, "data")), description="Number of keys."),
        AGE,
    ),
    default,
    validate,
    validate_update,
    fields=fields,
)

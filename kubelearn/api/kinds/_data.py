"""What ConfigMap and Secret have in common: their size, and data that may be frozen."""

from __future__ import annotations

from kubelearn.api.kinds import _read as r
from kubelearn.api.kinds._errors import Errors, forbidden
from kubelearn.api.resource import Obj

MAX_SIZE = 1024 * 1024
_FROZEN = "field is immutable when `immutable` is set"


def decoded_size(encoded: str) -> int:
    """Bytes that a base64 text stands for."""
    return len(encoded) * 3 // 4 - encoded.count("=")


def frozen(new: Obj, old: Obj, *keys: str) -> Errors:
    """What may not change once `immutable` is true."""
    if not r.flag(old, "immutable"):
        return []
    out = [] if r.flag(new, "immutable") else [forbidden("immutable", _FROZEN)]
    return out + [forbidden(key, _FROZEN) for key in keys if r.mapping(new, key) != r.mapping(old, key)]

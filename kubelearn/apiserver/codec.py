"""Stored bytes and objects: the resourceVersion is spliced in, never stored.

A value is the object's JSON with one 0x00 byte right after `"metadata":{`; there `"resourceVersion":"N",` belongs.
JSON has no such byte, so answering is a copy.
"""

from __future__ import annotations

from typing import Any

import orjson

from kubelearn.api.resource import Obj
from kubelearn.store.interface import KeyValue

_MARK = b"\x00"


def encode(obj: Obj) -> bytes:
    """The stored form; apiVersion, kind and metadata come first, as Go writes them."""
    meta = {k: v for k, v in obj["metadata"].items() if k != "resourceVersion"}
    rest = {k: v for k, v in obj.items() if k not in ("apiVersion", "kind", "metadata")}
    head = orjson.dumps({"kind": obj["kind"], "apiVersion": obj["apiVersion"]})[:-1]
    data = orjson.dumps(meta)[1:]
    tail = orjson.dumps(rest)[1:] if rest else b"}"
    return head + b',"metadata":{' + _MARK + data + (b"," if rest else b"") + tail


def splice(kv: KeyValue) -> bytes:
    """The object's JSON as clients get it."""
    return kv.value.replace(_MARK, b'"resourceVersion":"%d",' % kv.mod_revision, 1)


def decode(kv: KeyValue) -> Obj:
    obj: Obj = orjson.loads(splice(kv))
    return obj


def dumps(obj: Any) -> bytes:
    return orjson.dumps(obj)

"""Make `kubelearn/api/protobuf_tags.json`: the field numbers of Kubernetes' protobuf messages.

    python tools/protobuf_tags.py /path/to/kubectl > kubelearn/api/protobuf_tags.json

Official clients up to 1.33 carry the file descriptors of the official definitions, compressed, in their program
file; this reads them from there. Field numbers never change once given, so newer releases only add to them.
"""

from __future__ import annotations

import json
import mmap
import sys
import zlib
from collections.abc import Iterator
from typing import Any

_KEEP = ("k8s.io.api.", "k8s.io.apimachinery.")
_VERSIONS = ("v1", "v2", "meta", "runtime", "intstr", "resource")


def descriptors(path: str) -> Iterator[bytes]:
    """Every gzip stream in the file that holds a descriptor of a generated.proto."""
    with open(path, "rb") as file:  # noqa: PTH123
        data = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
        at = data.find(b"\x1f\x8b\x08")
        while at >= 0:
            try:
                found = zlib.decompressobj(31).decompress(data[at : at + 400_000], 4_000_000)
            except zlib.error:
                found = b""
            if b"generated.proto" in found[:200]:
                yield found
            at = data.find(b"\x1f\x8b\x08", at + 3)


def fields(message: bytes) -> Iterator[tuple[int, Any]]:
    """The fields of an encoded message: number and value (int, or bytes)."""
    at = 0
    while at < len(message):
        key, at = varint(message, at)
        if key & 7 == 0:
            value, at = varint(message, at)
            yield key >> 3, value
        elif key & 7 == 2:
            size, at = varint(message, at)
            yield key >> 3, message[at : at + size]
            at += size
        else:
            size = 8 if key & 7 == 1 else 4
            at += size


def varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def one(message: bytes, number: int, default: Any = b"") -> Any:
    return next((v for n, v in fields(message) if n == number), default)


def messages(scope: str, message: bytes) -> Iterator[tuple[str, dict[str, list[Any]]]]:
    name = f"{scope}.{one(message, 1).decode()}"
    entries = {}
    for number, nested in fields(message):
        if number == 3 and one(one(nested, 7), 7, 0):
            entries[f".{name}.{one(nested, 1).decode()}"] = nested
    described = {}
    for number, field in fields(message):
        if number != 2:
            continue
        kind, type_name = one(field, 5, 0), one(field, 6).decode()
        row: list[Any] = [one(field, 1).decode(), kind, type_name.lstrip("."), one(field, 4, 1) == 3]
        if type_name in entries:
            value = next(f for n, f in fields(entries[type_name]) if n == 2 and one(f, 3, 0) == 2)
            row = [row[0], "map", [one(value, 5, 0), one(value, 6).decode().lstrip(".")], False]
        described[str(one(field, 3, 0))] = row
    yield name, described


def main() -> None:
    found: dict[str, dict[str, list[Any]]] = {}
    for descriptor in descriptors(sys.argv[1]):
        package = one(descriptor, 2).decode()
        if package.startswith(_KEEP) and package.rsplit(".", 1)[-1] in _VERSIONS:
            for number, message in fields(descriptor):
                if number == 4:
                    found.update(messages(package, message))
    rows = [f"{json.dumps(name)}:{json.dumps(found[name], separators=(',', ':'))}" for name in sorted(found)]
    sys.stdout.write("{\n" + ",\n".join(rows) + "\n}\n")


if __name__ == "__main__":
    main()

"""Any other kind: every field, with its name spelled out (kubectl's description of custom resources)."""

from __future__ import annotations

import re
from typing import Any

from kubelearn.api.resource import Obj
from kubelearn.kubectl.describers import _writer as w
from kubelearn.kubectl.describers._writer import Describer, Sources, Writer
from kubelearn.kubectl.printers.columns import go_value

_SKIPPED = {f".metadata.{name}" for name in ("managedFields", "name", "namespace", "labels", "annotations")}
_ACRONYMS = {"API", "URL", "UID", "OSB", "GUID"}


async def write(out: Writer, obj: Obj, _sources: Sources) -> None:
    w.head(out, obj)
    _content(out, 0, obj, "")


def _content(out: Writer, level: int, content: Obj, path: str) -> None:
    for name in sorted(content):
        value, here = content[name], f"{path}.{name}"
        if here in _SKIPPED:
            continue
        if isinstance(value, dict):
            out.line(level, f"{label(name)}:")
            _content(out, level + 1, value, here)
        elif isinstance(value, list):
            out.line(level, f"{label(name)}:")
            for child in value:
                if isinstance(child, dict):
                    _content(out, level + 1, child, here)
                else:
                    out.line(level + 1, _text(child))
        else:
            out.field(label(name), _text(value), level)


def _text(value: Any) -> str:
    return "<nil>" if value is None else go_value(value)


def label(name: str) -> str:
    """`creationTimestamp` → `Creation Timestamp`."""
    if re.search(r"[^\w-]|[\d_]", name):
        return name
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|-+|[^\W\d_]+", name)
    return " ".join(word.upper() if word.upper() in _ACRONYMS else word[:1].upper() + word[1:] for word in words)


DESCRIBER = Describer(write)

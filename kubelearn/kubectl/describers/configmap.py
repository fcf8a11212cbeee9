"""Config maps, values in full."""

from __future__ import annotations

import base64

from kubelearn.api.resource import Obj
from kubelearn.kubectl.describers import _writer as w
from kubelearn.kubectl.describers._writer import Describer, Sources, Writer


async def write(out: Writer, config: Obj, _sources: Sources) -> None:
    w.head(out, config)
    for line in ("", "Data", "===="):
        out.line(0, line)
    for key, value in sorted((config.get("data") or {}).items()):
        for line in (f"{key}:", "----", value, ""):
            out.line(0, line)
    for line in ("", "BinaryData", "===="):
        out.line(0, line)
    for key, value in sorted((config.get("binaryData") or {}).items()):
        out.line(0, f"{key}: {len(base64.b64decode(value))} bytes")
    out.line(0, "")


DESCRIBER = Describer(write)

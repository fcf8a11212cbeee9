"""Secrets: sizes only."""

from __future__ import annotations

import base64

from kubelearn.api.resource import Obj
from kubelearn.kubectl.describers import _writer as w
from kubelearn.kubectl.describers._writer import Describer, Sources, Writer


async def write(out: Writer, secret: Obj, _sources: Sources) -> None:
    w.head(out, secret)
    out.line(0, "")
    out.field("Type", secret.get("type", ""))
    for line in ("", "Data", "===="):
        out.line(0, line)
    for key, value in sorted((secret.get("data") or {}).items()):
        content = base64.b64decode(value or "")
        if key == "token" and secret.get("type") == "kubernetes.io/service-account-token":
            out.field(key, content.decode(errors="replace"))
        else:
            out.field(key, f"{len(content)} bytes")


DESCRIBER = Describer(write, events=False)

"""Service accounts."""

from __future__ import annotations

from kubelearn.api.resource import Obj
from kubelearn.kubectl.describers import _writer as w
from kubelearn.kubectl.describers._writer import Describer, Sources, Writer


async def write(out: Writer, account: Obj, _sources: Sources) -> None:
    w.head(out, account)
    w.multiline(out, "Image pull secrets", [s.get("name", "") for s in account.get("imagePullSecrets") or []])


DESCRIBER = Describer(write)

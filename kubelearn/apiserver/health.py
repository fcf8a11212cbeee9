"""Health end points."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from kubelearn.apiserver import discovery
from kubelearn.client.transport import Request, Response

if TYPE_CHECKING:
    from kubelearn.apiserver.server import ApiServer

_PLAIN = {"content-type": "text/plain; charset=utf-8"}


def answer(server: ApiServer, path: str, request: Request) -> Response | None:
    """`/version`, `/healthz`, `/livez`, `/readyz` with `?verbose`; None for other paths."""
    if path == "/version":
        return Response(200, {"content-type": "application/json"}, orjson.dumps(discovery.version()))
    root, _, check = path.removeprefix("/").partition("/")
    if root not in ("healthz", "livez", "readyz"):
        return None
    checks = {"ping": True, "log": True, "etcd": server.store.revision > 0}
    if check:
        return Response(200, _PLAIN, b"ok") if checks.get(check) else None
    good = all(checks.values())
    if not good or any(k == "verbose" for k, _ in request.query):
        lines = [f"[{'+' if ok else '-'}]{name} {'ok' if ok else 'failed'}" for name, ok in checks.items()]
        text = "\n".join([*lines, f"{root} check {'passed' if good else 'failed'}"]) + "\n"
        return Response(200 if good else 500, _PLAIN, text.encode())
    return Response(200, _PLAIN, b"ok")

"""`/healthz`, `/livez` and `/readyz`: whole, check by check (`?verbose`), or one check alone (`/readyz/etcd`).

The checks have the names of kube-apiserver's, where there is the same thing here to look at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubelearn.client.transport import Request, Response
from kubelearn.store.interface import StoreError

if TYPE_CHECKING:
    from kubelearn.apiserver.server import ApiServer

_PLAIN = {"content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff"}
ROOTS = ("healthz", "livez", "readyz")
#: What the server does once, before it is ready.
HOOKS = (
    "crd-informer-synced",
    "start-service-ip-repair-controllers",
    "rbac/bootstrap-roles",
    "start-system-namespaces-controller",
    "scheduling/bootstrap-system-priority-classes",
    "start-kubernetes-service-cidr-controller",
    "bootstrap-controller",
)
_HOOK = "poststarthook/"


def names() -> list[str]:
    return ["ping", "log", "etcd", *(_HOOK + hook for hook in HOOKS), "shutdown"]


async def answer(server: ApiServer, path: str, request: Request) -> Response | None:
    """None for other paths."""
    root, _, only = path.removeprefix("/").partition("/")
    if root not in ROOTS or (only and only not in names()):
        return None
    excluded = request.params("exclude")
    checks = {name: await check(server, name) for name in names() if name not in excluded and only in ("", name)}
    if root == "livez":
        checks.pop("shutdown", None)
    good = all(checks.values())
    if good and not any(key == "verbose" for key, _ in request.query):
        return Response(200, _PLAIN, b"ok")
    lines = [f"[+]{name} ok" if fine else f"[-]{name} failed: reason withheld" for name, fine in checks.items()]
    unknown = sorted(set(excluded) - set(names()))
    if unknown:
        listed = ",".join(f'"{name}"' for name in unknown)
        lines.append(f"warn: some health checks cannot be excluded: no matches for {listed}")
    lines.append(f"{root} check {'passed' if good else 'failed'}")
    return Response(200 if good else 500, _PLAIN, ("\n".join(lines) + "\n").encode())


async def check(server: ApiServer, name: str) -> bool:
    """Whether all is well with what the check of this name looks at."""
    if name.startswith(_HOOK):
        return server.hooks[name.removeprefix(_HOOK)]
    if name == "shutdown":
        return not server.closing
    if name == "etcd":
        try:
            await server.store.get("/registry/health")
        except StoreError:
            return False
        return server.store.revision > 0
    return True

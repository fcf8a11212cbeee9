"""Service accounts."""

from __future__ import annotations

from kubelearn.api.resource import Obj
from kubelearn.kubectl.describers import _writer as w
from kubelearn.kubectl.describers._writer import Describer, Sources, Writer


async def write(out: Writer, account: Obj, sources: Sources) -> None:
    meta = account["metadata"]
    w.head(out, account)
    secrets = await sources.list(
        "secrets", meta.get("namespace", ""), field_selector="type=kubernetes.io/service-account-token"
    )
    own = "kubernetes.io/service-account.name"
    tokens = [
        s["metadata"]["name"] for s in secrets if (s["metadata"].get("annotations") or {}).get(own) == meta["name"]
    ]
    for title, names in (
        ("Image pull secrets:", [s.get("name", "") for s in account.get("imagePullSecrets") or []]),
        ("Mountable secrets: ", [s.get("name", "") for s in account.get("secrets") or []]),
        ("Tokens:            ", tokens),
    ):
        for index, name in enumerate(names or ["<none>"]):
            out.line(0, f"{title if index == 0 else ' ' * 19}\t{name}")


DESCRIBER = Describer(write)

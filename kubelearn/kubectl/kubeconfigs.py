"""The kubeconfig file that `config` reads and rewrites."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from kubelearn.client import kubeconfig
from kubelearn.kit.errors import KubelearnError
from kubelearn.kubectl import manifests
from kubelearn.kubectl.printers.encode import to_yaml
from kubelearn.kubectl.verb import Context


def read(ctx: Context) -> dict[str, Any]:
    """The configuration; empty when there is none."""
    try:
        return kubeconfig.read(Path(ctx.kubeconfig) if ctx.kubeconfig else None)
    except KubelearnError:
        if ctx.kubeconfig and Path(ctx.kubeconfig).exists():
            raise
        return {"clusters": [], "users": [], "contexts": [], "current-context": ""}


def file(ctx: Context) -> Path:
    if ctx.kubeconfig:
        return Path(ctx.kubeconfig)
    return next((p for p in kubeconfig.paths() if p.exists()), kubeconfig.paths()[-1])


def change(ctx: Context, work: Callable[[dict[str, Any]], None]) -> None:
    """Rewrite the file in use."""
    path = file(ctx)
    text = path.read_text() if path.exists() else ""
    document = manifests.from_yaml(text) or {"apiVersion": "v1", "kind": "Config"}
    for part in ("clusters", "users", "contexts"):
        document[part] = document.get(part) or []
    work(document)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".new")
    temporary.touch(mode=0o600)
    temporary.write_text(to_yaml(document))
    temporary.replace(path)

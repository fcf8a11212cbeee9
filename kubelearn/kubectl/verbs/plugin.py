"""`plugin list`: programs named kubectl-… on the path. They are listed, never run."""

from __future__ import annotations

import os
from pathlib import Path

from kubelearn.kubectl.failures import CommandError
from kubelearn.kubectl.verb import Context, Flag, Parsed, Verb


async def _list(ctx: Context, parsed: Parsed) -> int:
    folders = dict.fromkeys(f for f in ctx.env.get("PATH", "").split(os.pathsep) if f.strip())
    found: list[Path] = []
    for folder in map(Path, folders):
        if folder.is_dir():
            found += sorted(p for p in folder.iterdir() if p.name.startswith("kubectl-") and not p.is_dir())
    if not found:
        raise CommandError("unable to find any kubectl plugins in your PATH")
    ctx.out("The following compatible plugins are available:\n\n")
    ctx.out("".join(f"{path.name if parsed['name-only'] else path}\n" for path in found))
    warnings = 0
    first: dict[str, Path] = {}
    for path in found:
        if not os.access(path, os.X_OK):
            warnings += 1
            ctx.err(f"  - warning: {path} identified as a kubectl plugin, but it is not executable\n")
        if path.name in first:
            warnings += 1
            ctx.err(f"  - warning: {path} is overshadowed by a similarly named plugin: {first[path.name]}\n")
        first.setdefault(path.name, path)
    if warnings:
        raise CommandError(
            f"{'one' if warnings == 1 else warnings} plugin warning{'s were' if warnings > 1 else ' was'} found"
        )
    return 0


VERB = Verb(
    name="plugin",
    summary="Provides utilities for interacting with plugins",
    usage="plugin SUBCOMMAND",
    children=(
        Verb(
            "list",
            "List all visible plugin executables on a user's PATH",
            "plugin list",
            "# What there is\nkubectl plugin list",
            (Flag("name-only", kind="bool", help="names without their folders"),),
            _list,
        ),
    ),
)

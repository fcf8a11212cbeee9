"""Containers of the process engine see the host's files: there is no file-system namespace. What a manifest says of
its volumes is made true in the words of commands instead: with a volume at /data, `echo hi > /data/x` writes to the
volume. Interactive shells see it as ./data.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path


def localize(words: Iterable[str], mount_paths: Iterable[str], root: Path) -> list[str]:
    """`words` with each mount path, where it stands as a path of its own, moved below `root`."""
    paths = sorted({p.rstrip("/") for p in mount_paths if p.strip("/")}, key=len, reverse=True)
    if not paths:
        return list(words)
    pattern = re.compile(r"(?<![\w./~-])(" + "|".join(map(re.escape, paths)) + r")(?![\w.-])")
    return [pattern.sub(lambda match: f"{root}{match.group(1)}", word) for word in words]

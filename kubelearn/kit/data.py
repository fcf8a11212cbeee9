"""Where the files that ship with the package are: lessons and assets.

In an installed wheel they lie inside the package (`kubelearn/data/`); in a checkout beside it.
"""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent


def data_dir(name: str) -> Path:
    """The folder `lessons` or `assets`; raises FileNotFoundError if the installation lacks it."""
    for root in (PACKAGE / "data", PACKAGE.parent):
        if (root / name).is_dir():
            return root / name
    raise FileNotFoundError(f"{name}: not part of this installation")

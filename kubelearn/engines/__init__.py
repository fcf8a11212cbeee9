"""How a container is run: one file per engine, each exporting `ENGINE`; `gateway` serves them to the nodes."""

from __future__ import annotations

from kubelearn.engines.base import EngineFactory
from kubelearn.kit import discover, errors

_SHARED = {"base", "gateway"}


def engine_names() -> list[str]:
    return [name for name in discover.names(__name__) if name not in _SHARED]


def factory(name: str) -> EngineFactory:
    """The engine of that name; raises KubelearnError for an unknown one."""
    if name not in engine_names():
        raise errors.KubelearnError(f'unknown engine "{name}"', f"choose one of: auto, {', '.join(engine_names())}")
    return discover.load(__name__, name, "ENGINE", EngineFactory)

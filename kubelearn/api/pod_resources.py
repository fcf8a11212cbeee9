"""What a pod asks for and is limited to as a whole: sidecars and init containers counted as the scheduler does.

Source: KEP-753 (sidecar containers) and component-helpers' resource package.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from kubelearn.api import quantity
from kubelearn.api.resource import Obj

Amounts = dict[str, Decimal]


def parsed(texts: Mapping[str, Any] | None) -> Amounts:
    return {name: quantity.parse(text) for name, text in (texts or {}).items()}


def added(one: Amounts, other: Amounts) -> Amounts:
    return {name: one.get(name, Decimal()) + other.get(name, Decimal()) for name in {**one, **other}}


def _larger(one: Amounts, other: Amounts) -> Amounts:
    return {name: max(one.get(name, Decimal()), other.get(name, Decimal())) for name in {**one, **other}}


def containers(spec: Obj) -> Iterator[Obj]:
    """All that have resources: app containers, then init containers."""
    yield from spec.get("containers") or ()
    yield from spec.get("initContainers") or ()


def total(spec: Obj, side: str) -> Amounts:
    """`side` is `requests` or `limits`. An init container runs alone but for the sidecars started before it."""
    running: Amounts = {}
    for container in spec.get("containers") or ():
        running = added(running, parsed((container.get("resources") or {}).get(side)))
    sidecars: Amounts = {}
    most: Amounts = {}
    for container in spec.get("initContainers") or ():
        asked = parsed((container.get("resources") or {}).get(side))
        if container.get("restartPolicy") == "Always":
            sidecars = added(sidecars, asked)
            most = _larger(most, sidecars)
        else:
            most = _larger(most, added(sidecars, asked))
    found = _larger(added(running, sidecars), most)
    overhead = parsed(spec.get("overhead"))
    if side == "limits":
        overhead = {name: amount for name, amount in overhead.items() if name in found}
    return added(found, overhead)

"""What a write changed, in a few words: the middle column of `why` and of the timeline. Pure.

Each rule looks at the object before and after and says nothing or one phrase; what no rule knows is named by path.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from kubelearn.api.resource import Obj

_READY = {"Pod": "Ready", "Node": "Ready", "Deployment": "Available"}
_NO_NEWS = frozenset({"resourceVersion", "managedFields", "generation", "uid", "creationTimestamp"})
_SHOWN = 4


def is_ready(obj: Obj) -> bool:
    """Whether the object says that it stands ready; False for kinds that never say."""
    wanted = _READY.get(obj.get("kind", ""))
    return wanted is not None and _conditions(obj).get(wanted, ("", ""))[0] == "True"


def summarize(before: Obj | None, after: Obj | None) -> str:
    if after is None:
        return "removed"
    if before is None:
        return "; ".join(["created", *_creation(after)])
    phrases = [phrase for rule in _RULES for phrase in rule(before, after)]
    if not phrases:
        phrases = [f"{path} changed" for path in _paths(before, after)]
    more = [f"{len(phrases) - _SHOWN} more"] if len(phrases) > _SHOWN else []
    return "; ".join(phrases[:_SHOWN] + more) or "nothing changed"


def _creation(obj: Obj) -> Iterator[str]:
    spec = obj.get("spec", {})
    if obj.get("kind") == "Event":
        yield f"{obj.get('reason', '')}: {obj.get('message', '')}"
    if isinstance(spec, dict) and "replicas" in spec:
        yield f"replicas {spec['replicas']}"
    if obj.get("kind") == "EndpointSlice":
        yield f"endpoints {len(obj.get('endpoints') or [])}"


def _get(obj: Obj, path: str) -> Any:
    value: Any = obj
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _life(before: Obj, after: Obj) -> Iterator[str]:
    if _get(after, "metadata.deletionTimestamp") and not _get(before, "metadata.deletionTimestamp"):
        yield "deletionTimestamp set"
    old, new = (set(_get(o, "metadata.finalizers") or []) for o in (before, after))
    for finalizer in sorted(old - new):
        yield f"finalizer {finalizer} removed"
    for finalizer in sorted(new - old):
        yield f"finalizer {finalizer} added"


def _node_name(before: Obj, after: Obj) -> Iterator[str]:
    node = _get(after, "spec.nodeName")
    if node and after.get("kind") == "Pod" and not _get(before, "spec.nodeName"):
        yield f"bound to {node}"


def _value(path: str, label: str) -> Callable[[Obj, Obj], Iterator[str]]:
    def rule(before: Obj, after: Obj) -> Iterator[str]:
        old, new = _get(before, path), _get(after, path)
        if old != new and not isinstance(old or new, dict | list):
            yield f"{label} {_word(old)} → {_word(new)}"

    return rule


def _word(value: Any) -> str:
    return "none" if value in (None, "") else str(value)


def _replica_counts(before: Obj, after: Obj) -> Iterator[str]:
    """Counts that are left out of an object are zero."""
    counts = {"updatedReplicas": "updated", "readyReplicas": "ready", "availableReplicas": "available"}
    for name, label in {"replicas": "existing", **counts}.items():
        old, new = ((_get(o, f"status.{name}") or 0) for o in (before, after))
        if old != new:
            yield f"{label} replicas {old} → {new}"


def _images(before: Obj, after: Obj) -> Iterator[str]:
    for path in ("spec.containers", "spec.template.spec.containers"):
        old = {c.get("name"): c.get("image") for c in _get(before, path) or []}
        for container in _get(after, path) or []:
            name, image = container.get("name"), container.get("image")
            if name in old and old[name] != image:
                yield f"image of {name} {old[name]} → {image}"


def _containers(before: Obj, after: Obj) -> Iterator[str]:
    for path in ("status.initContainerStatuses", "status.containerStatuses"):
        old = {c.get("name"): c for c in _get(before, path) or []}
        for now in _get(after, path) or []:
            was = old.get(now.get("name"), {})
            if _state(was) != _state(now):
                yield f"container {now.get('name')} {_state(now)}"
            restarts = now.get("restartCount", 0)
            if restarts > was.get("restartCount", 0):
                yield f"restarts {restarts}"


def _state(status: Obj) -> str:
    for name, detail in (status.get("state") or {}).items():
        reason = (detail or {}).get("reason", "")
        code = f" (exit {detail['exitCode']})" if name == "terminated" and "exitCode" in detail else ""
        return f"{name}: {reason}{code}" if reason and name != "running" else f"{name}{code}"
    return "unknown"


def _conditions(obj: Obj) -> dict[str, tuple[str, str]]:
    found = _get(obj, "status.conditions") or []
    return {c.get("type", ""): (c.get("status", ""), c.get("reason", "")) for c in found}


def _condition_changes(before: Obj, after: Obj) -> Iterator[str]:
    old = _conditions(before)
    for name, (status, reason) in _conditions(after).items():
        if old.get(name, ("", ""))[0] != status:
            yield f"{name} {status}" + (f" ({reason})" if reason and status != "True" else "")


def _endpoints(before: Obj, after: Obj) -> Iterator[str]:
    if after.get("kind") == "EndpointSlice":
        old, new = before.get("endpoints") or [], after.get("endpoints") or []
        ready = [sum((e.get("conditions") or {}).get("ready") is not False for e in es) for es in (old, new)]
        if len(old) != len(new):
            yield f"endpoints {len(old)} → {len(new)}"
        if ready[0] != ready[1]:
            yield f"ready endpoints {ready[0]} → {ready[1]}"


def _taints(before: Obj, after: Obj) -> Iterator[str]:
    old, new = ({f"{t['key']}:{t['effect']}" for t in _get(o, "spec.taints") or []} for o in (before, after))
    for taint in sorted(new - old):
        yield f"taint {taint} added"
    for taint in sorted(old - new):
        yield f"taint {taint} removed"


def _occurrences(before: Obj, after: Obj) -> Iterator[str]:
    if after.get("kind") == "Event" and before.get("count") != after.get("count"):
        yield f"{after.get('reason', '')} seen {after.get('count')} times"


_RULES: tuple[Callable[[Obj, Obj], Iterator[str]], ...] = (
    _life,
    _node_name,
    _value("spec.replicas", "replicas"),
    _images,
    _value("status.phase", "phase"),
    _value("status.podIP", "IP"),
    _containers,
    _condition_changes,
    _replica_counts,
    _endpoints,
    _value("spec.unschedulable", "unschedulable"),
    _taints,
    _value("spec.clusterIP", "cluster IP"),
    _value("spec.type", "type"),
    _occurrences,
)


def _paths(before: Obj, after: Obj, prefix: str = "", depth: int = 0) -> list[str]:
    """The paths that differ, three names deep at most."""
    found: list[str] = []
    for name in sorted({*before, *after}):
        old, new = before.get(name), after.get(name)
        if old == new or (prefix == "metadata." and name in _NO_NEWS):
            continue
        if depth < 2 and isinstance(old, dict) and isinstance(new, dict):
            found += _paths(old, new, f"{prefix}{name}.", depth + 1)
        else:
            found.append(prefix + name)
    return found

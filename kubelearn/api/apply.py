"""Server-side apply: what an object becomes when somebody applies a configuration to it, and who then owns what.

Pure: no requests, no clock. Conflicts are an exception with all of them; what they look like in an answer is said
here too, because the words are part of the protocol. Source: the documentation of server-side apply.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import reduce
from typing import Any, NamedTuple

import orjson

from kubelearn.api import fieldset, managed_fields
from kubelearn.api.comparing import compare, held
from kubelearn.api.errors import ApiError
from kubelearn.api.fieldset import FieldSet, Path
from kubelearn.api.managed_fields import Entry, Managed, Owner
from kubelearn.api.merging import merge, prune
from kubelearn.api.resource import Obj
from kubelearn.api.shape import Shape

#: The applier that may take over from client-side apply, and the annotation that says what was applied there.
KUBECTL = "kubectl"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


class Conflict(NamedTuple):
    owner: Owner
    path: Path


class ApplyConflict(Exception):
    """Others own what the configuration would change."""

    def __init__(self, conflicts: Iterable[Conflict]) -> None:
        self.conflicts = sorted(conflicts)
        super().__init__(_message(self.conflicts))

    def error(self) -> ApiError:
        causes = [
            {"reason": "FieldManagerConflict", "message": f"conflict with {c.owner}", "field": fieldset.text(c.path)}
            for c in self.conflicts
        ]
        return ApiError(409, "Conflict", str(self), {"causes": causes})


def _message(conflicts: list[Conflict]) -> str:
    if len(conflicts) == 1:
        return f"Apply failed with 1 conflict: conflict with {conflicts[0].owner}: {fieldset.text(conflicts[0].path)}"
    lines: list[str] = []
    for owner in dict.fromkeys(c.owner for c in conflicts):
        lines.append(f"conflicts with {owner}:")
        lines += [f"- {fieldset.text(c.path)}" for c in conflicts if c.owner == owner]
    return f"Apply failed with {len(conflicts)} conflicts: " + "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Applied:
    """`obj` has no managedFields; it is the live one where nothing changed."""

    obj: Obj
    managed: Managed


def apply(
    live: Obj,
    config: Obj,
    shape: Shape,
    managed: Managed,
    manager: str,
    now: str,
    *,
    blank: Obj | None = None,
    subresource: str = "",
    force: bool = False,
    ignored: tuple[str, ...] = (),
) -> Applied:
    """Merge `config` into `live` as `manager`. `blank` is what an unset object of the kind looks like: an existing
    one that nobody manages is given the owner `before-first-apply` first. Raises ApplyConflict."""
    if not managed and blank is not None and live.get("metadata", {}).get("uid"):
        first = managed_fields.updater(managed_fields.BEFORE_FIRST_APPLY, config["apiVersion"])
        managed = managed_fields.update(blank, live, shape, {}, first, now, ignored)
    owner = managed_fields.applier(manager, subresource)
    try:
        done = _apply(live, config, shape, managed, owner, now, force, ignored)
    except ApplyConflict as error:
        if manager != KUBECTL or not (allowed := _client_side_applied(live, config["apiVersion"], shape)):
            raise
        left = [c for c in error.conflicts if not fieldset.has(allowed, c.path)]
        if left:
            raise ApplyConflict(left) from None
        done = _apply(live, config, shape, managed, owner, now, True, ignored)
    if manager == KUBECTL:
        _keep_annotation(done.obj, config)
    return done


def _apply(
    live: Obj,
    config: Obj,
    shape: Shape,
    managed: Managed,
    owner: Owner,
    now: str,
    force: bool,
    ignored: tuple[str, ...],
) -> Applied:
    last = managed.get(owner)
    claimed = held(config, shape)
    for name in ignored:
        claimed.pop("f:" + name, None)
    after: Managed = {**managed, owner: Entry(config["apiVersion"], claimed, last.time if last else "")}
    new = merge(live, config, shape)
    for name in ignored:
        _restore(new, live, name)
    if last is not None and last.fields:
        everyone: FieldSet = reduce(fieldset.union, (entry.fields for entry in after.values()), {})
        new = prune(new, last.fields, everyone, shape)
    found = compare(live, new, shape)
    others = {other: entry for other, entry in managed.items() if other != owner}
    taken = {other: fieldset.intersection(entry.fields, found.written) for other, entry in others.items()}
    if not force and any(taken.values()):
        raise ApplyConflict(_conflicts(taken))
    for other, entry in others.items():
        left = fieldset.difference(fieldset.difference(entry.fields, taken[other]), found.removed)
        managed_fields.with_fields(after, other, left)
    managed_fields.with_fields(after, owner, managed_fields.strip(claimed))
    if last is not None and owner in after and after[owner].fields == last.fields:
        after[owner] = last
    if new == live:
        return Applied(dict(live), after)
    if owner in after:
        after[owner] = after[owner]._replace(time=now, raw=None)
    return Applied(new, after)


def _restore(new: Obj, live: Obj, name: str) -> None:
    if name in live:
        new[name] = live[name]
    else:
        new.pop(name, None)


def _conflicts(taken: dict[Owner, FieldSet]) -> Iterator[Conflict]:
    for owner, fields in taken.items():
        yield from (Conflict(owner, path) for path in fieldset.paths(fields))


def _client_side_applied(live: Obj, api_version: str, shape: Shape) -> FieldSet:
    """What client-side apply set and nobody has changed since: kubectl may take it over without a conflict."""
    text = (live.get("metadata", {}).get("annotations") or {}).get(LAST_APPLIED, "")
    try:
        last: Any = orjson.loads(text) if text else None
    except orjson.JSONDecodeError:
        return {}  # nobody can say what was applied, so nothing is allowed
    if not isinstance(last, dict) or last.get("apiVersion") != api_version:
        return {}
    found = compare(last, live, shape)
    return fieldset.difference(fieldset.difference(held(last, shape), found.written), found.removed)


def _keep_annotation(obj: Obj, config: Obj) -> None:
    """An object that client-side apply knows is told what was applied last, so that both may be used in turn."""
    about = obj["metadata"]
    if not (about.get("annotations") or {}).get(LAST_APPLIED):
        return
    shown = {**config, "metadata": dict(config["metadata"])}
    annotations = {k: v for k, v in (shown["metadata"].get("annotations") or {}).items() if k != LAST_APPLIED}
    if "annotations" in shown["metadata"]:
        shown["metadata"]["annotations"] = annotations
    text = orjson.dumps(shown, option=orjson.OPT_SORT_KEYS).decode() + "\n"
    obj["metadata"] = {**about, "annotations": {**about["annotations"], LAST_APPLIED: text}}

"""Who owns which fields of an object: `metadata.managedFields`, read, kept up to date, and written. Pure.

Not here: how an applied configuration is merged (`apply`), and who asks (the API server's `tracking`). The rules
are those of Kubernetes' documentation of field management; entries of another version of a kind are taken as if
they were of the version at hand, since kubelearn serves one version of each.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from kubelearn.api import fieldset
from kubelearn.api.comparing import compare
from kubelearn.api.fieldset import FieldSet, FieldSetError
from kubelearn.api.resource import Obj
from kubelearn.api.shape import Shape

APPLY, UPDATE = "Apply", "Update"
#: More entries of updates than this are merged, the oldest first.
MAX_UPDATERS = 10
ANCIENT = "ancient-changes"
BEFORE_FIRST_APPLY = "before-first-apply"

#: Nobody owns what the server keeps, or what says which object it is.
_STRIPPED: FieldSet = {
    "f:apiVersion": {},
    "f:kind": {},
    "f:metadata": {
        ".": {}, "f:clusterName": {}, "f:creationTimestamp": {}, "f:generation": {}, "f:managedFields": {},
        "f:name": {}, "f:namespace": {}, "f:resourceVersion": {}, "f:selfLink": {}, "f:uid": {},
    },
}  # fmt: skip


class Owner(NamedTuple):
    """What tells entries apart. An applier is the same in every version, so its `api_version` is empty."""

    manager: str
    operation: str
    api_version: str = ""
    subresource: str = ""

    def __str__(self) -> str:
        """As conflicts name it: `"kubectl" with subresource "scale" using apps/v1`."""
        shown = f'"{self.manager}"'
        if self.subresource:
            shown += f' with subresource "{self.subresource}"'
        return f"{shown} using {self.api_version}" if self.operation == UPDATE else shown


class Entry(NamedTuple):
    """`time` is empty where the entry has none; `raw` is the JSON it was read from, while that still holds."""

    api_version: str
    fields: FieldSet
    time: str = ""
    raw: Obj | None = None


Managed = dict[Owner, Entry]


def applier(manager: str, subresource: str = "") -> Owner:
    return Owner(manager, APPLY, "", subresource)


def updater(manager: str, api_version: str, subresource: str = "") -> Owner:
    return Owner(manager, UPDATE, api_version, subresource)


def stored(entries: Iterable[Obj]) -> Managed:
    """Entries that this server wrote."""
    found: Managed = {}
    for raw in entries:
        operation, version = raw["operation"], raw["apiVersion"]
        identity = Owner(
            raw.get("manager", ""), operation, "" if operation == APPLY else version, raw.get("subresource", "")
        )
        found[identity] = Entry(version, raw.get("fieldsV1", {}), raw.get("time", ""), raw)
    return found


def decode(entries: Any) -> Managed:
    """Entries as a client wrote them. Raises FieldSetError."""
    checked: list[Obj] = []
    for raw in entries or ():
        if not isinstance(raw, dict) or raw.get("operation") not in (APPLY, UPDATE):
            raise FieldSetError("the operation must be Apply or Update")
        if not raw.get("apiVersion") or raw.get("fieldsType") != "FieldsV1":
            raise FieldSetError("an entry needs an apiVersion and the fieldsType FieldsV1")
        checked.append({**raw, "fieldsV1": fieldset.in_order(fieldset.decode(raw.get("fieldsV1") or {}))})
    return stored(checked)


def is_reset(entries: Any) -> bool:
    """Whether a client asks to forget all owners: an empty list, or one empty entry."""
    return isinstance(entries, list) and (not entries or entries == [{}])


def encode(managed: Managed) -> list[Obj]:
    """As the API shows them: appliers first, then by time, then by manager."""
    found = sorted(managed.items(), key=_rank)
    return [entry.raw if entry.raw is not None else _encoded(owner, entry) for owner, entry in found]


def _rank(item: tuple[Owner, Entry]) -> tuple[str, ...]:
    owner, entry = item
    return owner.operation, entry.time, owner.manager, entry.api_version, owner.subresource


def _encoded(owner: Owner, entry: Entry) -> Obj:
    out: Obj = {"manager": owner.manager, "operation": owner.operation, "apiVersion": entry.api_version}
    if entry.time:
        out["time"] = entry.time
    out |= {"fieldsType": "FieldsV1", "fieldsV1": fieldset.in_order(entry.fields)}
    if owner.subresource:
        out["subresource"] = owner.subresource
    return out


def same_but_for_times(a: list[Obj], b: list[Obj]) -> bool:
    """Whether two lists of entries differ in nothing but when."""
    if len(a) != len(b):
        return False
    keyed = ({**stored(entries)} for entries in (a, b))
    one, other = keyed
    return one.keys() == other.keys() and all(
        entry.fields == other[owner].fields and entry.api_version == other[owner].api_version
        for owner, entry in one.items()
    )


def with_fields(managed: Managed, owner: Owner, fields: FieldSet) -> None:
    """Give an entry other fields, in place; one without any goes."""
    if not fields:
        managed.pop(owner, None)
    elif fields != managed[owner].fields:
        managed[owner] = managed[owner]._replace(fields=fields, raw=None)


def strip(fields: FieldSet, ignored: tuple[str, ...] = ()) -> FieldSet:
    """Without what nobody owns, and without the parts of the object that a write of this kind does not reach."""
    for name in ignored:
        if "f:" + name in fields:
            fields = {k: v for k, v in fields.items() if k != "f:" + name}
    return fieldset.difference(fields, _STRIPPED)


def update(
    old: Obj, new: Obj, shape: Shape, managed: Managed, owner: Owner, now: str, ignored: tuple[str, ...] = ()
) -> Managed:
    """The owners after a write that is no apply: what it added or changed is the writer's alone, what it removed
    is nobody's. `ignored` are the top-level fields that this kind of write does not reach."""
    found = compare(old, new, shape)
    written = strip(found.written, ignored)
    after = dict(managed)
    lost = fieldset.union(written, found.removed)
    if lost:
        for other, entry in managed.items():
            with_fields(after, other, fieldset.difference(entry.fields, lost))
    if written:
        mine = after.get(owner)
        fields = fieldset.union(written, mine.fields) if mine else written
        after[owner] = Entry(owner.api_version, fields, now)
    return _capped(after)


def _capped(managed: Managed) -> Managed:
    """Not more than ten entries of updates: the oldest of one version become one, under a name of its own."""
    updaters = [owner for owner in managed if owner.operation == UPDATE]
    surplus = len(updaters) - MAX_UPDATERS
    if surplus <= 0:
        return managed
    oldest_first = sorted(updaters, key=lambda owner: (managed[owner].time, owner))
    first_of: dict[str, Owner] = {}
    for owner in oldest_first:
        if surplus <= 0:
            break
        entry = managed[owner]
        bucket = updater(ANCIENT, entry.api_version)
        if entry.api_version not in first_of:
            first_of[entry.api_version] = owner
            continue
        if bucket not in managed:
            managed[bucket] = managed.pop(first_of[entry.api_version])
        fields = fieldset.union(entry.fields, managed[bucket].fields)
        managed[bucket] = Entry(entry.api_version, fields, entry.time)
        if owner != bucket:
            del managed[owner]
        surplus -= 1
    return managed

"""How a type merges, field by field: what server-side apply needs to know of a schema, and nothing else.

`atomic` values change as a whole; `struct` and `map` are merged by name, `keyed` lists by the keys of their
elements, `set` lists by value. `deduced` is what stands in where there is no schema (a custom resource): objects
merge, everything else is atomic. A shape is made when it is first reached, so recursive types cost nothing.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Literal

from kubelearn.api import definitions, fieldset, schema
from kubelearn.api.resource import Obj
from kubelearn.api.schema import Field, Type

Relation = Literal["atomic", "struct", "map", "keyed", "set", "deduced"]


class ShapeError(ValueError):
    """A list element without what it is told apart by; the text is structured-merge-diff's."""


class Shape:
    """`scalar` is the JSON kind that an atomic value must have: `string`, `number`, `boolean`, `list`, `map`,
    or empty for any."""

    __slots__ = ("_children", "_item", "_type", "defaults", "keys", "relation", "scalar")

    def __init__(
        self,
        relation: Relation,
        of: Type | None = None,
        keys: tuple[str, ...] = (),
        defaults: dict[str, Any] | None = None,
        scalar: str = "",
    ) -> None:
        self.relation: Relation = relation
        self.keys, self.defaults, self.scalar = keys, defaults or {}, scalar
        self._type = of
        self._children: dict[str, Shape | None] = {}
        self._item: Shape | None = None

    def child(self, name: str) -> Shape | None:
        """The shape under a name; None for a field that the type does not declare."""
        if self.relation == "struct":
            try:
                return self._children[name]
            except KeyError:
                found = self._type.fields.get(name) if self._type else None
                unknown = DEDUCED if self._type and self._type.preserves_unknown else None
                self._children[name] = made = _of_field(found) if found else unknown
                return made
        return self.item if self.relation == "map" else self

    def declares(self, name: str) -> bool:
        """Whether the name is a field of the type, not a key that somebody chose."""
        return self.relation == "struct" and self.child(name) is not None

    @property
    def item(self) -> Shape:
        """The shape of a map's values or of a list's elements."""
        if self._item is None:
            element = self._type.items if self._type else None
            self._item = of_type(element) if element is not None else DEDUCED
        return self._item

    def element(self, item: Any) -> str:
        """The path element of a list's element. Raises ShapeError."""
        if self.relation == "set":
            if isinstance(item, dict | list):
                raise ShapeError("associative list without keys has an element that's not a scalar")
            return fieldset.value(item)
        if not isinstance(item, dict):
            raise ShapeError("associative list with keys may not have non-map elements")
        found = {}
        for name in self.keys:
            given = item.get(name)
            if given is None:
                if name not in self.defaults:
                    raise ShapeError(
                        f'associative list with keys has an element that omits key field "{name}" '
                        "(and doesn't have default value)"
                    )
                given = self.defaults[name]
            found[name] = given
        return fieldset.key(found)


ATOMIC = Shape("atomic")
DEDUCED = Shape("deduced")
_SCALARS = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean"}


@cache
def of_kind(group: str, version: str, kind: str) -> Shape:
    found = schema.for_kind(group, version, kind)
    return DEDUCED if found is None else of_type(found)


@cache
def _named(name: str) -> Shape:
    return _make(schema.named(name), "", "", ())


def of_type(of: Type) -> Shape:
    return _named(of.name) if of.name else _make(of, "", "", ())


def _of_field(found: Field) -> Shape:
    of = found.type
    if not (found.list_type or found.map_type or found.patch_strategy) and of.name:
        return _named(of.name)
    list_type, keys = found.list_type, found.list_map_keys
    if not list_type and found.patch_strategy.startswith("merge"):
        list_type, keys = ("map", (found.patch_merge_key,)) if found.patch_merge_key else ("set", ())
    return _make(of, found.map_type, list_type, keys)


def _make(of: Type, map_type: str, list_type: str, keys: tuple[str, ...]) -> Shape:
    if of.go_kind == "any" and of.preserves_unknown:
        return DEDUCED
    if of.go_kind in ("object", "map"):
        if (map_type or of.map_type) == "atomic":
            return Shape("atomic", of, scalar="map")
        return Shape("struct" if of.go_kind == "object" else "map", of)
    if of.go_kind == "array":
        if list_type == "map":
            return Shape("keyed", of, keys, _defaults(of.items))
        return Shape("set", of) if list_type == "set" else Shape("atomic", of, scalar="list")
    return Shape("atomic", of, scalar=_SCALARS.get(of.go_kind, ""))


def _defaults(of: Type | None) -> dict[str, Any]:
    facts = definitions.facts().get(of.name, {}) if of is not None else {}
    return {name: fact["default"] for name, fact in facts.items() if "default" in fact}


@cache
def blank(group: str, version: str, kind: str) -> Obj:
    """What Go's encoder writes of an object that nobody has filled in: what a created object is compared with.
    Shared; do not change it."""
    out: Obj = {}
    found = schema.for_kind(group, version, kind)
    if found is not None:
        schema.complete(out, group, version, kind)
        _required_lists(out, found)
    return out


def _required_lists(value: Obj, of: Type) -> None:
    """Lists and maps that are always written are null while nobody has set them."""
    for name, found in of.fields.items():
        kind = found.type
        if kind.go_kind == "object" and isinstance(value.get(name), dict):
            value[name] = dict(value[name])
            _required_lists(value[name], kind)
        elif found.required and name not in value and kind.go_kind in ("array", "map", "object"):
            value[name] = None

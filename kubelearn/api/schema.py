"""Types of API objects, from the official definitions: what fields there are, how they merge, what they mean.

A `Type` is made when it is first reached, and keeps only structure; prose is read again when asked for.
Decoding (`check`, `normalize`), patches, OpenAPI and `explain` all work from these types.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from kubelearn.api import definitions
from kubelearn.api.definitions import Gvk
from kubelearn.api.resource import Obj, Resource

if TYPE_CHECKING:
    from kubelearn.api.decoding import Check

GoKind = Literal[
    "object", "map", "array", "string", "integer", "number", "boolean", "intOrString", "quantity", "schema", "any"
]

SCHEMA_PROPS = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps"
_SPECIAL: dict[str, GoKind] = {
    SCHEMA_PROPS + "OrArray": "schema",
    SCHEMA_PROPS + "OrBool": "schema",
    SCHEMA_PROPS + "OrStringArray": "schema",
    "io.k8s.apimachinery.pkg.api.resource.Quantity": "quantity",
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "intOrString",
    "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1": "any",
    "io.k8s.apimachinery.pkg.apis.meta.v1.Patch": "any",
    "io.k8s.apimachinery.pkg.runtime.RawExtension": "any",
}
_SCALARS: dict[str, GoKind] = {
    "string": "string", "integer": "integer", "number": "number", "boolean": "boolean", "array": "array",
}  # fmt: skip


class Field:
    """One field of an object type. `patch_strategy` is as in the definitions: `merge`, `replace`,
    `retainKeys`, `merge,retainKeys` or empty; `list_type` is `atomic`, `set`, `map` or empty."""

    __slots__ = (
        "_owner", "_ref", "_type", "enum", "list_map_keys", "list_type", "map_type", "name",
        "patch_merge_key", "patch_strategy", "required",
    )  # fmt: skip

    def __init__(self, owner: str, name: str, spec: Mapping[str, Any], required: bool) -> None:
        self._owner = owner
        self.name = name
        self.required = required
        self.patch_strategy: str = spec.get("x-kubernetes-patch-strategy", "")
        self.patch_merge_key: str = spec.get("x-kubernetes-patch-merge-key", "")
        self.list_type: str = spec.get("x-kubernetes-list-type", "")
        self.map_type: str = spec.get("x-kubernetes-map-type", "")
        self.list_map_keys: tuple[str, ...] = tuple(spec.get("x-kubernetes-list-map-keys", ()))
        self.enum: tuple[str, ...] = tuple(definitions.facts().get(owner, {}).get(name, {}).get("enum", ()))
        self._ref = definitions.referenced(spec)
        self._type = None if self._ref else Type("", spec)

    @property
    def type(self) -> Type:
        return self._type or named(self._ref)

    @property
    def description(self) -> str:
        spec = definitions.raw(self._owner)["properties"][self.name]
        return str(spec.get("description") or self.type.description)

    def __repr__(self) -> str:
        return f"Field({self.name}: {self.type.go_name})"


class Type:
    """A type. `fields` is empty unless `go_kind` is `object`; `items` is the element of an array or a map.
    `name` is that of the definition (`io.k8s.api.core.v1.PodSpec`), empty for one spelled in place."""

    __slots__ = ("_fields", "_items", "_items_ref", "format", "go_kind", "map_type", "name", "preserves_unknown")

    def __init__(self, name: str, spec: Mapping[str, Any]) -> None:
        self.name = name
        self.format: str = spec.get("format", "")
        self.map_type: str = spec.get("x-kubernetes-map-type", "")
        self.preserves_unknown: bool = spec.get("x-kubernetes-preserve-unknown-fields", False)
        self.go_kind: GoKind = _go_kind(name, spec)
        element = spec.get("items") or spec.get("additionalProperties") or {}
        self._items_ref = definitions.referenced(element)
        self._items = Type("", element) if element and not self._items_ref else None
        self._fields: dict[str, Field] = {}
        if self.go_kind == "object":
            required = set(spec.get("required", ()))
            self._fields = {key: Field(name, key, field, key in required) for key, field in spec["properties"].items()}

    @property
    def fields(self) -> Mapping[str, Field]:
        return self._fields

    @property
    def items(self) -> Type | None:
        return named(self._items_ref) if self._items_ref else self._items

    @property
    def inner(self) -> Type:
        """What a `schema` holds, if it is an object: a schema, which the definitions leave unsaid."""
        return named(SCHEMA_PROPS)

    @property
    def description(self) -> str:
        return str(definitions.raw(self.name).get("description", "")) if self.name else ""

    @property
    def is_time(self) -> bool:
        return self.format == "date-time"

    @property
    def go_name(self) -> str:
        """As Go's reflection spells the type: `v1.PodSpec`, `[]v1.Container`, `map[string]string`, `int32`."""
        if self.name:
            return ".".join(self.name.split(".")[-2:])
        match self.go_kind:
            case "array":
                return f"[]{self.items.go_name if self.items else 'interface {}'}"
            case "map":
                return f"map[string]{self.items.go_name if self.items else 'interface {}'}"
            case "integer":
                return self.format or "int64"
            case "number":
                return "float64"
            case "boolean":
                return "bool"
            case "string":
                return "[]uint8" if self.format == "byte" else "string"
            case _:
                return "interface {}"

    def lookup(self, path: Iterable[str]) -> Field | None:
        """The field at a path of names; lists and maps are stepped through, as in `pod.spec.containers.name`."""
        here, found = self, None
        for name in path:
            while here.go_kind == "array" and here.items is not None:
                here = here.items
            found = here.fields.get(name)
            if found is None:
                return None
            here = found.type
        return found

    def __repr__(self) -> str:
        return f"Type({self.go_name})"


def _go_kind(name: str, spec: Mapping[str, Any]) -> GoKind:
    if name in _SPECIAL:
        return _SPECIAL[name]
    kind = definitions.json_type(spec)
    if kind == "object":
        if "additionalProperties" in spec:
            return "map"
        return "object" if spec.get("properties") else "any"
    return _SCALARS.get(kind, "any")


@cache
def named(name: str) -> Type:
    """The type of a definition; raises KeyError for an unknown name."""
    return Type(name, definitions.raw(name))


def for_kind(group: str, version: str, kind: str) -> Type | None:
    """The type of a kind; None for what the release does not define (custom resources, say)."""
    name = definitions.name_of(group, version, kind)
    return named(name) if name else None


def known_kinds() -> list[Gvk]:
    """(group, version, kind) of everything the release defines, lists included."""
    return definitions.kinds()


def check(obj: Obj, group: str, version: str, kind: str) -> Check:
    """What a strict decoder of the API server finds wrong with the object's structure."""
    from kubelearn.api import decoding  # decoding builds on this module

    return decoding.decode(obj, for_kind(group, version, kind))[1]


def normalize(obj: Obj, group: str, version: str, kind: str) -> tuple[Obj, Check]:
    """The object as the server's decoder leaves it: without unknown fields, nulls and empty optional lists,
    with quantities, times and bytes in canonical form; and what `check` says. The argument is not changed."""
    from kubelearn.api import decoding

    return decoding.decode(obj, for_kind(group, version, kind))


def complete(obj: Obj, group: str, version: str, kind: str) -> None:
    """Write the zero values that Go's encoder writes for fields left out (`status: {}`, `resources: {}`,
    `lastProbeTime: null`), in place. For a server to call after defaulting."""
    from kubelearn.api import zero

    if (found := for_kind(group, version, kind)) is not None:
        zero.complete(obj, found)


def openapi_v3(group: str, version: str, resources: Iterable[Resource]) -> dict[str, Any]:
    """The OpenAPI v3 document of one group version."""
    from kubelearn.api import openapi

    return openapi.v3(group, version, resources)


def openapi_v2(resources: Iterable[Resource] = ()) -> dict[str, Any]:
    """The OpenAPI v2 document of everything; `openapi.v2_protobuf` encodes it for kubectl."""
    from kubelearn.api import openapi

    return openapi.v2(resources)

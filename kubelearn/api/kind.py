"""The descriptor that a kind's file exports as `KIND`: everything the server knows of it beyond its schema.

Structure, types and merge keys come from the official definitions (`api.schema`); a kind adds what these
cannot say: names, printer columns, defaults, validation, and what may change on an update.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kubelearn.api.resource import Obj, Resource

if TYPE_CHECKING:
    from kubelearn.api.crd.structure import Structure


@dataclass(frozen=True, slots=True)
class FieldError:
    """One `StatusCause`. `reason` is a FieldValueX constant; `message` is the whole text after the field path,
    e.g. `Required value`, `Invalid value: "x": must be …`, `Unsupported value: "y": supported values: "a", "b"`."""

    field: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the server-side Table. `cell` gives a JSON value from the object; `priority` > 0 is `-o wide`."""

    name: str
    cell: Callable[[Obj], Any]
    type: str = "string"
    format: str = ""
    description: str = ""
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Scale:
    """Where the scale subresource reads and writes, as dotted paths."""

    spec_replicas: str = "spec.replicas"
    status_replicas: str = "status.replicas"
    selector: str = "spec.selector"


@dataclass(frozen=True, slots=True)
class Conversion:
    """Of a kind that is another version of a stored one: which one, and the way there and back (on objects of any
    content, without changing them). `field_names` are those of field selectors that differ, as the stored kind
    has them."""

    stored: tuple[str, str]  # group and version; the plural is the same
    to_stored: Callable[[Obj], Obj]
    from_stored: Callable[[Obj], Obj]
    field_names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Part:
    """What may be written through a subresource of its own: `take` gives the old object with nothing else of the new
    one, `validate_update` says what may not change about it (new, old)."""

    take: Callable[[Obj, Obj], Obj]
    validate_update: Callable[[Obj, Obj], list[FieldError]]


def _nothing(_obj: Obj) -> None: ...
def _no_errors(_obj: Obj) -> list[FieldError]:
    return []


def _no_update_errors(_new: Obj, _old: Obj) -> list[FieldError]:
    return []


def _name_and_namespace(obj: Obj) -> Mapping[str, str]:
    meta = obj["metadata"]
    return {"metadata.name": meta.get("name", ""), "metadata.namespace": meta.get("namespace", "")}


def _spec(obj: Obj) -> Any:
    return obj.get("spec")


def _no_status_errors(_obj: Obj) -> list[FieldError]:
    return []


@dataclass(frozen=True, slots=True)
class Kind:
    """`default` fills in what real Kubernetes fills in, in place. `validate` sees the defaulted object;
    `validate_update` also the stored one. `prepare` runs on create (old None) and update, before validation:
    it drops or keeps what the strategy of the kind in Kubernetes does (status on create, say).

    With a `conversion` the kind is another version of a stored one, which then defaults, prepares and prints;
    its own `validate` says what that version asks for besides, of an object as it is stored.

    `generation_of` is what a new generation is counted for; `validate_status` sees an object whose status was written;
    `on_delete` marks one whose deletion begins. `structure` is that of a custom resource, where the official
    definitions have none."""

    resource: Resource
    columns: tuple[Column, ...] = ()
    default: Callable[[Obj], None] = _nothing
    validate: Callable[[Obj], list[FieldError]] = _no_errors
    validate_update: Callable[[Obj, Obj], list[FieldError]] = _no_update_errors
    prepare: Callable[[Obj, Obj | None], None] | None = None
    fields: Callable[[Obj], Mapping[str, str]] = _name_and_namespace
    has_status: bool = False
    has_generation: bool = False
    generation_of: Callable[[Obj], Any] = _spec
    validate_status: Callable[[Obj], list[FieldError]] = _no_status_errors
    on_delete: Callable[[Obj], None] | None = None
    scale: Scale | None = None
    parts: Mapping[str, Part] = field(default_factory=dict)
    create_on_update: bool = False
    #: Whether a PUT that names no resourceVersion overwrites whatever is there.
    unconditional_update: bool = True
    name_rule: str = "dns1123subdomain"  # dns1123subdomain | dns1123label | dns1035label | path-segment
    ttl_seconds: int = 0
    conversion: Conversion | None = None
    structure: Structure | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

"""Field management at the server's edge: who writes, and what becomes of `metadata.managedFields` in a write.

The rules are pure and in `api.managed_fields`; here are the request's part (`fieldManager`, User-Agent), the clock,
and what each kind of write reaches.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from kubelearn.api import errors, managed_fields, shape
from kubelearn.api.fieldset import FieldSetError
from kubelearn.api.kind import FieldError, Kind
from kubelearn.api.managed_fields import Managed
from kubelearn.api.resource import Obj
from kubelearn.client.transport import Request
from kubelearn.kit import clock

#: From the stored object, the new one and the entries stored to the entries to store; objects without any.
Track = Callable[[Obj, Obj, list[Obj]], list[Obj]]

_MAX_NAME = 128


def now() -> str:
    return clock.rfc3339(clock.utc_now())


def manager(request: Request) -> str:
    """The field manager that a request names, else the base name of the client's binary."""
    if given := request.param("fieldManager"):
        return given
    name = request.headers.get("user-agent", "").partition("/")[0]
    printable = next((name[:at] for at, c in enumerate(name) if not c.isprintable()), name)
    return printable.encode()[:_MAX_NAME].decode(errors="ignore")


def check_options(request: Request, options: str, *, applying: bool = False) -> None:
    """What `fieldManager` and `force` may be; `options` is the kind that is blamed. Raises ApiError 422."""
    problems = []
    given = request.param("fieldManager")
    if options == "PatchOptions" and not applying and request.params("force"):
        problems.append(
            FieldError("force", "FieldValueForbidden", "Forbidden: may not be specified for non-apply patch")
        )
    if applying and not given:
        problems.append(FieldError("fieldManager", "FieldValueRequired", "Required value: is required for apply patch"))
    if len(given.encode()) > _MAX_NAME:
        text = f"Too long: may not be more than {_MAX_NAME} bytes"
        problems.append(FieldError("fieldManager", "FieldValueTooLong", text))
    elif not given.isprintable():
        text = f"Invalid value: {_quoted(given)}: should only contain printable characters"
        problems.append(FieldError("fieldManager", "FieldValueInvalid", text))
    if problems:
        raise errors.invalid("meta.k8s.io", options, "", problems)


def _quoted(text: str) -> str:
    return '"' + text.encode("unicode_escape").decode().replace('"', '\\"') + '"'


def unreached(kind: Kind, subresource: str) -> tuple[str, ...]:
    """The top-level fields that a write through this path leaves alone."""
    if subresource == "status":
        return ("spec",)
    return ("status",) if kind.has_status else ()


def shape_of(kind: Kind) -> shape.Shape:
    if kind.structure is not None:
        return kind.structure.shape
    resource = kind.resource
    return shape.of_kind(resource.group, resource.version, resource.kind)


def blank_of(kind: Kind) -> Obj:
    resource = kind.resource
    return shape.blank(resource.group, resource.version, resource.kind)


def _given(entries: object) -> Managed:
    """What a client sent along; nothing where it is no list of entries, so that it deletes none by mistake."""
    try:
        return managed_fields.decode(entries) if isinstance(entries, list) else {}
    except FieldSetError:
        return {}


def created(request: Request, kind: Kind, obj: Obj, entries: object) -> list[Obj]:
    """The entries of a new object, defaulted but not yet admitted, which came with `entries`."""
    owner = managed_fields.updater(manager(request), kind.resource.api_version)
    given = _given(entries)
    ignored = unreached(kind, "")
    born = obj["metadata"]["creationTimestamp"]
    # A list without its keys may be valid, but nobody can be said to own it: Kubernetes passes such a write by, too.
    with contextlib.suppress(shape.ShapeError):
        given = managed_fields.update(blank_of(kind), obj, shape_of(kind), given, owner, born, ignored)
    return managed_fields.encode(given)


def updater(request: Request, kind: Kind, subresource: str, entries: object) -> Track:
    """For an update or a patch whose new object came with `entries`, which may say who owns what (kubectl does so
    to move objects to server-side apply) or, empty, that all is to be forgotten."""

    def track(old: Obj, new: Obj, stored: list[Obj]) -> list[Obj]:
        # Most writers send back what they have read, or nothing.
        given = {} if subresource or entries == stored else _given(entries)
        if not (given or stored) or (not subresource and managed_fields.is_reset(entries)):
            return []
        owner = managed_fields.updater(manager(request), kind.resource.api_version, subresource)
        before = given or managed_fields.stored(stored)
        ignored = unreached(kind, subresource)
        with contextlib.suppress(shape.ShapeError):  # as in `created`
            before = managed_fields.update(old, new, shape_of(kind), before, owner, now(), ignored)
        return managed_fields.encode(before)

    return track

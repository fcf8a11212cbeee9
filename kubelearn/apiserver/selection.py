"""Which objects a list, watch or deletecollection is about: namespace, labels, fields."""

from __future__ import annotations

import re
from dataclasses import dataclass

from kubelearn.api import errors, selectors
from kubelearn.api.kind import Kind
from kubelearn.api.resource import Obj
from kubelearn.client.transport import Request


@dataclass(frozen=True, slots=True)
class Selection:
    """`everything` lets a caller skip decoding."""

    labels: selectors.LabelSelector
    fields: selectors.FieldSelector
    kind: Kind

    @property
    def everything(self) -> bool:
        return self.labels.empty and self.fields.empty

    def matches(self, obj: Obj) -> bool:
        if not self.labels.matches(obj["metadata"].get("labels")):
            return False
        return self.fields.empty or self.fields.matches(self.kind.fields(obj))


def of(request: Request, kind: Kind) -> Selection:
    """Raises ApiError 400 for a selector that cannot be parsed or names a field that the kind has not."""
    try:
        labels = selectors.parse_label_selector(request.param("labelSelector"))
        fields = selectors.parse_field_selector(request.param("fieldSelector"))
    except ValueError as error:
        raise errors.bad_request(str(error)) from error
    if not fields.empty:
        known = kind.fields({"metadata": {}, "spec": {}, "status": {}, "involvedObject": {}})
        for requirement in fields.requirements:
            if requirement.field not in known:
                raise errors.bad_request(f"field label not supported: {requirement.field}")
    return Selection(labels, fields, kind)


def number(request: Request, name: str) -> int:
    """A query parameter that counts, 0 if absent; raises ApiError 400."""
    given = request.param(name)
    if not given:
        return 0
    return integer(given, "ParseInt", -(2**63), 2**63)


def revision(given: str) -> int:
    """A resourceVersion; raises ApiError 400."""
    try:
        return integer(given, "ParseUint", 0, 2**64)
    except errors.ApiError as error:
        raise errors.bad_request(f'resourceVersion: Invalid value: "{given}": {error.message}') from error


def integer(given: str, function: str, low: int, high: int) -> int:
    """What Go's strconv makes of a text, in its words; raises ApiError 400."""
    if re.fullmatch(r"[+-]?\d+" if low else r"\d+", given, re.ASCII) is None:
        raise errors.bad_request(f'strconv.{function}: parsing "{given}": invalid syntax')
    if len(given) > 30 or not low <= int(given) < high:
        raise errors.bad_request(f'strconv.{function}: parsing "{given}": value out of range')
    return int(given)

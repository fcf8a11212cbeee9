"""One version of a custom resource as the server sees it: decoded, defaulted, validated and merged by its schema."""

from __future__ import annotations

from functools import cached_property

from kubelearn.api import decoding, shape
from kubelearn.api.crd import embedded, lists, rules, validation, values
from kubelearn.api.decoding import Check
from kubelearn.api.definitions import PREFIX
from kubelearn.api.gonames import go_value
from kubelearn.api.kind import FieldError
from kubelearn.api.kinds import _read as r
from kubelearn.api.kinds._errors import MAX_INT32, Errors, invalid
from kubelearn.api.resource import Obj
from kubelearn.api.schema import Type

_STRING = {"type": "string"}
_TYPE_META = {
    "apiVersion": _STRING,
    "kind": _STRING,
    "metadata": {"$ref": f"{PREFIX}io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"},
}
_GO = {"string": "string", "boolean": "bool"}
_META = Type("", {"type": "object", "properties": _TYPE_META})


class Structure:
    """`schema` is the openAPIV3Schema as written, `scale` the scale subresource's paths, if there is one."""

    def __init__(self, schema: Obj, scale: Obj | None = None) -> None:
        self.schema = schema
        self._scale = scale or {}
        self._rules = rules.any_in(schema)

    def normalize(self, data: Obj) -> tuple[Obj, Check]:
        """The object without what its schema does not specify, and what was wrong with it. The argument may change."""
        about = {key: data[key] for key in _TYPE_META if key in data}
        decoded, check = decoding.decode(about, _META)
        obj = {**data, **decoded}
        check.unknown += [f'unknown field "{path}"' for path in values.prune(obj, self.schema, root=True)]
        return obj, check

    def default(self, obj: Obj) -> None:
        values.fill(obj, self.schema)

    def validate(self, obj: Obj) -> list[FieldError]:
        found = validation.problems(obj, self.schema) + self._replicas(obj)
        found += embedded.problems(obj, self.schema) + lists.problems(obj, self.schema)
        return found + ((rules.blocked(found) or rules.problems(obj, self.schema)) if self._rules else [])

    def validate_update(self, new: Obj, old: Obj) -> list[FieldError]:
        """The rules about `oldSelf`, of an object that is of the right shape."""
        if not self._rules or rules.blocked(validation.problems(new, self.schema)):
            return []
        return rules.problems(new, self.schema, old)

    def _replicas(self, obj: Obj) -> Errors:
        """What the scale subresource reads must be numbers of replicas."""
        out: Errors = []
        for path in (self._scale.get("specReplicasPath"), self._scale.get("statusReplicasPath")):
            found = r.at(obj, path.removeprefix(".")) if path else None
            if found is None:
                continue
            if not isinstance(found, int) or isinstance(found, bool):
                kind = "float64" if isinstance(found, float) else _GO.get(validation.kind_of(found), "interface {}")
                shown = f"{path} accessor error: {go_value(found)} is of the type {kind}, expected int64"
                out.append(invalid(str(path), 0, shown))
            elif found < 0:
                out.append(invalid(str(path), found, "should be a non-negative integer"))
            elif found > MAX_INT32:
                out.append(invalid(str(path), found, f"should be less than or equal to {MAX_INT32}"))
        return out

    @cached_property
    def shape(self) -> shape.Shape:
        """How objects merge in a server-side apply."""
        properties = {**(self.schema.get("properties") or {}), **_TYPE_META}
        return shape.of_type(Type("", {**self.schema, "properties": properties}))

"""Documentation of fields from the server's OpenAPI v3 documents, laid out as `kubectl explain` does. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any

from kubelearn.kubectl.failures import CommandError

Schema = dict[str, Any]
_WIDTH = 76
_SHOWN_ENUMS = 4


class Explanation:
    """One kind in one OpenAPI document."""

    def __init__(self, document: dict[str, Any], group: str, version: str, kind: str) -> None:
        self._schemas: dict[str, Schema] = document.get("components", {}).get("schemas", {})
        self.group, self.version, self.kind = group, version, kind
        self._root = self._find()

    def _find(self) -> Schema:
        for schema in self._schemas.values():
            for found in schema.get("x-kubernetes-group-version-kind") or []:
                if (found["group"], found["version"], found["kind"]) == (self.group, self.version, self.kind):
                    return schema
        raise CommandError(f"GVR (/{self.group}, {self.version}, {self.kind}) not found in OpenAPI schema")

    def head(self) -> str:
        group = f"GROUP:      {self.group}\n" if self.group else ""
        return f"{group}KIND:       {self.kind}\nVERSION:    {self.version}\n\n"

    def text(self, path: list[str], recursive: bool) -> str:
        """What follows the head. Raises CommandError for a field that there is not."""
        schema, name, field = self._root, "", self._root
        for name in path:
            field = self._properties(schema).get(name, {})
            if not field:
                raise CommandError(f'field "{path[-1]}" does not exist')
            schema = self._inner(field)
        lines: list[str] = []
        if name:
            lines.append(f"FIELD: {name} <{self._type(field)}>")
            enums = self._enum(field)
            lines += ["ENUM:", *(f"    {value}" for value in enums)] if enums else [""]
            lines.append("")
        lines += ["DESCRIPTION:", *self._description(field)]
        properties = self._properties(schema)
        if properties:
            lines.append("FIELDS:")
            lines += self._fields(schema, 1, recursive, frozenset()) if recursive else self._described(schema)
        return "\n".join(lines) + "\n\n"

    def _description(self, field: Schema) -> Iterator[str]:
        texts = [field.get("description", "")]
        target = self._target(field)
        if target is not None:
            texts.append(target.get("description", ""))
        texts = [t for t in texts if t]
        for text in texts:
            yield from _wrapped(text)
        yield "    " if texts else "    <empty>"

    def _described(self, schema: Schema) -> list[str]:
        lines: list[str] = []
        required = schema.get("required") or []
        for name, field in sorted(self._properties(schema).items()):
            lines += self._line(name, field, name in required, 1)
            text = field.get("description") or (self._target(field) or {}).get("description") or "<no description>"
            lines += [*_wrapped(text), ""]
        return lines

    def _fields(self, schema: Schema, level: int, recursive: bool, seen: frozenset[str]) -> list[str]:
        lines: list[str] = []
        required = schema.get("required") or []
        for name, field in sorted(self._properties(schema).items()):
            lines += self._line(name, field, name in required, level)
            inner, ref = self._inner(field), self._ref(field)
            if ref not in seen and self._properties(inner):
                lines += self._fields(inner, level + 1, recursive, seen | {ref} if ref else seen)
        return lines

    def _line(self, name: str, field: Schema, required: bool, level: int) -> list[str]:
        indent = "  " * level
        lines = [f"{indent}{name}\t<{self._type(field)}>" + (" -required-" if required else "")]
        enums = self._enum(field)
        if enums:
            more = ", ...." if len(enums) > _SHOWN_ENUMS else ""
            lines.append(f"{indent}enum: {', '.join(enums[:_SHOWN_ENUMS])}{more}")
        return lines

    def _enum(self, field: Schema) -> list[str]:
        values = field.get("enum") or (self._target(field) or {}).get("enum") or []
        return [str(value) or '""' for value in values]

    def _ref(self, field: Schema) -> str:
        """The name of the schema that a field (or its items, or values) refers to."""
        if "$ref" in field:
            return str(field["$ref"]).rsplit("/", 1)[-1]
        if len(field.get("allOf") or []) == 1:
            return self._ref(field["allOf"][0])
        for part in ("items", "additionalProperties"):
            if isinstance(field.get(part), dict):
                return self._ref(field[part])
        return ""

    def _target(self, field: Schema) -> Schema | None:
        return self._schemas.get(self._ref(field))

    def _inner(self, field: Schema) -> Schema:
        """The schema whose properties a path goes on with: through lists and maps."""
        target = self._target(field)
        if target is not None:
            return target
        for part in ("items", "additionalProperties"):
            if isinstance(field.get(part), dict):
                return self._inner(field[part])
        return field

    def _properties(self, schema: Schema) -> dict[str, Schema]:
        found: dict[str, Schema] = schema.get("properties") or {}
        return found

    def _type(self, field: Schema) -> str:
        if isinstance(field.get("items"), dict):
            return "[]" + self._type(field["items"])
        if isinstance(field.get("additionalProperties"), dict):
            return "map[string]" + self._type(field["additionalProperties"])
        if "$ref" not in field and len(field.get("allOf") or []) != 1:
            found = str(field.get("type", "object"))
            return "Object" if found == "object" else found
        target = self._target(field) or {}
        if target.get("type") in ("string", "integer", "boolean", "number") and "oneOf" not in target:
            return str(target["type"])
        return self._ref(field).rsplit(".", 1)[-1]


def _wrapped(text: str) -> Iterator[str]:
    for paragraph in text.split("\n"):
        lines = textwrap.wrap(paragraph, _WIDTH, break_long_words=False, break_on_hyphens=False)
        yield from (f"    {line}" for line in lines or [""])

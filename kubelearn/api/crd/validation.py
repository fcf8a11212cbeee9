"""An object against its structural schema, in the words of kube-openapi's validator.

Source: k8s.io/kube-openapi/pkg/validation (the texts), and how apiextensions-apiserver makes field errors of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from kubelearn.api.crd import formats
from kubelearn.api.kind import FieldError
from kubelearn.api.kinds._errors import invalid, required, too_long, type_invalid, unsupported
from kubelearn.api.resource import Obj

_INT_OR_STRING = "x-kubernetes-int-or-string"


def problems(value: Any, schema: Obj, path: str = "") -> list[FieldError]:
    """What is wrong with a value, outermost first."""
    return list(_problems(value, schema, path))


def _problems(value: Any, schema: Obj, path: str) -> Iterator[FieldError]:
    if value is None and schema.get("nullable"):
        return
    wrong = list(_type(value, schema, path))
    yield from wrong
    yield from _junctors(value, schema, path)
    if isinstance(value, str):
        yield from _string(value, schema, path)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield from _number(value, schema, path)
    elif isinstance(value, list):
        yield from _array(value, schema, path)
    if "enum" in schema and not any(_same(value, choice) for choice in schema["enum"]):
        yield unsupported(path or "<nil>", value, [c if isinstance(c, str) else _json(c) for c in schema["enum"]])
    if isinstance(value, dict):
        yield from _object(value, schema, path)


def _at(path: str, text: str) -> str:
    return f"{path} in body {text}"


def _invalid(path: str, value: Any, text: str) -> FieldError:
    return invalid(path or "<nil>", value, _at(path, text))


def _json(value: Any) -> str:
    import orjson

    return orjson.dumps(value).decode()


def _same(value: Any, choice: Any) -> bool:
    return bool(value == choice) and isinstance(value, bool) == isinstance(choice, bool)


# ---- types


def kind_of(value: Any) -> str:
    """The OpenAPI type of a JSON value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, str):
        return "string"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float):
        return "integer" if value.is_integer() else "number"
    return "array" if isinstance(value, list) else "object"


def _type(value: Any, schema: Obj, path: str) -> Iterator[FieldError]:
    if schema.get(_INT_OR_STRING):
        wanted = ["integer", "string"]
    elif schema.get("type"):
        wanted = [schema["type"]]
    else:
        return
    kind, form = kind_of(value), schema.get("format", "")
    if kind in wanted or (kind == "integer" and "number" in wanted):
        if form and kind == "string" and not formats.fits(form, value):
            text = f'must be of type {form}: "{value}"'
            yield type_invalid(path or "<nil>", value, _at(path, text))
        return
    text = f'must be of type {",".join(wanted)}: "{kind}"'
    yield type_invalid(path or "<nil>", kind, _at(path, text))


# ---- values


def _string(value: str, schema: Obj, path: str) -> Iterator[FieldError]:
    longest, shortest = schema.get("maxLength"), schema.get("minLength")
    if longest is not None and len(value) > longest:
        yield too_long(path or "<nil>", longest)
    if shortest is not None and len(value) < shortest:
        yield _invalid(path, value, f"should be at least {shortest} chars long")
    pattern = schema.get("pattern")
    if pattern and not re.search(pattern, value):
        yield _invalid(path, value, f"should match '{pattern}'")


def _number(value: float, schema: Obj, path: str) -> Iterator[FieldError]:
    of, most, least = schema.get("multipleOf"), schema.get("maximum"), schema.get("minimum")
    if of and value % of:
        yield _invalid(path, value, f"should be a multiple of {_g(of)}")
    if most is not None:
        strict = schema.get("exclusiveMaximum")
        if value > most or (strict and value == most):
            yield _invalid(path, value, f"should be less than {'' if strict else 'or equal to '}{_g(most)}")
    if least is not None:
        strict = schema.get("exclusiveMinimum")
        if value < least or (strict and value == least):
            yield _invalid(path, value, f"should be greater than {'' if strict else 'or equal to '}{_g(least)}")


def _g(number: float) -> str:
    """As Go's %v writes a float64."""
    return str(int(number)) if float(number).is_integer() and abs(number) < 1e21 else repr(float(number))


def _array(value: list[Any], schema: Obj, path: str) -> Iterator[FieldError]:
    for index, item in enumerate(value):
        if isinstance(schema.get("items"), dict):
            yield from _problems(item, schema["items"], f"{path}[{index}]")
    least, most = schema.get("minItems"), schema.get("maxItems")
    if least is not None and len(value) < least:
        yield _invalid(path, len(value), f"should have at least {least} items")
    if most is not None and len(value) > most:
        yield _too_many(path, len(value), most)


def _too_many(path: str, found: int, most: int) -> FieldError:
    return FieldError(path or "<nil>", "FieldValueTooMany", f"Too many: {found}: must have at most {most} items")


def _object(value: Obj, schema: Obj, path: str) -> Iterator[FieldError]:
    least, most = schema.get("minProperties"), schema.get("maxProperties")
    if least is not None and len(value) < least:
        yield _invalid(path, len(value), f"should have at least {least} properties")
    if most is not None and len(value) > most:
        yield _too_many(path, len(value), most)
    properties, others = schema.get("properties") or {}, schema.get("additionalProperties")
    for key in sorted(value):
        inner = properties.get(key, others if isinstance(others, dict) else None)
        if inner is not None:
            yield from _problems(value[key], inner, f"{path}.{key}" if path else key)
    for key in schema.get("required") or ():
        if key not in value:
            yield required(f"{path}.{key}" if path else key)


# ---- allOf, anyOf, oneOf, not


def _fits(value: Any, path: str) -> Callable[[Obj], bool]:
    return lambda schema: next(_problems(value, schema, path), None) is None


def _junctors(value: Any, schema: Obj, path: str) -> Iterator[FieldError]:
    where, fits = path or "<nil>", _fits(value, path)
    if schema.get("anyOf") and not schema.get(_INT_OR_STRING) and not any(map(fits, schema["anyOf"])):
        yield invalid(where, "", f'"{path}" must validate at least one schema (anyOf)')
        yield from _nearest(value, schema["anyOf"], path)
    if schema.get("oneOf"):
        count = sum(map(fits, schema["oneOf"]))
        if count != 1:
            found = "valid" if count else "none valid"
            text = f'"{path}" must validate one and only one schema (oneOf). Found {f"{count} {found}" if count else found}'
            yield invalid(where, "", text + (" alternatives" if count else ""))
            if not count:
                yield from _nearest(value, schema["oneOf"], path)
    if schema.get("allOf") and not schema.get(_INT_OR_STRING):
        wrong = [problem for inner in schema["allOf"] for problem in _problems(value, inner, path)]
        if wrong:
            yield from wrong
            yield invalid(where, "", f'"{path}" must validate all the schemas (allOf)')
    if schema.get("not") and fits(schema["not"]):
        yield invalid(where, "", f'"{path}" must not validate the schema (not)')


def _nearest(value: Any, choices: list[Obj], path: str) -> list[FieldError]:
    """What is wrong by the alternative that fails least."""
    return min((problems(value, choice, path) for choice in choices), key=len)

"""Request bodies: JSON or YAML to an object of the kind that the path asks for, decoded as strictly as asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import orjson

from kubelearn.api import decoding, errors, gojson, protobuf, schema
from kubelearn.api.kind import Kind
from kubelearn.api.resource import Obj, Resource
from kubelearn.client.transport import Request

#: Levels left for what is put around a body: lists, tables, events, a patch's target.
_ROOM = 60
_MAX_NODES = 1_000_000
_ACCEPTED = "application/json, application/yaml, application/vnd.kubernetes.protobuf"


@dataclass(slots=True)
class Decoded:
    """`warnings` become Warning headers."""

    obj: Obj
    warnings: list[str] = field(default_factory=list)


def media_type(request: Request) -> str:
    return request.headers.get("content-type", "application/json").partition(";")[0].strip()


def _is_json(kind: str) -> bool:
    return kind in ("application/json", "", "application/x-www-form-urlencoded", "text/plain") or kind.endswith("+json")


def parse(request: Request) -> Any:
    """The body as data; raises ApiError 400 or 415."""
    kind = media_type(request)
    if _is_json(kind):
        try:
            return bounded(orjson.loads(request.body))
        except orjson.JSONDecodeError as error:
            why = gojson.syntax_error(request.body, error)
            raise errors.bad_request(f"couldn't get version/kind; json parse error: {why}") from error
    if kind == protobuf.MEDIA_TYPE:
        try:
            return bounded(protobuf.decode(request.body))
        except protobuf.ProtobufError as error:
            raise errors.bad_request(str(error)) from error
    if kind == "application/yaml":
        return parse_yaml(request.body)
    raise errors.unsupported_media_type(
        f"the body of the request was in an unknown format - accepted media types include: {_ACCEPTED}"
    )


def bounded(data: Any) -> Any:
    """The same; raises ApiError 400 for data nested so deeply that what wraps and walks it later might not bear it."""
    around = data
    for _ in range(_ROOM):
        around = [around]
    try:
        orjson.dumps(around)  # which goes 254 levels deep and no further
    except orjson.JSONEncodeError as error:
        raise errors.bad_request("json: exceeded max depth") from error
    return data


def parse_yaml(text: bytes, what: str = "error converting YAML to JSON") -> Any:
    """A YAML document as JSON values: a date stays the string it is written as. Raises ApiError 400."""
    import yaml

    try:
        # Through JSON, which has no keys but strings, no bytes or sets, and nothing that contains itself.
        found = yaml.load(text, _yaml_loader())
        if b"*" in text and _expanded(found, {}) > _MAX_NODES:
            raise errors.bad_request(f"{what}: yaml: document contains excessive aliasing")
        return bounded(orjson.loads(orjson.dumps(found, option=orjson.OPT_NON_STR_KEYS)))
    except (yaml.YAMLError, orjson.JSONEncodeError, ValueError, RecursionError) as error:
        # Values that have a YAML tag and not its form, keys that cannot be hashed, anchors within themselves.
        raise errors.bad_request(f"{what}: {error}") from error


def _expanded(value: Any, known: dict[int, int]) -> int:
    """How many values there are once every alias is written out; what contains itself is endless."""
    if not isinstance(value, dict | list):
        return 1
    if id(value) not in known:
        known[id(value)] = _MAX_NODES
        inner = value.values() if isinstance(value, dict) else value
        known[id(value)] = 1 + sum(_expanded(item, known) for item in inner)
    return known[id(value)]


@cache
def _yaml_loader() -> Any:
    import yaml

    class Loader(yaml.CSafeLoader):
        pass

    Loader.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in found if tag != "tag:yaml.org,2002:timestamp"]
        for first, found in yaml.CSafeLoader.yaml_implicit_resolvers.items()
    }
    return Loader


def duplicate_keys(text: bytes) -> list[str]:
    """What goyaml says of keys that a document, JSON or YAML, gives twice; it must have been parsed before."""
    import json

    class Twice(Exception):
        pass

    def once(pairs: list[tuple[str, Any]]) -> None:
        if len({key for key, _ in pairs}) < len(pairs):
            raise Twice

    try:
        json.loads(text, object_pairs_hook=once)
    except (ValueError, Twice):  # YAML, or a duplicate whose line is wanted
        import yaml

        return list(_duplicates(yaml.compose(text, _yaml_loader())))
    return []


def _duplicates(node: Any) -> Iterator[str]:
    if node.id == "sequence":
        for item in node.value:
            yield from _duplicates(item)
    elif node.id == "mapping":
        seen = set()
        for key, item in node.value:
            if key.value in seen:
                yield f'line {key.start_mark.line + 1}: key "{key.value}" already set in map'
            seen.add(key.value if key.id == "scalar" else id(key))
            yield from _duplicates(item)


def decode(request: Request, kind: Kind) -> Decoded:
    """The object in the body; raises ApiError 400 when it is another kind, or not well formed."""
    data = parse(request)
    if not isinstance(data, dict):
        raise errors.bad_request(
            "couldn't get version/kind; json parse error: json: cannot unmarshal "
            f"{decoding.json_kind(data)} into Go value of type struct "
            '{ APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'
        )
    if kind.structure is not None and data.get("apiVersion") not in (None, "", kind.resource.api_version):
        raise errors.bad_request(
            f"the API version in the data ({data['apiVersion']}) does not match the expected API version "
            f"({kind.resource.api_version})"
        )
    check_kind(data, kind.resource)
    return check(data, kind, request, _given_twice(request, data))


def _given_twice(request: Request, data: Any) -> list[str]:
    """What strict decoding says of keys that a body gives twice."""
    media = media_type(request)
    if request.param("fieldValidation") == "Ignore" or media == protobuf.MEDIA_TYPE:
        return []
    if _is_json(media):
        return gojson.duplicate_fields(request.body, data)
    found = duplicate_keys(request.body)
    return ["yaml: unmarshal errors:\n  " + "\n  ".join(found)] if found else []


def check_kind(data: Obj, resource: Resource) -> None:
    """The kind that a body names, filled in where it names none. Raises ApiError 400 for another one."""
    for key, known in (("apiVersion", resource.api_version), ("kind", resource.kind)):
        if data.get(key) in (None, ""):
            data[key] = known
    given, version = data["kind"], data["apiVersion"]
    if (version, given) == (resource.api_version, resource.kind):
        return
    for key in ("kind", "apiVersion"):
        if not isinstance(data[key], str):
            raise errors.bad_request(
                "couldn't get version/kind; json parse error: json: cannot unmarshal "
                f"{decoding.json_kind(data[key])} into Go struct field .{key} of type string"
            )
    raise errors.bad_request(
        f'{given} in version "{version.rpartition("/")[2]}" cannot be handled as a '
        f'{resource.kind}: no kind "{given}" is registered for version "{version}"'
        if given != resource.kind
        else f'{resource.kind} in version "{resource.version}" cannot be handled as a {resource.kind}: no kind '
        f'"{resource.kind}" is registered for version "{version}" in scheme '
        '"pkg/api/legacyscheme/scheme.go:30"'
    )


def check(data: Obj, kind: Kind, request: Request, twice: Iterable[str] = ()) -> Decoded:
    """Structure and unknown fields, as `fieldValidation` asks (Warn by default); `twice` are complaints of the same
    sort that are known already."""
    resource = kind.resource
    if kind.structure is not None:
        obj, found = kind.structure.normalize(data)
    else:
        obj, found = schema.normalize(data, resource.group, resource.version, resource.kind)
    if found.errors:
        found = _exactly(found, data, kind, request)
        raise errors.bad_request(found.message(resource.kind, resource.version))
    found.unknown += twice
    how = request.param("fieldValidation") or "Warn"
    if found.unknown and how == "Strict":
        raise errors.bad_request(found.message(resource.kind, resource.version))
    if not isinstance(obj.get("metadata"), dict):
        obj["metadata"] = {}
    return Decoded(obj, [text.replace("\n", " ") for text in found.unknown] if how == "Warn" else [])


def _exactly(found: decoding.Check, data: Obj, kind: Kind, request: Request) -> decoding.Check:
    """The same type error about the number that the client wrote: integers beyond 64 bits were read as floats."""
    if "number" not in found.errors[0] or request.method == "PATCH" or not _is_json(media_type(request)):
        return found
    exact = gojson.exact_numbers(request.body)
    if not isinstance(exact, dict):
        return found
    resource = kind.resource
    return schema.normalize({**data, **exact}, resource.group, resource.version, resource.kind)[1]

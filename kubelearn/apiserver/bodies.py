"""Request bodies: JSON or YAML to an object of the kind that the path asks for, decoded as strictly as asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import orjson

from kubelearn.api import decoding, errors, protobuf, schema
from kubelearn.api.kind import Kind
from kubelearn.api.resource import Obj
from kubelearn.client.transport import Request

_ACCEPTED = "application/json, application/yaml, application/vnd.kubernetes.protobuf"


@dataclass(slots=True)
class Decoded:
    """`warnings` become Warning headers."""

    obj: Obj
    warnings: list[str] = field(default_factory=list)


def media_type(request: Request) -> str:
    return request.headers.get("content-type", "application/json").partition(";")[0].strip()


def parse(request: Request) -> Any:
    """The body as data; raises ApiError 400 or 415."""
    kind = media_type(request)
    if kind in ("application/json", "", "application/x-www-form-urlencoded", "text/plain") or kind.endswith("+json"):
        try:
            return orjson.loads(request.body)
        except orjson.JSONDecodeError as error:
            raise errors.bad_request(f"couldn't get version/kind; json parse error: {error}") from error
    if kind == protobuf.MEDIA_TYPE:
        try:
            return protobuf.decode(request.body)
        except protobuf.ProtobufError as error:
            raise errors.bad_request(str(error)) from error
    if kind == "application/yaml":
        return parse_yaml(request.body)
    raise errors.unsupported_media_type(
        f"the body of the request was in an unknown format - accepted media types include: {_ACCEPTED}"
    )


def parse_yaml(text: bytes, what: str = "error converting YAML to JSON") -> Any:
    """A YAML document as JSON values: a date stays the string it is written as. Raises ApiError 400."""
    import yaml

    try:
        # Through JSON, which has no keys but strings, no bytes or sets, and nothing that contains itself.
        return orjson.loads(orjson.dumps(yaml.load(text, _yaml_loader()), option=orjson.OPT_NON_STR_KEYS))
    except (yaml.YAMLError, orjson.JSONEncodeError) as error:
        raise errors.bad_request(f"{what}: {error}") from error


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
    resource = kind.resource
    if not isinstance(data, dict):
        raise errors.bad_request(
            "couldn't get version/kind; json parse error: json: cannot unmarshal "
            f"{decoding.json_kind(data)} into Go value of type struct "
            '{ APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'
        )
    data.setdefault("apiVersion", resource.api_version)
    data.setdefault("kind", resource.kind)
    if kind.structure is not None and data["apiVersion"] != resource.api_version:
        raise errors.bad_request(
            f"the API version in the data ({data['apiVersion']}) does not match the expected API version "
            f"({resource.api_version})"
        )
    if (data["apiVersion"], data["kind"]) != (resource.api_version, resource.kind):
        raise errors.bad_request(
            f'{data["kind"]} in version "{str(data["apiVersion"]).rpartition("/")[2]}" cannot be handled as a '
            f'{resource.kind}: no kind "{data["kind"]}" is registered for version "{data["apiVersion"]}"'
            if data["kind"] != resource.kind
            else f'{resource.kind} in version "{resource.version}" cannot be handled as a {resource.kind}: no kind '
            f'"{resource.kind}" is registered for version "{data["apiVersion"]}" in scheme '
            '"pkg/api/legacyscheme/scheme.go:30"'
        )
    return check(data, kind, request)


def check(data: Obj, kind: Kind, request: Request) -> Decoded:
    """Structure and unknown fields, as `fieldValidation` asks (Warn by default)."""
    resource = kind.resource
    if kind.structure is not None:
        obj, found = kind.structure.normalize(data)
    else:
        obj, found = schema.normalize(data, resource.group, resource.version, resource.kind)
    if found.errors:
        raise errors.bad_request(found.message(resource.kind, resource.version))
    how = request.param("fieldValidation") or "Warn"
    if found.unknown and how == "Strict":
        raise errors.bad_request(found.message(resource.kind, resource.version))
    if not isinstance(obj.get("metadata"), dict):
        obj["metadata"] = {}
    return Decoded(obj, list(found.unknown) if how == "Warn" else [])

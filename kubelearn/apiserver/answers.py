"""From stored objects to Responses, in the form that the client accepts."""

from __future__ import annotations

from typing import Any

import orjson

from kubelearn.api.kind import Kind
from kubelearn.api.table import partial_metadata
from kubelearn.apiserver import codec, negotiation, shapes
from kubelearn.apiserver.call import Call
from kubelearn.client.transport import Request, Response
from kubelearn.store.interface import KeyValue

JSON = {"content-type": "application/json"}
TEXT = {"content-type": "text/plain; charset=utf-8"}


def no_such_page() -> Response:
    """What an unknown path answers: no Status but Go's own words."""
    return Response(404, TEXT, b"404 page not found\n")


def json_response(obj: Any, status: int = 200) -> Response:
    return Response(status, JSON, orjson.dumps(obj))


def as_accepted(request: Request, answer: Response) -> Response:
    """JSON turned to YAML for a client that prefers it; streams and other media stay what they are."""
    accept = request.headers.get("accept", "")
    if "yaml" not in accept or answer.stream is not None or answer.headers.get("content-type") != negotiation.JSON:
        return answer
    found = negotiation.choice(accept)
    if found is None or found.media != negotiation.YAML or not answer.body:
        return answer
    import yaml

    text = yaml.dump(orjson.loads(answer.body), Dumper=yaml.CSafeDumper, sort_keys=True, allow_unicode=True)
    return Response(answer.status, {**answer.headers, "content-type": negotiation.YAML}, text.encode())


def object_response(call: Call, kind: Kind, kv: KeyValue, status: int = 200) -> Response:
    """One object in the form that the client accepts."""
    form = shapes.wanted(call.request)
    if not form:
        data = codec.splice(kv) if kv.mod_revision else kv.value.replace(b"\x00", b"", 1)
        return Response(status, JSON, data)
    obj = codec.decode(kv)
    if form == "Table":
        about = {"resourceVersion": obj["metadata"]["resourceVersion"]}
        return json_response(shapes.as_table(call.request, kind, [obj], about), status)
    return json_response(partial_metadata(obj), status)

"""Requests around a body: paths, queries, headers, and bodies that are nothing."""

from __future__ import annotations

import gzip

import pytest
from fuzz.judge import TIMES, Fuzzed, encoded, path_of, tries
from fuzz.samples import SAMPLES, sample
from fuzz.strategies import junk, odd, selectors
from hypothesis import given
from hypothesis import strategies as st

from kubelearn.api import quantity
from kubelearn.apiserver.registry import Registry

pytestmark = pytest.mark.timeout(300 * TIMES)
KINDS = sorted(SAMPLES)
PATHS = sorted({k.resource.path("default" if k.resource.namespaced else "") for k in Registry().kinds.values()})
OUTSIDE = (
    "/", "/api", "/api/", "/api/v1", "/apis", "/apis/apps", "/apis/apps/v1", "/apis/nope/v1", "/version", "/healthz",
    "/readyz/etcd", "/livez/nope", "/openapi/v2", "/openapi/v3", "/openapi/v3/apis/apps/v1", "/openapi/v3/x", "/metrics",
    "/apis/kubelearn.dev/v1alpha1/gates", "/apis/kubelearn.dev/v1alpha1/spans", "/apis/kubelearn.dev/v1alpha1/gates/x",
    "/.well-known/openid-configuration", "/logs", "/swagger.json", "/apis/kubelearn.dev/v1alpha1/gates/x/step",
)  # fmt: skip
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "get", "BREW")
PARAMETERS = (
    "limit", "continue", "labelSelector", "fieldSelector", "resourceVersion", "resourceVersionMatch", "watch", "pretty",
    "gracePeriodSeconds", "propagationPolicy", "orphanDependents", "fieldValidation", "includeObject", "fieldManager",
    "force", "dryRun", "timeoutSeconds", "allowWatchBookmarks", "sendInitialEvents", "timeout", "container", "tailLines",
    "sinceTime", "command", "ports", "as", "",
)  # fmt: skip
HEADERS = (
    "accept",
    "content-type",
    "user-agent",
    "traceparent",
    "tracestate",
    "baggage",
    "impersonate-user",
    "kubectl-command",
)
MEDIA = (
    "application/json", "application/yaml", "application/vnd.kubernetes.protobuf", "application/cbor", "text/plain", "*/*",
    "application/json;as=Table;v=v1;g=meta.k8s.io", "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io",
    "application/json;as=;q=x", ";;=,;,", "application/json; charset=utf-16", "application/json-patch+json",
    "application/merge-patch+json", "application/strategic-merge-patch+json", "application/apply-patch+yaml",
    "application/json;stream=watch", "image/png",
)  # fmt: skip

VALUES = (
    "0", "1", "-1", "true", "false", "x", "²", "٣", "--5", "9" * 30, "0x10", "1e3", "All", "NotOlderThan", "Exact", "Strict",
    "Background", "e30=", "bnVsbA==", "WzFd", "eyJydiI6MSwic3RhcnQiOiIvIn0=", "a/b", "Object", "None",
)  # fmt: skip
values = st.sampled_from(VALUES) | st.text(max_size=6)
segments = st.sampled_from(
    ["default", "x", "a.b", "..", "%2e", " ", "", "status", "scale", "proxy", "log", "\x00", "💥"]
)
text = st.text(max_size=8)


@tries(600)
@given(
    st.sampled_from(METHODS),
    st.sampled_from([*PATHS, *OUTSIDE]),
    st.lists(segments, max_size=4),
    st.lists(st.tuples(st.sampled_from(PARAMETERS), values | selectors), max_size=4),
    st.dictionaries(st.sampled_from(HEADERS), st.sampled_from(MEDIA) | text, max_size=3),
    st.sampled_from([b"", b"{}", b"null", b"[]"]),
)
async def test_requests(
    fuzzed: Fuzzed, method: str, path: str, more: list[str], query: list[tuple[str, str]], headers: dict[str, str],
    body: bytes,
) -> None:  # fmt: skip
    await fuzzed.clean()
    path = "/".join([path, *more])
    status, _ = await fuzzed(method, path, body, query, headers)
    assert 200 <= status < 500


@tries(400)
@given(st.sampled_from(PATHS), selectors, selectors)
async def test_selectors(fuzzed: Fuzzed, path: str, labels: str, fields: str) -> None:
    found = [("labelSelector", labels), ("fieldSelector", fields)]
    for query in (found[:1], found[1:], [*found, ("watch", "1"), ("timeoutSeconds", "1")]):
        assert (await fuzzed("GET", path, None, query))[0] in (200, 400, 405)


def _wrapped(data: bytes) -> bytes:
    return b"k8s\x00" + data


TEXTS = (
    b"\xff\xfe{\x00}\x00", b'{"a":NaN}', b'{"metadata":{"name":1e400}}', b'"\\ud800"', b"a: *a", b"a: &a [*a]",
    b"? {a: b}\n: c", b"--- a\n--- b", b"%TAG ! x", b"!!python/object:os.system {}", b"!!binary x", b"2026-01-01: x",
    b"a: &a [x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]", b"a: 1e999", b"a: .nan",
    b"a: !!set {b}",
)  # fmt: skip
binary = st.binary(max_size=60)
bodies = (
    binary | binary.map(_wrapped) | binary.map(gzip.compress) | junk.map(encoded) | st.text(max_size=30).map(str.encode)
    | st.tuples(junk.map(encoded), st.integers(0, 40)).map(lambda pair: pair[0][: pair[1]])
    | st.integers(1, 4000).map(lambda depth: b"[" * depth) | st.integers(1, 1020).map(lambda n: b'{"spec":' * n + b"1" + b"}" * n)
    | st.sampled_from(TEXTS)
)  # fmt: skip


@tries(600)
@given(
    st.sampled_from(("POST", "PUT", "PATCH", "DELETE")),
    st.sampled_from(PATHS),
    st.sampled_from(["", "/x", "/x/status"]),
    st.sampled_from(MEDIA),
    bodies,
)
async def test_bodies_that_are_nothing(
    fuzzed: Fuzzed, method: str, path: str, more: str, media: str, body: bytes
) -> None:
    await fuzzed.clean()
    query = [("fieldManager", "m"), ("force", "1")] if "apply" in media else []
    status, _ = await fuzzed(method, path + more, body, query, {"Content-Type": media})
    assert status < 500


@tries(200)
@given(st.sampled_from(KINDS), st.integers(0, 400), st.binary(min_size=1, max_size=3))
async def test_protobuf(fuzzed: Fuzzed, which: tuple[str, str], at: int, patch: bytes) -> None:
    """Bytes of a message, changed: a header of a real object and anything after it."""
    api_version, kind = which
    await fuzzed.clean()
    names = bytes([10, len(api_version)]) + api_version.encode() + bytes([18, len(kind)]) + kind.encode()
    meta = b"\x0a\x03\x0a\x01x" + b"\x12\x08\x0a\x02\x08\x01\x12\x02\x0a\x00"
    message = b"k8s\x00" + bytes([10, len(names)]) + names + bytes([18, len(meta)]) + meta
    at %= len(message) + 1
    body = message[:at] + patch + message[at + len(patch) :]
    media = {"Content-Type": "application/vnd.kubernetes.protobuf"}
    assert (await fuzzed("POST", path_of(fuzzed, sample(*which)), body, headers=media))[0] < 500


@tries(1500)
@given(st.text(alphabet="0123456789.eE+-numkKMGTPi ²٣", max_size=9) | st.floats() | st.integers() | odd)
def test_quantities(value: object) -> None:
    """Either a ValueError or a canonical form, which is the canonical form of itself and as much."""
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        return
    try:
        written = quantity.canonical(value)
    except ValueError:
        return
    assert quantity.canonical(written) == written
    assert quantity.compare(value, written) == 0

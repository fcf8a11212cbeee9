"""What unusual HTTP clients send, byte by byte, and what they are told: never 500, never a traceback in the log."""

from __future__ import annotations

import asyncio
import gzip
import logging

import orjson
import pytest
import yaml
from apiserver.conftest import Secure
from support.api import NS, TOKEN, Api, configmap

MAPS = f"{NS}/configmaps"
BODY = orjson.dumps(configmap("z"))
JSON = "Content-Type: application/json"


async def exchange(secure: Secure, raw: bytes) -> bytes:
    """All that comes back before the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", secure.site.port, ssl=secure.client_tls())
    writer.write(raw)
    try:
        async with asyncio.timeout(20):
            return await reader.read()
    finally:
        writer.close()


def request(line: str, *headers: str, body: bytes = b"", token: str = TOKEN, last: bool = True) -> bytes:
    lines = [f"{line} HTTP/1.1", "Host: x", f"Authorization: Bearer {token}", *headers]
    lines += [f"Content-Length: {len(body)}"] if body else []
    lines += ["Connection: close"] if last else []
    return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogateescape") + body


async def ask(secure: Secure, raw: bytes) -> tuple[int, dict[str, str], bytes]:
    head, _, body = (await exchange(secure, raw)).partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
    return int(first.split()[1]), headers, body


@pytest.mark.parametrize(
    ("raw", "status", "says"),
    [
        (request(f"OPTIONS {MAPS}"), 405, "does not allow this method"),
        (request(f"TRACE {MAPS}"), 405, "does not allow this method"),
        (request(f"POST {MAPS}/x", JSON, body=BODY), 405, "does not allow this method"),
        (request(f"PUT {MAPS}", JSON, body=BODY), 405, "does not allow this method"),
        (request(f"GET {MAPS}/a%2Fb"), 404, "could not find the requested resource"),
        (request(f"GET {MAPS}/%00"), 404, 'configmaps "\0" not found'),
        (request(f"GET {MAPS}/%25"), 400, 'Name parameter invalid: "%": may not contain \'%\''),
        (request(f"GET {MAPS}/%ff"), 400, "Name parameter invalid"),
        (request(f"GET {MAPS}/."), 400, "may not be '.'"),
        (request(f"GET {MAPS}?labelSelector=%ff"), 400, "unable to parse requirement"),
        (request(f"GET {MAPS}?resourceVersion=%C2%B2"), 400, 'strconv.ParseUint: parsing "²": invalid syntax'),
        (request(f"GET {MAPS}?limit=--5"), 400, 'strconv.ParseInt: parsing "--5": invalid syntax'),
        (request(f"GET {MAPS}?limit={'9' * 5000}"), 400, "value out of range"),
        (request(f"GET {MAPS}", "Accept: application/vnd.kubernetes.protobuf"), 406, "only the following media types"),
        (request(f"GET {MAPS}", "Accept: application/cbor"), 406, "only the following media types are accepted"),
        (request(f"GET {MAPS}?watch=1", "Accept: text/html"), 406, "only the following media types are accepted"),
        (request(f"POST {MAPS}", "Content-Type: application/cbor", body=BODY), 415, "in an unknown format"),
        (request(f"POST {MAPS}", JSON, "Content-Encoding: gzip", body=gzip.compress(BODY)), 400,
         "invalid character '\\u001f' looking for beginning of value"),
        (request(f"POST {MAPS}", JSON), 400, "unexpected end of JSON input"),
        (request(f"POST {MAPS}", JSON, body=b'{"metadata":{"name":NaN}}'), 400, "invalid character 'N' looking for"),
        (request(f"POST {MAPS}", JSON, body=b'{"metadata":{"name":"a"}'), 400, "unexpected end of JSON input"),
        (request(f"POST {MAPS}", JSON, body=b"[" * 100_000), 400, "exceeded max depth"),
        (request(f"POST {MAPS}", JSON, body=b'{"a":' * 900 + b"1" + b"}" * 900), 400, "exceeded max depth"),
        (request(f"POST {MAPS}", "Content-Type: application/yaml", body=b"[" * 5000), 400, "YAML to JSON"),
        (request(f"POST {NS}/pods", JSON, body=b'{"spec":{"activeDeadlineSeconds":99999999999999999999}}'), 400,
         "cannot unmarshal number 99999999999999999999 into Go struct field PodSpec.spec.activeDeadlineSeconds"),
        (request(f"POST {MAPS}?fieldValidation=Strict", JSON, body=b'{"metadata":{"name":"a","name":"b"}}'), 400,
         'strict decoding error: duplicate field "metadata.name"'),
        (request(f"POST {MAPS}", JSON, body=b" " * 3_200_000), 413, "limit is 3145728"),
        (request(f"GET {MAPS}", token="a.b.c"), 401, "Unauthorized"),
        (request(f"GET {MAPS}", "Impersonate-Group: x"), 400, "without impersonating a user"),
        (request(f"GET {MAPS}", "Impersonate-User: \udcff"), 403, "cannot list resource"),
        (request(f"POST {NS}/pods/x/exec"), 400, "Upgrade request required"),
    ],
)  # fmt: skip
async def test_refusals_are_statuses(
    secure: Secure, raw: bytes, status: int, says: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    found, headers, body = await ask(secure, raw)
    answer = orjson.loads(body)
    assert (found, answer["kind"], answer["code"]) == (status, "Status", status)
    assert headers["content-type"] == "application/json"
    assert says in answer["message"]
    assert not caplog.records


@pytest.mark.parametrize(
    ("raw", "status", "says"),
    [
        (request("GET /api//v1/pods"), 404, b"404 page not found\n"),
        (request("GET //api/v1/pods"), 404, b"404 page not found\n"),
        (request("POST /exec", "Connection: Upgrade", "Upgrade: SPDY/3.1", last=False), 404, b"404 page not found\n"),
        (request("BREW /api"), 400, b"400 Bad Request"),
        (b"\x16\x03\x01\0junk\r\n\r\n", 400, b"400 Bad Request"),
        (request(f"POST {MAPS}", "Content-Length: x"), 400, b"400 Bad Request"),
        (request("GET /version", f"X: {'a' * (1 << 21)}"), 431, b"431 Request Header Fields Too Large"),
    ],
)
async def test_what_is_no_request_is_answered_as_go_does(
    secure: Secure, raw: bytes, status: int, says: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    if b"Upgrade" in raw:
        raw = raw.replace(b"Host: x", b"Host: x\r\nConnection: close")
    found, _, body = await ask(secure, raw)
    assert (found, body) == (status, says)
    assert not caplog.records


async def test_what_others_send_and_is_fine(secure: Secure) -> None:
    chunked = b"5\r\n" + BODY[:5] + b"\r\n" + b"%x\r\n" % (len(BODY) - 5) + BODY[5:] + b"\r\n0\r\n\r\n"
    sent = request(f"POST {MAPS}", JSON, "Transfer-Encoding: chunked", "User-Agent: \udcff\udcfe/1") + chunked
    assert (await ask(secure, sent))[0] == 201
    head = await ask(secure, request(f"HEAD {MAPS}/z"))
    assert (head[0], head[2]) == (405, b""), "as with kube-apiserver, whose routes know GET only"
    assert (await ask(secure, request(f"GET {MAPS}/%7a")))[0] == 200
    assert (await ask(secure, request(f"GET {MAPS}/")))[0] == 200
    assert (await ask(secure, request(f"GET {MAPS}?a={'a' * 200_000}", f"X: {'a' * 200_000}")))[0] == 200
    assert (await ask(secure, request(f"DELETE {MAPS}/z", JSON, body=b"null")))[0] == 200


async def test_pipelined_requests_are_answered_in_order(secure: Secure) -> None:
    raw = request("GET /version", last=False) + request("GET /healthz", last=False) + request(f"GET {MAPS}/nope")
    found = await exchange(secure, raw)
    places = [found.index(text) for text in (b'"gitVersion"', b"\r\n\r\nok", b'"NotFound"')]
    assert places == sorted(places)


async def test_accept_is_negotiated(secure: Secure, api: Api) -> None:
    await api.ok("POST", MAPS, configmap("z", n="1"))
    for accept, media in [
        ("application/vnd.kubernetes.protobuf,application/json", "application/json"),
        ("application/json;q=0.1, application/yaml;q=0.9", "application/yaml"),
        ("text/html, */*;q=0.1", "application/json"),
        ("application/yaml", "application/yaml"),
        ("application/json;as=Nope;v=v1;g=meta.k8s.io,application/json", "application/json"),
    ]:
        for path, kind in ((MAPS, "ConfigMapList"), (f"{MAPS}/z", "ConfigMap"), (f"{MAPS}/no", "Status")):
            _, headers, body = await ask(secure, request(f"GET {path}", f"Accept: {accept}"))
            assert headers["content-type"] == media
            assert yaml.safe_load(body)["kind"] == kind


async def test_a_client_that_leaves_within_its_body_is_no_error(
    secure: Secure, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    reader, writer = await asyncio.open_connection("127.0.0.1", secure.site.port, ssl=secure.client_tls())
    writer.write(request(f"POST {MAPS}", JSON, "Content-Length: 100") + b"{")
    await writer.drain()
    writer.close()
    assert await reader.read() == b""
    assert (await ask(secure, request("GET /version")))[0] == 200
    assert not caplog.records

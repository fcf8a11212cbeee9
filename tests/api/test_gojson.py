"""Go's words for broken JSON. Source: what encoding/json says of these texts."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubelearn.api import gojson


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"", "unexpected end of JSON input"),
        (b" ", "unexpected end of JSON input"),
        (b"{", "unexpected end of JSON input"),
        (b'{"a"', "unexpected end of JSON input"),
        (b"[1", "unexpected end of JSON input"),
        (b"<html>", "invalid character '<' looking for beginning of value"),
        (b"{a:1}", "invalid character 'a' looking for beginning of object key string"),
        (b'{"a":1,}', "invalid character '}' looking for beginning of object key string"),
        (b'{"a" 1}', "invalid character '1' after object key"),
        (b'{"a":1 "b":2}', "invalid character '\"' after object key:value pair"),
        (b"[1 2]", "invalid character '2' after array element"),
        (b"{} x", "invalid character 'x' after top-level value"),
        (b"{'a':1}", r"invalid character '\'' looking for beginning of object key string"),
        (b"tru ", "invalid character ' ' in literal true (expecting 'e')"),
        (b"-x", "invalid character 'x' in numeric literal"),
        (b'"a\nb"', r"invalid character '\n' in string literal"),
        (b'"\\x"', "invalid character 'x' in string escape code"),
    ],
)
def test_syntax_errors(text: bytes, says: str) -> None:
    with pytest.raises(orjson.JSONDecodeError) as error:
        orjson.loads(text)
    assert gojson.syntax_error(text, error.value) == says


_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)


@given(_json, st.sampled_from([None, 1]))
def test_good_json_has_no_error_and_nothing_twice(value: Any, indent: int | None) -> None:
    text = json.dumps(value, indent=indent).encode()
    assert gojson.scan(text) == ""
    assert gojson.duplicate_fields(text, orjson.loads(text)) == []


@given(st.binary(max_size=12) | st.text(alphabet='{}[]",:0-9eE.tfnul\\ ', max_size=12).map(str.encode))
def test_the_scanner_ends_whatever_it_reads(text: bytes) -> None:
    assert isinstance(gojson.scan(text), str)


def test_keys_that_are_given_twice() -> None:
    text = b'{"a":{"b":1,"b":2},"c":[{"d":1,"d" : 1}],"a":null}'
    found = gojson.duplicate_fields(text, orjson.loads(text))
    assert found == ['duplicate field "a.b"', 'duplicate field "c[0].d"', 'duplicate field "a"']

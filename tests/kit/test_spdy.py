from __future__ import annotations

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubelearn.kit import spdy


def test_the_dictionary_is_the_drafts() -> None:
    assert (len(spdy.DICTIONARY), zlib.adler32(spdy.DICTIONARY)) == (1423, 0xE3C6A7C2)


@given(st.binary(max_size=300), st.lists(st.integers(1, 40), max_size=20))
def test_frames_survive_any_cutting(data: bytes, cuts: list[int]) -> None:
    ours, theirs = spdy.Connection(), spdy.Connection()
    headers = {"streamtype": "data", "port": "80", "requestid": "0"}
    wire = ours.open(1, headers) + ours.data(1, data, last=True) + ours.open(3, headers) + ours.reset(3)
    found = []
    for size in cuts:
        found += list(theirs.feed(wire[:size]))
        wire = wire[size:]
    found += list(theirs.feed(wire))
    assert [f.kind for f in found] == [spdy.SYN_STREAM, spdy.DATA, spdy.SYN_STREAM, spdy.RST_STREAM]
    assert found[0].headers == found[2].headers == headers
    assert (found[1].data, found[1].last) == (data, True)


def test_pings_are_answered_as_they_came() -> None:
    frame = spdy.Frame(spdy.PING, 7, b"\0\0\0\7")
    assert next(spdy.Connection().feed(spdy.Connection.pong(frame))) == frame


def test_other_protocols_are_refused() -> None:
    with pytest.raises(ValueError, match="not SPDY"):
        list(spdy.Connection().feed(b"\x80\x02" + bytes(6)))
    with pytest.raises(ValueError, match="damaged"):
        list(spdy.Connection().feed(b"\x80\x03\0\1\0\0\0\x0c" + bytes(10) + b"xx"))

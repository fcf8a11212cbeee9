"""Quantities: canonical forms and errors as apimachinery gives them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubelearn.api import quantity


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("0.5", "500m"), ("1000m", "1"), ("1024Mi", "1Gi"), ("1.5Gi", "1536Mi"), ("100m", "100m"), ("0", "0"),
        ("1500M", "1500M"), ("1e3", "1e3"), ("12e6", "12e6"), ("1.Gi", "1Gi"), ("-1", "-1"), ("1023", "1023"),
        ("0.0000000001", "1n"), ("9999999999999999999999", "9223372036854775807"), ("0.5Ki", "512"),
        (2, "2"), (0.25, "250m"),
    ],
)  # fmt: skip
def test_canonical(text: str | float, canonical: str) -> None:
    assert quantity.canonical(text) == canonical


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("12XB", quantity.FORMAT_WRONG), ("100 Mi", quantity.FORMAT_WRONG), ("", quantity.FORMAT_WRONG),
        ("1.1.M", quantity.FORMAT_WRONG), ("1i", quantity.SUFFIX_WRONG), ("1mM", quantity.SUFFIX_WRONG),
    ],
)  # fmt: skip
def test_errors(text: str, error: str) -> None:
    with pytest.raises(ValueError, match="quanti") as caught:
        quantity.parse(text)
    assert str(caught.value) == error


def test_counting() -> None:
    assert quantity.milli("1.5") == 1500
    assert quantity.milli("0.1m") == 1
    assert quantity.value("1Ki") == 1024
    assert quantity.value("1500m") == 2
    assert quantity.compare("1Gi", "1G") == 1
    assert quantity.compare("1000m", "1") == 0


numbers = st.decimals(min_value=0, max_value=10**12, places=3, allow_nan=False)
suffixes = st.sampled_from(["", "n", "u", "m", "k", "M", "Ki", "Mi", "Gi"])


@given(numbers, suffixes)
def test_canonical_keeps_the_value(number: Decimal, suffix: str) -> None:
    text = f"{number}{suffix}"
    canonical = quantity.canonical(text)
    assert quantity.parse(canonical) == quantity.parse(text)
    assert quantity.canonical(canonical) == canonical
    assert "." not in canonical

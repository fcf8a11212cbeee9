"""Validation texts of names, labels and annotations."""

from __future__ import annotations

import pytest

from kubelearn.api import names


@pytest.mark.parametrize("value", ["web", "web-1.example.com", "0", "a" * 253])
def test_good_subdomains(value: str) -> None:
    assert names.dns1123_subdomain(value) == []


def test_subdomain_text() -> None:
    assert names.dns1123_subdomain("Upper_Case") == [
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must "
        "start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
        r"'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
    ]
    assert names.dns1123_subdomain("a" * 254) == ["must be no more than 253 characters"]


def test_label_text() -> None:
    assert names.dns1123_label("golden space") == [
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and "
        "end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
        "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
    ]
    assert names.dns1123_label("1x") == []
    assert names.dns1123_label("a.b") == ["must not contain dots"]
    assert names.dns1035_label("1x")


def test_label_map_reports_keys_and_values() -> None:
    errors = names.label_map({"/x": "ok", "app": "golden space"}, "metadata.labels")
    assert errors[0].message == 'Invalid value: "/x": prefix part must be non-empty'
    assert errors[1].message == (
        'Invalid value: "golden space": a valid label must be an empty string or consist of alphanumeric '
        "characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or "
        "'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
    )
    assert {e.field for e in errors} == {"metadata.labels"}


def test_annotations_allow_capitals_in_prefixes_but_not_too_much() -> None:
    assert names.annotation_map({"Example.com/X": "any thing"}, "a") == []
    too_much = names.annotation_map({"k": "x" * names.ANNOTATIONS_MAX}, "metadata.annotations")
    assert too_much[0].message == "Too long: may not be more than 262144 bytes"


def test_port_names() -> None:
    assert names.port_name("http") == []
    assert names.port_name("UPPER_and_too_long_name") == [
        "must be no more than 15 characters",
        "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)",
    ]
    assert names.port_name("80") == ["must contain at least one letter (a-z)"]


def test_config_map_keys_and_paths() -> None:
    assert names.config_map_key("a.b") == []
    assert names.config_map_key("..") == ["must not be '..'"]
    assert names.path_segment("a/b%") == ["may not contain '/'", "may not contain '%'"]


def test_generate_name_may_end_in_a_dash() -> None:
    assert names.check("dns1123label", "web-", prefix=True) == []
    assert names.check("dns1123label", "web-") != []

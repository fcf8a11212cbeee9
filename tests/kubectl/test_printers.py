"""Printers: table layout, durations, templates; a template never ends in anything but an answer or kubectl's error."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubelearn.api.table import human_duration
from kubelearn.kubectl.failures import CommandError
from kubelearn.kubectl.printers import choose, columns
from kubelearn.kubectl.printers.encode import to_yaml
from kubelearn.kubectl.printers.tabwriter import TabWriter, aligned

POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web", "labels": {"app": "web", "a.b/c": "d"}},
    "spec": {"containers": [{"name": "a", "image": "x"}, {"name": "b", "image": "y"}]},
}
LIST = {"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": ""}, "items": [POD, POD]}


def printed(output: str, obj: dict[str, Any] = POD) -> str:
    said: list[str] = []
    choose.printer(output)(obj, said.append)
    return "".join(said)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "<invalid>"),
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (150, "2m30s"),
        (599, "9m59s"),
        (600, "10m"),
        (3 * 3600 - 1, "179m"),
        (3 * 3600, "3h"),
        (3 * 3600 + 60, "3h1m"),
        (8 * 3600, "8h"),
        (47 * 3600, "47h"),
        (48 * 3600, "2d"),
        (50 * 3600, "2d2h"),
        (8 * 86400, "8d"),
        (400 * 86400, "400d"),
        (800 * 86400, "2y70d"),
        (3000 * 86400, "8y"),
    ],
)
def test_durations_are_as_short_as_kubectls(seconds: int, text: str) -> None:
    assert human_duration(seconds) == text


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    assert aligned("NAME\tAGE\nlonger\t1s\n").splitlines() == ["NAME    AGE", "longer  1s"]


def test_a_cell_without_a_tab_after_it_widens_nothing() -> None:
    writer = TabWriter(0, 2)
    writer.write("A:\tb\nvery long line\nC:\td\n")
    assert writer.take() == "A:  b\nvery long line\nC:  d\n"


@pytest.mark.parametrize(
    ("output", "text"),
    [
        ("name", "pod/web\n"),
        ("jsonpath={.metadata.name}", "web"),
        ("jsonpath={.spec.containers[*].image}", "x y"),
        ("jsonpath={.spec.containers[-1].name}", "b"),
        ('jsonpath={.spec.containers[?(@.name=="b")].image}', "y"),
        ("jsonpath={.metadata.labels.a\\.b/c}", "d"),
        ("jsonpath={range .spec.containers[*]}{.name}={.image};{end}", "a=x;b=y;"),
        ("jsonpath={.metadata.nothing}", ""),
        ("go-template={{.metadata.name}}", "web"),
        ("go-template={{range .spec.containers}}{{.name}}:{{.image}} {{end}}", "a:x b:y "),
        ("go-template={{if .metadata.nothing}}yes{{else}}no{{end}}", "no"),
        ("go-template={{len .spec.containers}}", "2"),
        ('go-template={{index .metadata.labels "a.b/c"}}', "d"),
        ("custom-columns=NAME:.metadata.name,IMAGES:.spec.containers[*].image", "NAME   IMAGES\nweb    x,y\n"),
    ],
)
def test_formats(output: str, text: str) -> None:
    assert printed(output) == text


def test_a_list_is_printed_by_its_objects_where_names_are_asked_for() -> None:
    assert printed("name", LIST) == "pod/web\npod/web\n"


@pytest.mark.parametrize(
    "output", ["jsonpath={", "go-template={{", "go-template={{.a | nosuch}}", "custom-columns=", "nosuch"]
)
def test_what_is_no_format_is_said_in_one_error(output: str) -> None:
    with pytest.raises(CommandError) as caught:
        printed(output)
    assert caught.value.message


_PIECES = st.lists(
    st.sampled_from([
        "{", "}", "{{", "}}", ".", "..", "[", "]", "*", "?(", "@", ")", "==", '"', "'", "range ", "end", "if ", "else", "|",
        "index ", "len ", "printf ", "$x", ":=", "-", "0", "1", "name", "spec", ".containers", "items", ",", " ", "\\", "é",
        ":", "NAME",
    ]),
    max_size=14,
).map("".join)  # fmt: skip


@given(_PIECES)
def test_no_jsonpath_ends_in_a_traceback(template: str) -> None:
    _answers(f"jsonpath={template}")


@given(_PIECES)
def test_no_braced_jsonpath_ends_in_a_traceback(path: str) -> None:
    _answers(f"jsonpath={{.{path}}}")


@given(_PIECES)
def test_no_go_template_ends_in_a_traceback(body: str) -> None:
    _answers(f"go-template={{{{{body}}}}}")
    _answers(f"go-template={body}")


@given(_PIECES)
def test_no_custom_columns_end_in_a_traceback(spec: str) -> None:
    _answers(f"custom-columns={spec}")


def _answers(output: str) -> None:
    for obj in (POD, LIST):
        try:
            answer = f"printed {printed(output, obj)}"
        except CommandError as error:
            answer = error.message
        assert answer


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(_JSON)
def test_yaml_reads_back_as_it_was(value: Any) -> None:
    import yaml

    assert yaml.safe_load(to_yaml({"v": value})) == {"v": value}


@given(_JSON)
def test_every_value_has_a_go_form(value: Any) -> None:
    assert isinstance(columns.go_value(value), str)

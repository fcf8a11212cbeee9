"""JSONPath templates; every case was checked against kubectl 1.37 (`kubectl patch --local -o jsonpath`)."""

from __future__ import annotations

from typing import Any

import pytest

from kubelearn.api import jsonpath

POD: dict[str, Any] = {
    "kind": "Pod",
    "metadata": {"name": "x", "labels": {"app": "web", "a.b/c": "dot", "h": "<b>&"}},
    "spec": {
        "priority": 5, "hostNetwork": True,
        "containers": [
            {"name": "a", "image": "i1", "command": ["x", "y", "z"],
             "ports": [{"containerPort": 80}, {"containerPort": 443}]},
            {"name": "b", "image": "i2"},
            {"name": "c", "image": "i3", "env": [{"name": "E", "value": "a b"}]},
        ],
    },
}  # fmt: skip


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{.metadata.name}", "x"), ("{$.metadata.name}", "x"), ("{ .metadata.name }", "x"),
        (".metadata.name", ".metadata.name"), ("[{.metadata.name}]", "[x]"), ("{.metadata.name}}", "x}"),
        ("{.metadata.labels}", r'{"a.b/c":"dot","app":"web","h":"\u003cb\u003e\u0026"}'),
        ("{.metadata.labels.h}", "<b>&"), (r"{.metadata.labels.a\.b/c}", "dot"),
        (r"{.metadata.labels['a\.b/c']}", "dot"), ("{.metadata.labels['app']}", "web"),
        ("{.spec.containers[*].name}", "a b c"), ("{.spec.containers[-1].name}", "c"),
        ("{.spec.containers[0:2].name}", "a b"), ("{.spec.containers[::2].name}", "a c"),
        ("{.spec.containers[0,2].name}", "a c"), ("{.spec.containers[1:1].name}", ""),
        ('{.spec.containers[?(@.name=="b")].image}', "i2"), ("{.spec.containers[?(@.name!='b')].image}", "i1 i3"),
        ("{.spec.containers[?(@.env)].name}", "c"), ("{.spec.containers[?(@.nope)].name}", ""),
        ("{.spec.containers[?(@.ports[0].containerPort>79)].name}", "a"),
        ('{.spec.containers[?(@.name=="b)")].image}', ""),
        ("{.spec.containers[*]['name','image']}", "a b c i1 i2 i3"),
        ("{..containerPort}", "80 443"), ("{.spec..image}", "i1 i2 i3"),
        ("{.nope.nope}", ""), ("{.spec.hostNetwork} {.spec.priority}", "true 5"),
        ('{range .spec.containers[*]}{.name}{"\\t"}{.image}{"\\n"}{end}tail', "a\ti1\nb\ti2\nc\ti3\ntail"),
        ("{range .spec.containers[*]}{.name}:{range .ports[*]}{.containerPort},{end};{end}", "a:80,443,;b:;c:;"),
        ("{range .spec.nope[*]}{.name}{end}after{.metadata.name}", "afterx"),
        ("{range .spec.containers[*]}{.name}", "abc"), ("{range .spec.containers[*]}{end}x", "x"),
        ('{.spec.containers[*].command}', '["x","y","z"]'), ('{"a" "b"}', "b"), ("{1}{-1.5}{true}", "1-1.5true"),
        ('{"d\\"q"}', 'd"q'), ("{'single\\n'}", "single\n"), ("{@.kind}", "Pod"),
    ],
)  # fmt: skip
def test_evaluate(template: str, text: str) -> None:

    assert jsonpath.evaluate(template, POD) == text


@pytest.mark.parametrize(
    ("template", "error"),
    [
        ("{.spec.containers[*}", "unterminated array"), ("{.spec.containers", "unclosed action"),
        ('{"open}', "unterminated quoted string"), ("{frob}", "unrecognized identifier frob"),
        ("{end}", "not in range, nothing to end"), ("{#}", "unrecognized character in action: U+0023 '#'"),
        ("{.spec.containers[a].name}", "invalid array index a"),
        ('{.metadata["name"]}', 'invalid array index "name"'),
        ("{.spec.containers[?(@.name].name}", "unterminated filter"),
        ("{.spec.containers[7].name}", "array index out of bounds: index 7, length 3"),
        ("{.spec.containers[0:9].name}", "array index out of bounds: index 8, length 3"),
        ("{.spec.containers[2:1].name}", "starting index 2 is greater than ending index 1"),
        ("{.spec.containers[?(@.name==1)].name}", "incompatible types for comparison"),
        ("{.spec.containers[?(@.ports[*].containerPort>79)].name}", "can only compare one element at a time"),
        ("{.metadata[0]}", "map[string]interface {} is not array or slice"),
        ('{.metadata.labels[?(@.app=="web")]}',
         "map[a.b/c:dot app:web h:<b>&] is not array or slice and cannot be filtered"),
    ],
)  # fmt: skip
def test_errors(template: str, error: str) -> None:
    with pytest.raises(jsonpath.JsonPathError) as caught:
        jsonpath.evaluate(template, POD)
    assert str(caught.value) == error


def test_missing_keys_may_be_an_error() -> None:
    with pytest.raises(jsonpath.JsonPathError, match=r"^nope is not found$"):
        jsonpath.evaluate("{.spec.nope}", POD, allow_missing=False)


def test_relaxed_paths() -> None:
    for path in ("metadata.name", ".metadata.name", "{metadata.name}", "{.metadata.name}"):
        assert jsonpath.relaxed(path) == "{.metadata.name}"
        assert jsonpath.find(path, POD) == ["x"]
    assert jsonpath.find(".spec.containers[*].ports", POD) == [POD["spec"]["containers"][0]["ports"]]
    with pytest.raises(jsonpath.JsonPathError, match=r"^unexpected path string, expected a 'name1.name2' or"):
        jsonpath.relaxed("{.a}{.b}")

"""Every kind of check: what the model, `lesson verify` and the front ends rely on."""

from __future__ import annotations

import inspect
import sys

import pytest

from kubelearn.kit.discover import discover
from kubelearn.lessons.check_type import COMPARISONS, CheckType

CHECKS = discover("kubelearn.lessons.checks", "CHECK", CheckType)
#: Parameters that are right for each; a new kind of check adds its own here, or cannot be shown to take any.
RIGHT: dict[str, dict[str, object]] = {
    "command-used": {"matches": "get pods", "example": "kubectl get pods"},
    "condition": {"kind": "node", "name": "n", "type": "Ready", "status": "Unknown|False", "namespace": "x"},
    "count": {"kind": "pods", "selector": "a=b", "path": ".status.phase", "value": "Running", "equals": 3},
    "event": {"reason": "Scheduled", "kind": "Pod", "name": "web-.*", "message": "worker"},
    "http": {"from": "client", "url": "http://web/", "status": 200, "body": "Hello", "times": 6, "distinct": 2},
    "quiz": {"question": "q", "answer": 1},
    "resource": {"kind": "pod", "name": "p", "path": ".status.phase", "equals": "Running"},
}


def test_there_are_parameters_for_every_kind_of_check() -> None:
    assert sorted(RIGHT) == sorted(CHECKS)


@pytest.mark.parametrize("name", CHECKS)
class TestCheck:
    def test_right_parameters_have_no_problems(self, name: str) -> None:
        assert CHECKS[name].problems(RIGHT[name]) == []

    def test_each_required_parameter_is_missed(self, name: str) -> None:
        for required in CHECKS[name].required:
            params = {k: v for k, v in RIGHT[name].items() if k != required}
            assert f"missing {required}" in CHECKS[name].problems(params)

    def test_an_unknown_parameter_is_refused(self, name: str) -> None:
        assert "unknown naem" in CHECKS[name].problems({**RIGHT[name], "naem": "x"})

    def test_parameters_that_are_no_mapping_are_refused(self, name: str) -> None:
        assert CHECKS[name].problems("Running") == ["parameters must be a mapping"]

    def test_a_value_is_one_value(self, name: str) -> None:
        check = CHECKS[name]
        for key in check.required | check.optional:
            assert f"{key} must be one value" in check.problems({**RIGHT[name], key: ["a"]})

    def test_patterns_are_regular_expressions(self, name: str) -> None:
        check = CHECKS[name]
        for key in check.patterns & (check.required | check.optional):
            (problem, *_) = check.problems({**RIGHT[name], key: "web-("})
            assert problem.startswith(f"{key} is no regular expression: ")

    def test_numbers_are_numbers_from_one_on(self, name: str) -> None:
        check = CHECKS[name]
        for key in check.numbers:
            for wrong in (0, "three", True):
                assert f"{key} must be a number of at least 1, not {wrong}" in check.problems(
                    {**RIGHT[name], key: wrong}
                )

    def test_flags_can_only_be_true(self, name: str) -> None:
        check = CHECKS[name]
        for key in check.flags & (check.required | check.optional):
            assert f"{key} can only be true" in check.problems({**RIGHT[name], key: False})

    def test_one_comparison_at_most(self, name: str) -> None:
        check = CHECKS[name]
        if check.optional >= {"equals", "at_least"}:
            params = {**RIGHT[name], "equals": 1, "at_least": 1}
            assert check.problems(params) == ["compares in more than one way: at_least, equals"]

    def test_it_looks_once_with_a_context_and_its_parameters(self, name: str) -> None:
        run = CHECKS[name].run
        assert inspect.iscoroutinefunction(run)
        assert list(inspect.signature(run).parameters) == ["context", "params"]

    def test_its_file_shows_an_author_how_to_write_it(self, name: str) -> None:
        doc = sys.modules[f"kubelearn.lessons.checks.{name.replace('-', '_')}"].__doc__ or ""
        assert f"`{name.replace('-', '_')}: {{" in " ".join(doc.split())


@pytest.mark.parametrize(
    ("name", "changes", "problem"),
    [
        ("count", {"equals": None}, "equals must be one value"),
        ("resource", {"path": ".status[", "equals": "x"}, "path is no JSONPath: unterminated array"),
        ("condition", {"status": "Unknwon"}, "status Unknwon is none of True, False, Unknown"),
        ("http", {"url": "services/web"}, "url must begin with http:// for a pod to fetch it"),
        ("quiz", {"answer": 0}, "answer must be a number of at least 1, not 0"),
    ],
)
def test_what_would_never_or_always_pass_is_refused(name: str, changes: dict[str, object], problem: str) -> None:
    assert CHECKS[name].problems({**RIGHT[name], **changes}) == [problem]


def test_a_count_of_anything_is_refused() -> None:
    (problem,) = CHECKS["count"].problems({"kind": "pods"})
    assert problem == "needs one of at_least, at_most, equals, matches: any number would do"


def test_a_comparison_of_no_field_is_refused() -> None:
    assert CHECKS["resource"].problems({"kind": "pod", "name": "p", "equals": "Running"}) == [
        "equals needs a path: what of the object?"
    ]


def test_a_bound_is_a_quantity() -> None:
    params = {"kind": "pod", "name": "p", "path": ".x", "at_least": "much"}
    assert CHECKS["resource"].problems(params) == ["at_least must be a quantity, not much"]
    assert {"at_least", "at_most"} < COMPARISONS


def test_the_proxy_s_paths_and_a_pod_s_urls_are_told_apart() -> None:
    (problem,) = CHECKS["http"].problems({"url": "http://web/"})
    assert problem.startswith("url must begin with services/ or pods/")

"""What needs no screen: texts, completion of a line, fitting of output, the timeline's lines."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import kubelearn.tui
from kubelearn.graph.canvas import width_of
from kubelearn.kubectl.session import Session
from kubelearn.trace.cause import Cause
from kubelearn.trace.chain import Span
from kubelearn.tui.completing import Candidate, Completion, Line
from kubelearn.tui.shell import SessionShell
from kubelearn.tui.texts import TEXTS
from kubelearn.tui.widgets.keys import KEYS
from kubelearn.tui.widgets.output import fit
from kubelearn.tui.widgets.timeline import Story, is_noise, lines_of


def test_both_languages_have_all_texts_and_every_text_is_used() -> None:
    assert TEXTS["en"].keys() == TEXTS["zh"].keys()
    source = "".join(p.read_text() for p in Path(kubelearn.tui.__file__).parent.rglob("*.py") if p.name != "texts.py")
    made = {f"{kind}-{action}" for kind in ("key", "help") for _, action in (*KEYS, ("^Q", "quit"))}
    for key in TEXTS["en"]:
        assert f'"{key}"' in source or f"'{key}'" in source or key in made | {"architecture", "ownership", "traffic"}
    for key in TEXTS["en"]:
        fields = [set(re.findall(r"{(\w+)}", TEXTS[lang][key])) for lang in TEXTS]
        assert fields[0] == fields[1], key


def test_one_candidate_is_taken_with_a_space_but_not_after_an_equals_sign() -> None:
    line = Line("get po -A", 6)
    assert Completion(line, [Candidate("pods", 4)]).begun() == Line("get pods  -A", 9)
    assert Completion(Line("get --outp", 10), [Candidate("--output=", 4)]).begun() == Line("get --output=", 13)


def test_several_candidates_fill_in_what_they_share_and_take_turns() -> None:
    completion = Completion(Line("get p", 5), [Candidate("pods", 4), Candidate("podtemplates", 4)])
    assert completion.begun() == Line("get pod", 7)
    assert completion.move(1).now() == Line("get pods", 8)
    assert completion.move(-1).now() == Line("get podtemplates", 16)
    assert completion.move(1).move(1).move(1).now() == Line("get pods", 8)
    assert Completion(Line("x", 1), []).begun() == Line("x", 1)


HEADER = (10, 20)


@pytest.mark.parametrize(
    ("text", "table", "width", "expected"),
    [
        ("short", (), 10, ["short"]),
        ("one two three", (), 8, ["one two", "three"]),
        ("abcdefghijkl", (), 5, ["abcde", "fghij", "kl"]),
        ("中文字宽", (), 5, ["中文", "字宽"]),
        ("NAME      READY     AGE", HEADER, 20, ["NAME    READY   AGE"]),
        ("NAME      READY     AGE", HEADER, 15, ["NAME    READY …"]),
    ],
)
def test_output_is_fitted(text: str, table: tuple[int, ...], width: int, expected: list[str]) -> None:
    lines = fit(text, "", table, width)
    assert ["".join(t for t, _ in line) for line in lines] == expected
    assert max(map(width_of, lines)) <= width


def span(revision: int, at: float, command: str = "", resource: str = "pods", summary: str = "created") -> Span:
    cause = Cause("t", "s", 0, "kube-scheduler", "update", at, command)
    return Span(revision, cause, "MODIFIED", resource, "default", "web", summary)


def test_the_timeline_tells_the_command_and_the_time_since() -> None:
    story = Story()
    first, later = story.place(span(7, 100.0, "kubectl run web")), story.place(span(9, 100.25))
    told = [
        "".join(t for t, _ in line).rstrip() for told in (first, later) for line in lines_of(*told, width=60, you="you")
    ]
    assert told == [
        "          you                    kubectl run web",
        "    0 ms  API server             pods/web: created        r7",
        "  250 ms  kube-scheduler         pods/web: created        r9",
    ]


def test_a_long_story_is_cut_before_its_revision() -> None:
    (line,) = lines_of(3.0, span(1234, 0, summary="x" * 100), False, 60, "you")
    text = "".join(t for t, _ in line)
    assert text.endswith("…  r1234")
    assert width_of(line) == 60


def test_heartbeats_are_no_news() -> None:
    assert is_noise(span(1, 0, resource="leases.coordination.k8s.io"))
    assert is_noise(span(1, 0, resource="nodes", summary="status.images changed"))
    assert not is_noise(span(1, 0, resource="nodes", summary="Ready False (KubeletStopped)"))


def test_the_shell_keeps_its_history_in_a_file(tmp_path: Path) -> None:
    session = Session.__new__(Session)
    shell = SessionShell(session, tmp_path / "history")
    assert list(shell.history()) == []
    shell.remember("get pods")
    shell.remember("中文")
    assert list(SessionShell(session, tmp_path / "history").history()) == ["get pods", "中文"]
    shell.enter(tmp_path)
    assert session.folder == tmp_path

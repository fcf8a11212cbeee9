"""Lessons are read strictly, and what is wrong is said with its file and line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from support.lessons import EN, LESSON, ZH, changed, write

from kubelearn.kit.errors import KubelearnError
from kubelearn.lessons.model import Needs, find, load, load_all


def error_of(folder: Path) -> str:
    with pytest.raises(KubelearnError) as caught:
        load(folder)
    return caught.value.message


def test_a_sound_lesson_is_read_whole(tmp_path: Path) -> None:
    lesson = load(write(tmp_path))
    make, look = lesson.steps
    assert (lesson.id, lesson.order, lesson.minutes, lesson.needs) == ("small", 1, 5, Needs(1, ("docker", "process")))
    assert lesson.title("zh") == "小课"
    assert make.alternatives == (("kubectl apply -f c.yaml",),)
    assert make.wrong[0].message == "configmap c .data.a = 2, wanted 1"
    assert [c.type for c in make.checks] == ["quiz", "resource"]
    assert make.checks[1].params["equals"] == "1"
    assert make.checks[1].line == 15
    assert look.view == "architecture"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("minutes: 5", "minutes: [5", "small/lesson.yaml:6: not YAML"),
        ("minutes: 5", "minutes: five", "small/lesson.yaml:5: minutes: must be a whole number of at least 1, not five"),
        ("minutes: 5", "minuets: 5", "small/lesson.yaml:5: minuets: unknown key minuets"),
        ("minutes: 5", "minutes: 5\nminutes: 6", "small/lesson.yaml:6: minutes: minutes is written twice"),
        ("format_version: 1", "format_version: 2", "small/lesson.yaml:1: format_version: format_version must be 1"),
        ("format_version: 1\n", "", "small/lesson.yaml:1: format_version must be 1"),
        ("id: small\n", "id: other\n", "small/lesson.yaml:2: id: id must be the folder's name, small"),
        ("order: 1\n", "", "small/lesson.yaml:1: order is missing"),
        ("order: 1\n", "order: first\n", "small/lesson.yaml:3: order: must be a whole number of at least 0, not first"),
        ("[docker, process]", "[hyperv]", "small/lesson.yaml:6: needs.engines: unknown engine hyperv"),
        ("nodes: 1,", "node: 1,", "small/lesson.yaml:6: needs.node: unknown key node"),
        ("  - id: look", "  - id: make", "small/lesson.yaml:23: steps[1]: two steps have the id make"),
        ("  - id: look", "  - id: Look!", 'small/lesson.yaml:23: steps[1].id: "Look!" is no id'),
        ("- command_used:", "- comand_used:", "small/lesson.yaml:25: steps[1].checks[0]: unknown check comand_used"),
        ("{kind: configmap,", "{kind: configmap, kind: pod,", "kind is written twice"),
        ("- quiz: {question: make, answer: 2}", "- quiz", "lesson.yaml:14: steps[0].checks[0]: must be a mapping"),
        ("    solution:\n      - kubectl get configmaps\n", "", "small/lesson.yaml:23: steps[1]: solution is missing"),
        (
            "    solution:\n      - kubectl get",
            "    solution: kubectl get",
            "lesson.yaml:26: steps[1].solution: must be a list",
        ),
        ("      - kubectl get configmaps", "      -", "small/lesson.yaml:27: steps[1].solution[0]: must be text"),
        (
            '        message: "configmap c .data.a = 2, wanted 1"\n',
            "",
            "lesson.yaml:21: steps[0].wrong[0]: message is missing",
        ),
    ],
)
def test_what_is_wrong_in_lesson_yaml_is_said_with_its_line(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert said in error_of(write(tmp_path, changed(LESSON, old, new)))


def test_a_mapping_at_the_top_and_steps_are_needed(tmp_path: Path) -> None:
    assert error_of(write(tmp_path, "- a list\n")) == "small/lesson.yaml:1: must be a mapping, not a list"
    assert error_of(write(tmp_path, "")) == "small/lesson.yaml:1: is empty"
    head = LESSON[: LESSON.index("steps:")]
    assert "small/lesson.yaml:11: steps: a lesson needs steps" in error_of(write(tmp_path, head + "steps: []\n"))


def test_missing_and_unreadable_files_are_named(tmp_path: Path) -> None:
    folder = write(tmp_path)
    (folder / "zh.md").write_bytes(b"\xff\xfe")
    assert "small/zh.md is not UTF-8" in error_of(folder)
    (folder / "zh.md").unlink()
    assert error_of(folder) == "small/zh.md is missing: a lesson needs its prose in every language"
    (folder / "lesson.yaml").write_bytes(b"\xff\xfe")
    assert "small/lesson.yaml cannot be read" in error_of(folder)
    (folder / "lesson.yaml").unlink()
    assert error_of(folder) == "small/lesson.yaml is missing"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("# A small lesson", "A small lesson", "small/en.md:1: the first line must be '# Title'"),
        ("## make: Make it", "## make", "small/en.md:5: '## make' must read '## step-id: Title'"),
        ("## look: Look", "## make: Look", "small/en.md:22: two sections have the step id make"),
        ("### debrief", "### debreif", "small/en.md:19: unknown part '### debreif'"),
        ("### debrief", "### task", "small/en.md:19: a second '### task' in make"),
        ("2. Type", "3. Type", "small/en.md:17: hint 2 is numbered 3"),
        ("2. Type", "- Type", "small/en.md:17: a hint begins with its number"),
        ("- (x) small — it is", "- (x) small", "small/en.md:10: an option reads"),
        (
            "- ( ) large",
            "- (x) large",
            "small/en.md:7: predict takes a question and two or more options, one of them right",
        ),
        ("What is it?\n", "", "small/en.md:7: predict takes a question"),
    ],
)
def test_what_is_wrong_in_the_prose_is_said_with_its_line(tmp_path: Path, old: str, new: str, said: str) -> None:
    folder = write(tmp_path)
    (folder / "en.md").write_text(changed(EN, old, new), encoding="utf-8")
    assert said in error_of(folder)


def test_prose_may_wrap_lines_and_show_code(tmp_path: Path) -> None:
    code = "It is small.\n\n```\n## no heading\n$ kubectl get pods\nNAME\n```\n"
    en = changed(changed(EN, "It is small.\n", code), "large — it is not", "large — it\n  is not")
    prose = load(write(tmp_path, en=changed(en, "create.\n", "create,\n   then a kind.\n"))).prose["en"]
    assert list(prose.steps) == ["make", "look"]
    make = prose.steps["make"]
    assert make.hints[0] == "The verb is create, then a kind."
    assert make.predict is not None
    assert make.predict.options[0].why == "it is not"
    assert make.predict.right == 2
    assert prose.commands() == [
        "kubectl get pods",
        "kubectl create configmap c --from-literal=a=1",
        "kubectl create configmap c --from-literal=a=1",
        "kubectl get configmaps",
    ]


def test_commands_are_quoted_in_questions_too(tmp_path: Path) -> None:
    en = changed(EN, "What is it?", "What does `kubectl get nodes` show?")
    en = changed(en, "small — it is", "small — see `kubelearn why\npod/x`".replace("\n", "\n  "))
    assert load(write(tmp_path, en=en)).prose["en"].commands()[-3:-1] == ["kubectl get nodes", "kubelearn why pod/x"]


def course(root: Path, **lessons: str) -> None:
    for name, order in lessons.items():
        text = changed(changed(LESSON, "id: small", f"id: {name}"), "order: 1\n", f"{order}\n")
        write(root, text, name=name)


def test_lessons_come_in_the_order_of_the_course(tmp_path: Path) -> None:
    course(tmp_path, a="order: 3", b="order: 2", c="order: 5\nprerequisites: [a]")
    assert [lesson.id for lesson in load_all(tmp_path)] == ["b", "a", "c"]
    assert find("c", tmp_path).order == 5
    assert find("2", tmp_path).id == "b"
    with pytest.raises(KubelearnError, match='no lesson "d"') as caught:
        find("d", tmp_path)
    assert caught.value.hint == "lessons: b, a, c"


def test_two_lessons_cannot_claim_one_place(tmp_path: Path) -> None:
    course(tmp_path, a="order: 3", b="order: 3")
    with pytest.raises(KubelearnError, match=r"b/lesson\.yaml: order 3 is taken by a"):
        load_all(tmp_path)


def test_a_prerequisite_comes_before(tmp_path: Path) -> None:
    course(tmp_path, a="order: 3\nprerequisites: [b]", b="order: 4")
    with pytest.raises(KubelearnError, match=r"a/lesson\.yaml: prerequisite b is no lesson that comes before it"):
        load_all(tmp_path)


def test_a_broken_lesson_does_not_stand_in_the_way_of_another(tmp_path: Path) -> None:
    course(tmp_path, a="order: 1", b="order: 2")
    shutil.copy(tmp_path / "a" / "en.md", tmp_path / "b" / "lesson.yaml")
    assert find("a", tmp_path).id == "a"
    with pytest.raises(KubelearnError, match=r"b/lesson\.yaml:"):
        load_all(tmp_path)


def test_the_digest_is_of_the_text_without_its_stamp(tmp_path: Path) -> None:
    lesson = load(write(tmp_path))
    assert lesson.prose["zh"].translates == lesson.prose["en"].digest
    assert "<!--" not in lesson.prose["zh"].steps["look"].hints[-1]
    assert load(write(tmp_path, zh=ZH, stamped=False)).prose["zh"].digest == lesson.prose["zh"].digest

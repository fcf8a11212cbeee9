"""What `lesson verify` finds without a cluster: each fault alone, in an otherwise sound lesson."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.lessons import EN, LESSON, ZH, changed, write

from kubelearn.lessons.model import load
from kubelearn.lessons.runner import problem
from kubelearn.lessons.static import static_problems


def problems(folder: Path) -> list[str]:
    return static_problems(load(folder))


def test_a_sound_lesson_has_none(tmp_path: Path) -> None:
    assert problems(write(tmp_path)) == []


def test_a_stray_file_is_found_wherever_it_lies(tmp_path: Path) -> None:
    folder = write(tmp_path)
    (folder / "more").mkdir()
    for name in ("notes.txt", "a-c.yaml", "more/c.yaml", ".DS_Store"):
        (folder / name).write_text("kind: ConfigMap\n")
    assert problems(folder) == [
        f"stray file {name}: no command of the lesson uses it"
        for name in (".DS_Store", "a-c.yaml", "more/c.yaml", "notes.txt")
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("kubectl apply -f c.yaml", "kubectl apply --filename=c.yaml"),
        ("kubectl apply -f c.yaml", "kubectl create configmap c --from-file=a=c.yaml"),
    ],
)
def test_a_file_may_be_used_in_several_ways(tmp_path: Path, old: str, new: str) -> None:
    assert problems(write(tmp_path, changed(LESSON, old, new))) == []


def test_a_file_used_by_teardown_or_prose_alone_is_no_stray(tmp_path: Path) -> None:
    without = changed(LESSON, '    alternatives:\n      - ["kubectl apply -f c.yaml"]\n', "")
    teardown = changed(without, "teardown:\n", "teardown:\n  - kubectl delete -f c.yaml --ignore-not-found\n")
    assert problems(write(tmp_path, teardown)) == []
    en, zh = (changed(t, "`kubectl get configmaps`", "`kubectl get -f c.yaml`") for t in (EN, ZH))
    assert problems(write(tmp_path, without, en, zh)) == []


def test_a_file_that_is_not_there_is_missed(tmp_path: Path) -> None:
    assert "make: alternative: `kubectl apply -f d.yaml`: no file d.yaml" in problems(
        write(tmp_path, changed(LESSON, "-f c.yaml", "-f d.yaml"))
    )


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("path: .data.a", "paht: .data.a", "lesson.yaml:15: make: check resource: unknown paht"),
        ("name: c, path", "path", "lesson.yaml:15: make: check resource: missing name"),
        (
            "'get (cm|configmap)'",
            "'get (cm'",
            "lesson.yaml:25: look: check command_used: matches is no regular expression",
        ),
        ("answer: 2", "answer: 1", "lesson.yaml:14: make: check quiz: answer 1, but en.md marks option 2"),
        ("question: make", "question: look", "lesson.yaml:14: make: check quiz: question must be the step's id, make"),
        ("  - id: look\n", "  - id: look\n    view: inside\n", "look: unknown view inside"),
        ("    solution:\n      - kubectl get configmaps\n", "    solution: []\n", "look: no solution"),
        (
            "--from-literal=a=2",
            "--form-literal=a=2",
            "make: wrong: `kubectl create configmap c --form-literal=a=2` does not parse",
        ),
        (
            "other --from-literal=a=0",
            "other '--from-literal=a=0",
            "start: `kubectl create configmap other '--from-literal=a=0` does not",
        ),
        (
            "--ignore-not-found",
            "--ignore-missing",
            "teardown: `kubectl delete configmap c other --ignore-missing` does not parse",
        ),
    ],
)
def test_what_is_wrong_in_lesson_yaml_is_found(tmp_path: Path, old: str, new: str, said: str) -> None:
    found = problems(write(tmp_path, changed(LESSON, old, new)))
    assert any(text.startswith(said) for text in found), found


def test_a_quiz_without_a_question_is_found(tmp_path: Path) -> None:
    def without(text: str) -> str:
        return text[: text.index("### predict")] + text[text.index("### task") :]

    found = problems(write(tmp_path, en=without(EN), zh=without(ZH)))
    assert "lesson.yaml:14: make: check quiz: en.md has no predict question" in found


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("## look: 看", "## lok: 看", "zh.md: no step look; unknown step lok"),
        ("2. 输入：`kubectl create configmap c --from-literal=a=1`\n", "", "zh.md: make: 1 hints, en.md has 2"),
        (
            "- ( ) 大 — 不是\n- (x) 小",
            "- (x) 大 — 不是\n- ( ) 小",
            "zh.md: make: the predict question differs from en.md's",
        ),
        ("### debrief\n它确实小。\n", "", "zh.md: make: debrief in one language only"),
        ("它很小。\n", "", "zh.md: an introduction in one language only"),
        (
            "看：`kubectl get configmaps`",
            "看：`kubectl get pods`",
            "zh.md: commands quoted in one language only: kubectl get",
        ),
        ("### hints\n1. 动词是 get。\n", "", "zh.md: look: no hints"),
        ("### task\n看：`kubectl get configmaps`\n", "", "zh.md: look: no task"),
    ],
)
def test_a_translation_that_lacks_something_is_found(tmp_path: Path, old: str, new: str, said: str) -> None:
    found = problems(write(tmp_path, zh=changed(ZH, old, new)))
    assert any(text.startswith(said) for text in found), found


def test_a_missing_step_of_the_translation_is_found(tmp_path: Path) -> None:
    assert "zh.md: no step look" in problems(write(tmp_path, zh=ZH[: ZH.index("## look")]))


def test_steps_in_another_order_are_found(tmp_path: Path) -> None:
    head, make, look = (
        ZH[: ZH.index("## make")],
        ZH[ZH.index("## make") : ZH.index("## look")],
        ZH[ZH.index("## look") :],
    )
    assert problems(write(tmp_path, zh=f"{head}{look}\n{make}")) == [
        "zh.md: steps in another order than lesson.yaml's: look, make"
    ]


def test_a_translation_left_behind_is_found_and_told_its_stamp(tmp_path: Path) -> None:
    folder = write(tmp_path)
    (folder / "en.md").write_text(changed(EN, "It was small.", "It was very small."), encoding="utf-8")
    (said,) = problems(folder)
    assert said.startswith("zh.md: stale: not of this en.md")
    stamp = said[said.index("<!--") : said.index("-->") + 3]
    text = (folder / "zh.md").read_text(encoding="utf-8")
    (folder / "zh.md").write_text(text[: text.index("<!--")] + stamp + "\n", encoding="utf-8")
    assert problems(folder) == []
    assert len(problems(write(tmp_path, stamped=False))) == 1


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("kubectl get pods -o wide", ""),
        ("k get po", ""),
        ("kubectl delete pod web-NAME", ""),
        ("kubelearn why pod/web", ""),
        ("kubelearn kubectl get pods", ""),
        ("kubelearn node stop worker-3", ""),
        ("kubectl exec p -c web -- sh -c 'a | b'", ""),
        ("kubectl gte pods", 'unknown command "gte" for "kubectl"'),
        ("kubectl get pods --outptu wide", "unknown flag: --outptu"),
        ("kubectl get pods 'open", "No closing quotation"),
        ("kubelearn get pods", '"get" is no command of kubelearn\'s in a shell'),
        ("kubectl why pod/web", 'kubectl has no command "why"; it is kubelearn\'s: kubelearn why'),
        ("kubectl get pods | grep web", "|: kubelearn's shell runs one command a line"),
        ("get pods", "a command begins with kubectl, k or kubelearn"),
        ("", "a command begins with kubectl, k or kubelearn"),
    ],
)
def test_a_line_parses_or_says_why_not(line: str, said: str) -> None:
    found = problem(line)
    assert said in found
    assert bool(found) == bool(said)


def test_a_quoted_command_that_does_not_parse_is_found_in_each_language(tmp_path: Path) -> None:
    en, zh = (changed(t, "`kubectl get configmaps`", "`kubectl gte configmaps`") for t in (EN, ZH))
    found = problems(write(tmp_path, en=en, zh=zh))
    assert [text.split(" does")[0] for text in found] == [
        "en.md: `kubectl gte configmaps`",
        "zh.md: `kubectl gte configmaps`",
    ]

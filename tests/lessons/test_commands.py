"""`kubelearn lesson …` as a learner uses it, one process a command: what is kept between them is the progress file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.api import NS, Api, configmap
from support.lessons import LESSON, changed, write

from kubelearn.client.rest import Client
from kubelearn.kit.errors import KubelearnError
from kubelearn.lessons import authoring, commands, progress, verify
from kubelearn.lessons.model import load, load_all
from kubelearn.lessons.static import static_problems

LESSONS = "kubelearn.lessons.model.data_dir"


class Learner:
    """Runs commands and gives exit status and text."""

    def __init__(self, client: Client, home: Path) -> None:
        self.client, self.home = client, home

    async def __call__(
        self, action: str, argument: str = "", lang: str = "en", output: str = "text"
    ) -> tuple[int, str]:
        said: list[str] = []
        code = await commands.run(self.client, self.home, action, argument, lang=lang, output=output, say=said.append)
        return code, "\n".join(said)

    async def json(self, action: str, argument: str = "") -> Any:
        return json.loads((await self(action, argument, output="json"))[1])

    async def error(self, action: str, argument: str = "") -> KubelearnError:
        with pytest.raises(KubelearnError) as caught:
            await self(action, argument)
        return caught.value


@pytest.fixture
def learner(client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Learner:
    """Two lessons ship: `small`, and `next`, which builds on it."""
    root, home = tmp_path / "lessons", tmp_path / "home"
    home.mkdir()
    write(root)
    following = changed(changed(LESSON, "id: small", "id: next"), "order: 1", "order: 2\nprerequisites: [small]")
    write(root, changed(following, "configmap other", "configmap another").replace("c other", "c another"), name="next")
    monkeypatch.setattr(LESSONS, lambda _name: root)
    monkeypatch.chdir(tmp_path)
    return Learner(client, home)


async def test_a_lesson_from_its_beginning_to_its_end(api: Api, learner: Learner) -> None:
    code, said = await learner("start")
    assert code == 0
    assert said.startswith(
        "A small lesson  1/2  Make it\n\nIt is small.\n\nPredict: What is it?\n  1. large\n  2. small\n"
    )
    assert "Do: Make it: `kubectl create configmap c --from-literal=a=1`" in said
    assert str(learner.home.parent / "lessons" / "small") in said, "where its files are"
    code, said = await learner("check")
    assert code == 1
    assert said == ("○ seen: no answer yet, wanted: the right answer\n○ seen: no configmap c, wanted: configmap c")
    assert await learner("answer", "1") == (1, "Not so: it is not")
    assert await learner("answer", "2") == (0, "Right: it is")
    assert (await learner("next"))[0] == 1
    await api.ok("POST", f"{NS}/configmaps", configmap("c", a="1"))
    code, said = await learner("check")
    assert code == 0
    assert "✔ configmap c .data.a = 1" in said
    assert "Why it worked: It was small." in said
    code, said = await learner("next")
    assert code == 0
    assert "A small lesson  2/2  Look at it" in said
    progress.record(learner.home, "kubectl get cm")
    code, said = await learner("next")
    assert code == 0
    assert said.endswith("lesson small is finished")
    assert progress.load(learner.home) == progress.Progress(finished=["small"])
    assert (await api("GET", f"{NS}/configmaps/c"))[0] == 404
    assert (await learner("start"))[1].startswith("A small lesson  1/2"), "the next one"
    assert progress.load(learner.home).lesson == "next"


async def test_hints_come_in_tiers_and_the_last_stays(learner: Learner) -> None:
    await learner("start", "small")
    assert await learner("hint") == (0, "(1/2) The verb is create.")
    assert (await learner("hint"))[1].startswith("(2/2) Type: ")
    assert (await learner("hint"))[1].startswith("(2/2) Type: ")
    assert (await learner("hint", lang="zh"))[1].startswith("(2/2) 输入：")
    assert await learner.json("hint") == {
        "lesson": "small", "step": "make", "number": 1, "of": 2, "hints": 2,
        "hint": "Type: `kubectl create configmap c --from-literal=a=1`",
    }  # fmt: skip
    assert await learner("solution") == (
        0,
        "  kubectl create configmap c --from-literal=a=1\nor\n  kubectl apply -f c.yaml",
    )


async def test_scripts_get_json(api: Api, learner: Learner) -> None:
    shown = await learner.json("start", "small")
    assert (shown["lesson"], shown["step"], shown["title"]) == ("small", "make", "Make it")
    assert shown["predict"] == {"question": "What is it?", "options": ["large", "small"]}
    assert (await learner.json("answer", "2"))["right"] is True
    checked = await learner.json("check")
    assert checked["passed"] is False
    assert checked["checks"][1] == {
        "type": "resource",
        "passed": False,
        "seen": "no configmap c",
        "wanted": "configmap c",
    }
    await api.ok("POST", f"{NS}/configmaps", configmap("c", a="1"))
    assert (await learner.json("next"))["step"] == "look"
    progress.record(learner.home, "kubectl get cm")
    assert (await learner.json("next"))["finished"] is True
    listed: list[str] = []
    assert commands.listing(learner.home, "zh", "json", listed.append) == 0
    rows = json.loads(listed[0])
    assert [(r["id"], r["title"], r["state"]) for r in rows] == [("small", "小课", "finished"), ("next", "小课", "")]


async def test_reset_begins_anew(api: Api, learner: Learner) -> None:
    await learner("start", "small")
    await learner("answer", "2")
    await api.ok("POST", f"{NS}/configmaps", configmap("c", a="1"))
    await learner("next")
    code, said = await learner("reset")
    assert code == 0
    assert "1/2  Make it" in said
    assert progress.load(learner.home).answers == {}
    assert (await api("GET", f"{NS}/configmaps/c"))[0] == 404
    assert (await api("GET", f"{NS}/configmaps/other"))[0] == 200


async def test_another_lesson_takes_the_last_one_down(api: Api, learner: Learner) -> None:
    await learner("start", "small")
    await learner("start", "2")
    assert (await api("GET", f"{NS}/configmaps/other"))[0] == 404
    assert (await api("GET", f"{NS}/configmaps/another"))[0] == 200
    assert progress.load(learner.home).lesson == "next"


async def test_a_lesson_that_no_longer_exists_does_not_stand_in_the_way(learner: Learner) -> None:
    progress.save(learner.home, progress.Progress("gone", 3))
    assert (await learner.error("check")).message == 'no lesson "gone"'
    assert (await learner("start", "small"))[0] == 0


async def test_a_step_that_no_longer_exists_is_the_last_one(learner: Learner) -> None:
    progress.save(learner.home, progress.Progress("small", 30))
    assert (await learner("hint"))[1] == "(1/1) The verb is get."


async def test_what_cannot_be_done_says_what_to_do(learner: Learner) -> None:
    for action in ("check", "hint", "next", "solution", "reset"):
        error = await learner.error(action)
        assert error.message == "no lesson is begun"
        assert "kubelearn lesson start" in error.hint
    assert (await learner.error("start", "nope")).message == 'no lesson "nope"'
    await learner("start", "small")
    error = await learner.error("check", "next")
    assert (error.message, error.hint) == ("you are in lesson small", "begin it with: kubelearn lesson start next")
    for wrong in ("", "0", "3", "two"):
        error = await learner.error("answer", wrong)
        assert (error.message, error.exit_code) == ("which answer?", 2)
    progress.save(learner.home, progress.Progress("small", 1))
    assert (await learner.error("answer", "1")).message == "step look asks nothing"


async def test_events_count_from_the_beginning_of_the_step(api: Api, learner: Learner) -> None:
    await learner("start", "small")
    began = progress.load(learner.home).since
    assert began > 0
    await api.ok("POST", f"{NS}/configmaps", configmap("c", a="1"))
    await learner("answer", "2")
    await learner("next")
    assert progress.load(learner.home).since > began


def test_the_list_shows_how_far_one_is(learner: Learner) -> None:
    progress.save(learner.home, progress.Progress("next", 0, finished=["small"]))
    said: list[str] = []
    assert commands.listing(learner.home, "en", "text", said.append) == 0
    assert [line[0] for line in said] == ["✔", "▶"]


class TestAuthors:
    @pytest.fixture(autouse=True)
    def _short(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("SETTLE", "SHOWING"):
            monkeypatch.setattr(verify, name, 0.05)

    async def test_a_new_lesson_is_sound_as_it_is(self, learner: Learner) -> None:
        said: list[str] = []
        assert authoring.new("my-lesson", said.append) == 0
        assert said == ["made my-lesson/: write its steps, then: kubelearn lesson verify my-lesson"]
        assert static_problems(load(Path("my-lesson").resolve())) == []
        assert authoring.lesson_of("my-lesson").id == "my-lesson"

    @pytest.mark.parametrize("wrong", ["", "../up", "My Lesson", "a/b", "-x"])
    def test_an_id_that_is_none_is_refused(self, learner: Learner, wrong: str) -> None:
        with pytest.raises(KubelearnError) as caught:
            authoring.new(wrong, print)
        assert caught.value.exit_code == 2

    def test_a_folder_that_is_there_is_left_alone(self, learner: Learner) -> None:
        Path("mine").mkdir()
        with pytest.raises(KubelearnError, match="mine exists already"):
            authoring.new("mine", print)
        assert list(Path("mine").iterdir()) == []

    async def test_proving_says_on_which_engine_and_what_is_left(self, learner: Learner) -> None:
        said: list[str] = []
        assert await authoring.prove(learner.client, "small", "text", said.append) == 0
        assert said[-2:] == [
            "1 of 1 lessons proven on engine process",
            "  to prove on a cluster of engine docker: small",
        ]

    async def test_a_fault_is_said_and_is_the_exit_status(self, learner: Learner) -> None:
        (learner.home.parent / "lessons" / "small" / "stray.txt").write_text("")
        said: list[str] = []
        assert await authoring.prove(learner.client, "small", "text", said.append) == 1
        assert said[0] == "  ✗ stray file stray.txt: no command of the lesson uses it"
        assert said[1] == "0 of 1 lessons proven on engine process; not: small"
        said.clear()
        assert await authoring.prove(learner.client, "small", "json", said.append) == 1
        answer = json.loads(said[0])
        assert answer["engine"] == "process"
        assert answer["unproven"] == {"small": ["docker"]}
        assert answer["problems"]["small"] == ["stray file stray.txt: no command of the lesson uses it"]

    async def test_all_leaves_lessons_of_other_engines_to_their_clusters(self, learner: Learner) -> None:
        path = learner.home.parent / "lessons" / "next" / "lesson.yaml"
        path.write_text(changed(path.read_text(), "[docker, process]", "[docker]"))
        said: list[str] = []
        assert await authoring.prove(learner.client, "", "json", said.append) == 0
        answer = json.loads(said[0])
        assert list(answer["problems"]) == ["small"]
        assert answer["unproven"] == {"small": ["docker"], "next": ["docker"]}
        assert [lesson.id for lesson in load_all()] == ["small", "next"]

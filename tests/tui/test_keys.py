"""Every key, pressed in the running app."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from textual.widgets import OptionList, Static
from tui.conftest import Pressed, Rig, until
from tui.world import gate, pod

from kubelearn.tui import screenshot
from kubelearn.tui.widgets.command import CommandLine
from kubelearn.tui.widgets.lesson import LessonPane, Question
from kubelearn.tui.widgets.output import Output
from kubelearn.tui.widgets.picture import Picture
from kubelearn.tui.widgets.status import StatusBar

GATES = "/apis/kubelearn.dev/v1alpha1/gates"


async def ready(rig: Rig, pilot: Pressed) -> None:
    await until(pilot, lambda: rig.app.query(Question))
    await until(pilot, lambda: "2 pods" in checks(rig))


def checks(rig: Rig) -> str:
    return str(rig.app.query_one("#checks", Static).content)


def output(rig: Rig) -> str:
    return rig.app.query_one(Output).text


def line(rig: Rig) -> str:
    return rig.app.query_one(CommandLine).value


async def type_in(pilot: Pressed, text: str) -> None:
    await pilot.press(*({" ": "space", "-": "minus", "/": "slash"}.get(c, c) for c in text))


async def test_hints_grow_clearer_and_the_last_stays(rig: Rig) -> None:
    async with rig.app.run_test(size=(120, 40)) as pilot:
        await ready(rig, pilot)
        await pilot.press("f1")
        await until(pilot, lambda: "Hint 1/2" in screenshot.text(rig.app))
        await pilot.press("f1")
        await until(pilot, lambda: "Hint 2/2" in screenshot.text(rig.app))
        await pilot.press("f1")
        await pilot.pause()
        assert "Hint 2/2" in screenshot.text(rig.app)
    assert json.loads((rig.home / "progress.json").read_text())["hints"] == 2


async def test_the_solution_is_shown(rig: Rig) -> None:
    async with rig.app.run_test(size=(120, 40)) as pilot:
        await ready(rig, pilot)
        await pilot.press("f3")
        await until(pilot, lambda: "delete pod ${pod:app=web}" in screenshot.text(rig.app))


async def test_views_go_round(rig: Rig) -> None:
    async with rig.app.run_test(size=(120, 40)) as pilot:
        await ready(rig, pilot)
        picture = rig.app.query_one(Picture)
        titles = []
        for _ in range(4):
            titles.append(picture.border_title)
            await pilot.press("f2")
        assert titles == ["who owns whom", "traffic", "architecture", "who owns whom"]


async def test_on_a_narrow_screen_the_lesson_takes_its_turn(rig: Rig) -> None:
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await ready(rig, pilot)
        lesson, picture = rig.app.query_one(LessonPane), rig.app.query_one(Picture)
        assert lesson.region
        assert not picture.region
        await pilot.press("f2")
        await until(pilot, lambda: picture.region and not lesson.region)
        await until(pilot, lambda: "ReplicaSet" in picture.text)
        await pilot.press("f2", "f2")
        await until(pilot, lambda: lesson.region and not picture.region)


async def test_the_gate_is_held_stepped_and_let_go(rig: Rig) -> None:
    async with rig.app.run_test(size=(120, 40)) as pilot:
        await ready(rig, pilot)
        bar = rig.app.query_one(StatusBar)
        await pilot.press("f6")
        await until(pilot, lambda: "Every component is held" in output(rig))
        assert all(g["spec"]["paused"] for g in rig.cluster.objects["gates"])
        await pilot.press("f8")
        await until(pilot, lambda: "replicaset-controller sees pods/web-7d4b9-hh2wz MODIFIED" in output(rig))
        assert ("POST", f"{GATES}/replicaset-controller/step") in rig.cluster.requests
        await until(pilot, lambda: "stepping · 0 waiting" in bar.text)
        await pilot.press("f8")
        await until(pilot, lambda: "Nothing waits at the gate" in output(rig))
        await pilot.press("f5")
        await until(pilot, lambda: "Every component goes on" in output(rig))
        assert not any(g["spec"]["paused"] for g in rig.cluster.objects["gates"])
        await until(pilot, lambda: "stepping" not in bar.text)


async def test_the_oldest_event_is_delivered_first(rig: Rig) -> None:
    async with rig.app.run_test(size=(120, 40)) as pilot:
        await ready(rig, pilot)
        rig.cluster.put("gates", gate("kube-scheduler", paused=True, waiting=(("web-2", "ADDED", 90),)))
        await until(pilot, lambda: "▸ kube-scheduler is to see pods/web-2 ADDED" in rig.app.query_one(Picture).text)
        await pilot.press("f8")
        await until(pilot, lambda: "kube-scheduler sees pods/web-2 ADDED" in output(rig))


async def test_focus_goes_round_through_what_can_be_used(rig: Rig) -> None:
    async with rig.app.run_test(size=(120, 40)) as pilot:
        await ready(rig, pilot)
        seen = []
        for _ in range(6):
            assert rig.app.focused is not None
            seen.append(rig.app.focused.id)
            await pilot.press("f7")
        assert seen == ["command", "question", "picture", "timeline", "output", "command"]


async def test_the_lesson_folds(rig: Rig) -> None:
    async with rig.app.run_test(size=(120, 40)) as pilot:
        await ready(rig, pilot)
        picture = rig.app.query_one(Picture)
        before = picture.size.width
        await pilot.press("ctrl+l")
        await until(pilot, lambda: picture.size.width > before)
        assert not rig.app.query_one(LessonPane).region
        await pilot.press("ctrl+l")
        await until(pilot, lambda: picture.size.width == before)


async def test_a_step_is_solved_and_gone_on_from(rig: Rig) -> None:
    async with rig.app.run_test(size=(120, 40)) as pilot:
        await ready(rig, pilot)
        await pilot.press("f4")
        await until(pilot, lambda: "not done yet" in output(rig))
        await pilot.press("1", "enter")
        await until(pilot, lambda: "✗ the kubelet ends" in screenshot.text(rig.app))
        assert "Done. F4" not in checks(rig)
        await pilot.press("2", "enter")
        await until(pilot, lambda: "Done. F4 goes on." in checks(rig))
        await until(pilot, lambda: "Why it worked" in screenshot.text(rig.app))
        assert rig.shell.ran == [], "an answer is no command"
        await pilot.press("f4")
        await until(pilot, lambda: "Let it see" in screenshot.text(rig.app))
        await until(pilot, lambda: "SuccessfulCreate" in checks(rig))
    assert json.loads((rig.home / "progress.json").read_text())["step"] == 2


async def test_the_question_answered_with_the_arrows(rig: Rig) -> None:
    async with rig.app.run_test(size=(120, 40)) as pilot:
        await ready(rig, pilot)
        await pilot.press("f7", "down", "down", "enter")
        await until(pilot, lambda: "✔ the question, answered rightly" in checks(rig))
        assert rig.app.focused is rig.app.query_one(CommandLine)


async def test_a_check_unticks_when_the_cluster_moves_on(rig: Rig) -> None:
    async with rig.app.run_test(size=(120, 40)) as pilot:
        await ready(rig, pilot)
        assert "✔ 2 pods" in checks(rig)
        rig.cluster.put("pods", pod("web-7d4b9-new", "worker-2", "10.244.2.9"))
        await until(pilot, lambda: "○ wanted: 2 pods" in checks(rig) and "seen: 3 pods" in checks(rig))
        await until(pilot, lambda: "web-7d4b9-new" in rig.app.query_one(Picture).text)


async def test_the_end_of_a_lesson_opens_the_next(tmp_path: Path) -> None:
    """The last step solved, F4 tidies up and goes to the first lesson that is not finished."""
    rig = Rig(tmp_path, step=3)
    rig.cluster.objects["deployments"][0]["spec"]["replicas"] = 5
    for i in range(3):
        rig.cluster.objects["pods"].append(pod(f"web-7d4b9-x{i}"))
    async with rig.app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: "The lesson is finished. F4 opens the next one." in checks(rig))
        await pilot.press("f4")
        await until(pilot, lambda: "Your first pod" in rig.app.query_one(StatusBar).text)
        assert ("DELETE", "/apis/apps/v1/namespaces/default/deployments/web") in rig.cluster.requests
        assert rig.shell.folder is not None
        assert rig.shell.folder.name == "first-pod"
        await until(pilot, lambda: "files of this lesson: duo.yaml, hello.yaml" in output(rig))
    assert json.loads((tmp_path / "progress.json").read_text())["finished"] == ["controllers"]


# ---- the shell


async def test_commands_run_one_after_another_however_fast_they_are_typed(rig: Rig) -> None:
    async with rig.app.run_test(size=(120, 40)) as pilot:
        await ready(rig, pilot)
        rig.app.query_one(CommandLine).focus()
        await type_in(pilot, "get pods")
        await pilot.press("enter")
        await type_in(pilot, "nonsense")
        await pilot.press("enter")
        await until(pilot, lambda: 'unknown command "nonsense"' in output(rig))
        assert rig.shell.ran == ["get pods", "nonsense"]
        assert "❯ get pods\nNAME " in output(rig)
    assert json.loads((rig.home / "progress.json").read_text())["commands"] == ["get pods"], (
        "what failed does not count"
    )


async def test_history_goes_back_and_forth_and_keeps_the_draft(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.shell.past = ["first", "second"]
    async with rig.app.run_test(size=(120, 40)) as pilot:
        await ready(rig, pilot)
        await type_in(pilot, "dra")
        seen = []
        for key in ("up", "up", "up", "down", "down", "down"):
            await pilot.press(key)
            seen.append(line(rig))
        assert seen == ["second", "first", "first", "second", "dra", "dra"]


async def test_tab_completes_and_goes_through_the_candidates(rig: Rig) -> None:
    async with rig.app.run_test(size=(120, 40)) as pilot:
        await ready(rig, pilot)
        menu = rig.app.query_one("#menu", OptionList)
        await type_in(pilot, "g")
        await pilot.press("tab")
        await until(pilot, lambda: line(rig) == "get ")
        await type_in(pilot, "p")
        await pilot.press("tab")
        await until(pilot, lambda: menu.display)
        assert line(rig) == "get pod"
        seen = []
        for key in ("tab", "tab", "down", "tab", "shift+tab", "up"):
            await pilot.press(key)
            seen.append(line(rig).removeprefix("get "))
        assert seen == ["pods", "pods/web-1", "podtemplates", "pods", "podtemplates", "pods/web-1"]
        await pilot.press("escape")
        assert line(rig) == "get pod"
        assert not menu.display


async def test_a_chosen_candidate_runs_with_enter_and_typing_on_closes_the_menu(rig: Rig) -> None:
    async with rig.app.run_test(size=(120, 40)) as pilot:
        await ready(rig, pilot)
        menu = rig.app.query_one("#menu", OptionList)
        await type_in(pilot, "get p")
        await pilot.press("tab")
        await until(pilot, lambda: menu.display)
        await type_in(pilot, "s")
        await until(pilot, lambda: not menu.display)
        await pilot.press("backspace", "tab")
        await until(pilot, lambda: menu.display)
        await pilot.press("tab", "enter")
        await until(pilot, lambda: rig.shell.ran == ["get pods"])
        assert not menu.display


async def test_what_stands_after_the_cursor_stays(rig: Rig) -> None:
    async with rig.app.run_test(size=(120, 40)) as pilot:
        await ready(rig, pilot)
        await type_in(pilot, "lo xx")
        await pilot.press("left", "left", "left", "tab")
        await until(pilot, lambda: line(rig) == "logs  xx")


async def test_ctrl_c_ends_the_running_command_and_empties_the_line(rig: Rig) -> None:
    async with rig.app.run_test(size=(120, 40)) as pilot:
        await ready(rig, pilot)
        await type_in(pilot, "hang")
        await pilot.press("enter")
        await until(pilot, lambda: rig.shell.ran == ["hang"])
        await type_in(pilot, "half")
        await pilot.press("ctrl+c")
        assert line(rig) == ""
        assert not rig.shell.cancelled
        await pilot.press("ctrl+c")
        await until(pilot, lambda: rig.shell.cancelled)
        await type_in(pilot, "get pods")
        await pilot.press("enter")
        await until(pilot, lambda: "web-7d4b9-k2pxm" in output(rig))


async def test_pasted_lines_are_run_and_the_rest_waits(rig: Rig) -> None:
    from textual import events

    async with rig.app.run_test(size=(120, 40)) as pilot:
        await ready(rig, pilot)
        rig.app.query_one(CommandLine).post_message(events.Paste("get pods\nkubectl get pods\nget "))
        await until(pilot, lambda: rig.shell.ran == ["get pods", "kubectl get pods"])
        assert line(rig) == "get "


async def test_clear_empties_the_output(rig: Rig) -> None:
    async with rig.app.run_test(size=(120, 40)) as pilot:
        await ready(rig, pilot)
        await type_in(pilot, "clear")
        await pilot.press("enter")
        await until(pilot, lambda: output(rig) == "")


@pytest.mark.parametrize("keys", [["ctrl+q"], ["ctrl+d"], [*"exit", "enter"]])
async def test_ways_to_leave(rig: Rig, keys: list[str]) -> None:
    async with rig.app.run_test(size=(120, 40)) as pilot:
        await ready(rig, pilot)
        await pilot.press(*keys)
        await until(pilot, lambda: rig.app._exit)
    assert rig.app.return_code == 0


async def test_a_lost_cluster_is_said_and_found_again(rig: Rig) -> None:
    async with rig.app.run_test(size=(120, 40)) as pilot:
        await ready(rig, pilot)
        rig.cluster.broken = True
        await pilot.press("2", "enter")
        bar = rig.app.query_one(StatusBar)
        await until(pilot, lambda: "✗ no connection to the cluster: connection refused" in bar.text)
        rig.cluster.broken = False
        await until(pilot, lambda: "no connection" not in bar.text)


async def test_the_palette_has_every_action(rig: Rig) -> None:
    async with rig.app.run_test(size=(120, 40)) as pilot:
        await ready(rig, pilot)
        titles = [c.title for c in rig.app.get_system_commands(rig.app.screen)]
        assert titles[:4] == ["hint", "view", "solution", "next"]
        assert titles[-1] == "Change the colours"

"""Whole screens, character by character, at the three sizes and in both languages, and two in full colour.

`UPDATE_SCREENS=1 pytest tests/tui/test_screens.py` writes the expected ones anew; look at what changed.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from textual.widgets import Static
from tui.conftest import Pressed, Rig, until

from kubelearn.graph.canvas import columns
from kubelearn.tui import screenshot
from kubelearn.tui.widgets.lesson import Question
from kubelearn.tui.widgets.picture import Picture
from kubelearn.tui.widgets.status import StatusBar
from kubelearn.tui.widgets.timeline import Timeline

SCREENS = Path(__file__).with_name("screens")
SIZES = [(80, 24), (120, 40), (200, 60)]


async def settled(pilot: Pressed) -> None:
    """Everything that is to come is on the screen: question, ticks, picture and timeline."""
    app = pilot.app
    narrow = app.screen.has_class("-narrow")
    await until(pilot, lambda: app.query(Question) and "2/2" in app.query_one(StatusBar).text)
    await until(pilot, lambda: "2 pods" in str(app.query_one("#checks", Static).content))
    await until(pilot, lambda: narrow or "Deployment" in app.query_one(Picture).text)
    await until(pilot, lambda: narrow or "r184" in app.query_one(Timeline).text)
    await pilot.pause()


@pytest.mark.parametrize("size", SIZES, ids=lambda s: f"{s[0]}x{s[1]}")
@pytest.mark.parametrize("language", ["en", "zh"])
async def test_the_learning_screen_while_the_gate_holds(tmp_path: Path, size: tuple[int, int], language: str) -> None:
    rig = Rig(tmp_path, language)
    async with rig.app.run_test(size=size) as pilot:
        await settled(pilot)
        if size[0] > 80:
            await pilot.press("f2", "f2")
        await pilot.pause()
        seen = screenshot.text(rig.app)
    for line in seen.splitlines():
        assert columns(line) <= size[0]
    compare(f"{language}-{size[0]}x{size[1]}", seen)


def compare(name: str, seen: str) -> None:
    path = SCREENS / f"{name}.txt"
    if os.environ.get("UPDATE_SCREENS"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(seen, encoding="utf-8")
    assert seen == path.read_text(encoding="utf-8")


async def test_what_is_hidden_below_is_marked(tmp_path: Path) -> None:
    """80×24 cannot show a whole step: the lesson says that there is more, and PgDn shows it."""
    rig = Rig(tmp_path)
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert "▾ PgDn: more" in screenshot.text(rig.app)
        assert "3 the Deployment creates" not in screenshot.text(rig.app)
        for _ in range(5):
            await pilot.press("pagedown")
        await until(pilot, lambda: "▾ PgDn: more" not in screenshot.text(rig.app))
        assert "3 the Deployment creates" in screenshot.text(rig.app)


async def test_a_terminal_that_is_too_small_says_so(rig: Rig) -> None:
    async with rig.app.run_test(size=(50, 20)) as pilot:
        await pilot.pause()
        assert "Too small: at least 60×16 is needed" in screenshot.text(rig.app)
        await pilot.resize_terminal(120, 40)
        await settled(pilot)
        assert "Too small" not in screenshot.text(rig.app)


async def test_the_picture_as_svg_holds_what_the_screen_shows(rig: Rig) -> None:
    async with rig.app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        root = ElementTree.fromstring(screenshot.svg(rig.app))
    words = {t.text for t in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {"ReplicaSet", "web-7d4b9-k2pxm", "❯"} <= words


def test_colours(snap_compare: Callable[..., bool], tmp_path: Path) -> None:
    """One screen in full colour; the others are compared as characters, which every version of Textual draws alike."""
    assert snap_compare(Rig(tmp_path).app, terminal_size=(120, 40), run_before=settled)

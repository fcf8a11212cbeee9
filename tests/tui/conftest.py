"""The app on a made-up cluster, in the middle of the lesson on controllers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot
from tui.fake import FakeCluster, FakeShell
from tui.world import world

from kubelearn.client.rest import Client
from kubelearn.lessons import progress
from kubelearn.tui.app import KubelearnApp

Pressed = Pilot[int]


class Rig:
    """An app not yet run, and what it talks to."""

    def __init__(self, home: Path, language: str = "en", lesson: str = "controllers", step: int = 1) -> None:
        self.home = home
        if lesson:
            progress.save(home, progress.Progress(lesson=lesson, step=step))
        self.cluster = FakeCluster(world())
        self.shell = FakeShell(
            {
                "kubectl get pods": (0, "NAME              READY   STATUS\nweb-7d4b9-k2pxm   1/1     Running\n"),
                "get pods": (0, "NAME              READY   STATUS\nweb-7d4b9-k2pxm   1/1     Running\n"),
            },
            ("get", "pods", "pods/web-1", "podtemplates", "logs"),
        )
        self.app = KubelearnApp(
            Client(self.cluster), self.shell, home, cluster="kubelearn-local", language=language, lesson_id=""
        )


async def until(pilot: Pressed, true: Callable[[], object], seconds: float = 20) -> None:
    """Wait for a condition, not for a time."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not true():
        assert asyncio.get_running_loop().time() < deadline, "never came true"
        await pilot.pause(0.02)


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)

"""Make the README's picture from the real app on a real cluster: `python tools/readme_picture.py`.

Starts a cluster of its own (process engine), opens the lesson on controllers in the app without a terminal, types what a
learner would, and writes assets/readme/tui.svg when the screen shows it. Takes about ten seconds.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from textual.pilot import Pilot
from textual.widgets import Static

from kubelearn.client import kubeconfig
from kubelearn.client.rest import Client
from kubelearn.kubectl.session import Session
from kubelearn.tui import screenshot
from kubelearn.tui.app import KubelearnApp
from kubelearn.tui.shell import SessionShell
from kubelearn.tui.widgets.command import CommandLine
from kubelearn.tui.widgets.lesson import Question
from kubelearn.tui.widgets.output import Output
from kubelearn.tui.widgets.picture import Picture

PICTURE = Path(__file__).parents[1] / "assets" / "readme" / "tui.svg"
NAME = "local"


async def until(pilot: Pilot[int], true: Callable[[], object]) -> None:
    deadline = asyncio.get_running_loop().time() + 60
    while not true():
        if asyncio.get_running_loop().time() > deadline:
            raise TimeoutError(screenshot.text(pilot.app))
        await pilot.pause(0.05)


async def draw(folder: Path) -> str:
    config = kubeconfig.load(folder / "kubeconfig")
    transport = kubeconfig.transport(config)
    client = Client(transport)
    shell = SessionShell(Session(client), folder / "tui-history")
    app = KubelearnApp(client, shell, folder, cluster=config.context, lesson_id="controllers")
    try:
        async with app.run_test(size=(120, 40)) as pilot:
            await play(app, pilot)
            return screenshot.svg(app)
    finally:
        await transport.close()


async def play(app: KubelearnApp, pilot: Pilot[int]) -> None:
    """To the moment in which a pod is gone and the controller has not seen it yet."""
    output, picture = app.query_one(Output), app.query_one(Picture)

    async def enter(line: str, shown: str) -> None:
        app.query_one(CommandLine).value = line
        await pilot.press("enter")
        await until(pilot, lambda: shown in output.text)

    await until(pilot, lambda: app.query(Question))
    await enter("kubectl expose deployment web --port=80 --target-port=8080", "service/web exposed")
    await enter("2", "❯ 2")
    await enter("kubectl get deployments,replicasets,pods", "pod/web-")
    await until(pilot, lambda: "Done" in str(app.query_one("#checks", Static).content))
    await pilot.press("f4")
    await until(pilot, lambda: "controller is paused" in screenshot.text(app))
    await enter("clear", "")
    await until(pilot, lambda: output.text == "")
    await pilot.press("f2", "f2")
    await until(pilot, lambda: "3 of 3 endpoints ready" in picture.text)
    await enter("kubectl get pods", "Running")
    first = next(word for word in output.text.split() if word.startswith("web-"))
    await enter(f"kubectl delete pod {first}", f'pod "{first}" deleted')
    await until(pilot, lambda: "2 of 2 endpoints ready" in picture.text and first not in picture.text.split("┌ ●")[1])
    await enter("2", "❯ 2")
    await until(pilot, lambda: "Done" in str(app.query_one("#checks", Static).content))


def main() -> None:
    with tempfile.TemporaryDirectory() as home:
        os.environ["KUBELEARN_HOME"] = home
        kubelearn = [sys.executable, "-m", "kubelearn"]
        subprocess.run([*kubelearn, "up", "--name", NAME, "--engine", "process"], check=True)
        try:
            drawn = asyncio.run(draw(Path(home) / "clusters" / NAME))
        finally:
            subprocess.run([*kubelearn, "down", "--name", NAME], check=True)
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    PICTURE.write_text(drawn, encoding="utf-8")
    sys.stdout.write(f"{PICTURE}: {len(drawn) // 1024} KB\n")


if __name__ == "__main__":
    main()

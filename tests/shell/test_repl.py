"""The REPL on a terminal that the test holds: keys go in, the exit status comes out."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output import DummyOutput

from kubelearn.client.transport import TransportError
from kubelearn.kubectl.complete import Suggestion
from kubelearn.kubectl.session import Session, Write
from kubelearn.shell.lines import run_line
from kubelearn.shell.repl import Live, repl


class FakeSession:
    """Answers `ok` with 0, anything else with 1; `hang` never ends by itself; `lost` finds no server."""

    namespace = "default"

    def __init__(self) -> None:
        self.ran: list[str] = []
        self.started = asyncio.Event()
        self.asked: list[tuple[str, int]] = []

    async def execute(self, line: str, out: Write, err: Write, *, color: bool = False, width: int = 120) -> int:
        self.ran.append(line)
        self.started.set()
        if line == "hang":
            await asyncio.Event().wait()
        if line == "lost":
            raise TransportError("connection refused")
        out(f"ran {line}\n")
        return 0 if line == "ok" else 1

    async def suggest(self, text: str, cursor: int) -> list[Suggestion]:
        self.asked.append((text, cursor))
        if "lost" in text:
            raise TransportError("connection refused")
        return [Suggestion("pods", 4, "po\nmore"), Suggestion("podtemplates", 4)]


@pytest.fixture
def session() -> FakeSession:
    return FakeSession()


@pytest.fixture
async def keys() -> AsyncIterator[PipeInput]:
    with create_pipe_input() as given, create_app_session(input=given, output=DummyOutput()):
        yield given


def real(session: FakeSession) -> Session:
    return cast(Session, session)


async def test_lines_run_in_order_and_the_last_status_is_the_exit_status(session: FakeSession, keys: PipeInput) -> None:
    keys.send_text("ok\n\nbad\nexit\n")
    assert await repl(real(session)) == 1
    assert session.ran == ["ok", "bad"]


async def test_ctrl_d_leaves_with_the_last_status(session: FakeSession, keys: PipeInput) -> None:
    keys.send_text("ok\n\x04")
    assert await repl(real(session)) == 0


async def test_ctrl_c_drops_the_line_and_the_prompt_comes_back(session: FakeSession, keys: PipeInput) -> None:
    keys.send_text("half a line\x03ok\nquit\n")
    assert await repl(real(session)) == 0
    assert session.ran == ["ok"]


async def test_history_is_kept_between_runs(session: FakeSession, keys: PipeInput, tmp_path: Path) -> None:
    keys.send_text("ok\n\x04")
    await repl(real(session), tmp_path / "history")
    keys.send_text("\x1b[A\n\x04")
    await repl(real(session), tmp_path / "history")
    assert session.ran == ["ok", "ok"]


async def test_ctrl_c_ends_the_running_command(session: FakeSession, capsys: pytest.CaptureFixture[str]) -> None:
    running = asyncio.get_running_loop().create_task(run_line(real(session), "hang"))
    await session.started.wait()
    os.kill(os.getpid(), signal.SIGINT)
    assert await running == 130
    assert "^C" in capsys.readouterr().out


async def test_a_lost_server_is_an_error_not_the_end(session: FakeSession, capsys: pytest.CaptureFixture[str]) -> None:
    assert await run_line(real(session), "lost") == 1
    assert capsys.readouterr().err == "error: connection refused\n"


async def test_completions_replace_the_word_at_the_cursor(session: FakeSession) -> None:
    found = [c async for c in Live(real(session)).get_completions_async(Document("get po", 6), CompleteEvent())]
    assert [(c.text, c.start_position, c.display_meta_text) for c in found] == [
        ("pods", -2, "po"),
        ("podtemplates", -2, ""),
    ]
    assert session.asked == [("get po", 6)]


async def test_completion_is_silent_when_the_server_is_lost(session: FakeSession) -> None:
    assert [c async for c in Live(real(session)).get_completions_async(Document("lost ", 5), CompleteEvent())] == []

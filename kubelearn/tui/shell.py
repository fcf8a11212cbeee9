"""What the shell pane needs of a shell, and such a shell on a session with kubelearn's kubectl."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from kubelearn.kubectl.session import Session
from kubelearn.tui.completing import Candidate

_HISTORY = 500


class Shell(Protocol):
    """Runs a line, completes a line, remembers lines."""

    async def execute(self, line: str, write: Callable[[str], None], width: int) -> int: ...
    async def complete(self, text: str, cursor: int) -> Sequence[Candidate]: ...
    def namespace(self) -> str: ...
    def enter(self, folder: Path) -> None:
        """Relative file names are looked up in `folder` from now on."""
        ...

    def history(self) -> Sequence[str]: ...
    def remember(self, line: str) -> None: ...


class SessionShell:
    """`history` is a file of lines, the newest last."""

    def __init__(self, session: Session, history: Path) -> None:
        self._session, self._history = session, history

    async def execute(self, line: str, write: Callable[[str], None], width: int) -> int:
        return await self._session.execute(line, write, write, width=width)

    async def complete(self, text: str, cursor: int) -> Sequence[Candidate]:
        return [Candidate(s.text, s.start, s.description) for s in await self._session.suggest(text, cursor)]

    def namespace(self) -> str:
        return self._session.namespace

    def enter(self, folder: Path) -> None:
        self._session.folder = folder

    def history(self) -> Sequence[str]:
        if not self._history.exists():
            return ()
        return self._history.read_text(encoding="utf-8", errors="replace").splitlines()[-_HISTORY:]

    def remember(self, line: str) -> None:
        with self._history.open("a", encoding="utf-8") as file:
            file.write(line + "\n")

"""The prompt_toolkit REPL: completion with live names, history, and Ctrl-C for the running command."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

from prompt_toolkit import PromptSession
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.history import FileHistory
from prompt_toolkit.patch_stdout import patch_stdout

from kubelearn.api.errors import ApiError
from kubelearn.client.transport import TransportError
from kubelearn.kit.errors import KubelearnError
from kubelearn.kubectl.session import Session
from kubelearn.shell.lines import leaves, run_line, says_nothing


class Live(Completer):
    def __init__(self, session: Session) -> None:
        self._session = session

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> list[Completion]:
        return []

    async def get_completions_async(
        self, document: Document, complete_event: CompleteEvent
    ) -> AsyncGenerator[Completion, None]:
        try:
            found = await self._session.suggest(document.text, document.cursor_position)
        except (TransportError, ApiError, KubelearnError):
            return
        for item in found:
            yield Completion(
                item.text, item.start - document.cursor_position, display_meta=item.description.partition("\n")[0]
            )


async def repl(session: Session, history: Path | None = None, title: str = "") -> int:
    """Until Ctrl-D or `exit`; the status of the last command."""
    prompt: PromptSession[str] = PromptSession(
        history=FileHistory(str(history)) if history else None,
        completer=Live(session),
        auto_suggest=AutoSuggestFromHistory(),
        complete_while_typing=False,
        bottom_toolbar=lambda: f" {title} · namespace {session.namespace} · Tab completes · Ctrl-D leaves",
    )
    code = 0
    while True:
        try:
            with patch_stdout():
                line = (await prompt.prompt_async("❯ ")).strip()
        except KeyboardInterrupt:
            continue
        except EOFError:
            return code
        if leaves(line):
            return code
        if not says_nothing(line):
            code = await run_line(session, line)

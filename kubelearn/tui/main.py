"""Start the app against a cluster: connect, adapt the shell to it, run until the learner leaves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from kubelearn.client import kubeconfig
from kubelearn.client.rest import Client
from kubelearn.kubectl.session import Session
from kubelearn.tui.app import KubelearnApp, Shell
from kubelearn.tui.widgets.shell import Candidate


async def run(config_path: Path, home: Path, language: str, lesson_id: str) -> int:
    """The exit status of the app. `home` is the cluster's folder, where progress is kept."""
    config = kubeconfig.load(config_path)
    transport = kubeconfig.transport(config)
    session = Session(Client(transport), namespace=config.namespace or "default")

    async def execute(line: str, write: Callable[[str], None]) -> int:
        return await session.execute(line, write, write)

    async def complete(text: str, cursor: int) -> Sequence[Candidate]:
        return [Candidate(s.text, s.start, s.description) for s in await session.suggest(text, cursor)]

    app = KubelearnApp(
        Client(transport),
        Shell(execute, complete),
        home,
        cluster=config.context,
        language=language,
        lesson_id=lesson_id,
    )
    try:
        return await app.run_async() or 0
    finally:
        await transport.close()

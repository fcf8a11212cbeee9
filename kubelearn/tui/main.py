"""Start the app against a cluster: connect, give it a shell, run until the learner leaves."""

from __future__ import annotations

from pathlib import Path

from kubelearn.client import kubeconfig
from kubelearn.client.rest import Client
from kubelearn.kubectl.session import Session
from kubelearn.tui.app import KubelearnApp
from kubelearn.tui.shell import SessionShell


async def run(config_path: Path, home: Path, language: str, lesson_id: str) -> int:
    """The exit status of the app. `home` is the cluster's folder, where progress and history are kept."""
    config = kubeconfig.load(config_path)
    transport = kubeconfig.transport(config)
    session = Session(Client(transport), namespace=config.namespace or "default")
    app = KubelearnApp(
        Client(transport),
        SessionShell(session, home / "tui-history"),
        home,
        cluster=config.context,
        language=language,
        lesson_id=lesson_id,
    )
    try:
        return await app.run_async() or app.return_code or 0
    finally:
        await transport.close()

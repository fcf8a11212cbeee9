"""`kubelearn shell`: the REPL as a process, or one line with `-c`."""

from __future__ import annotations

import sys
from pathlib import Path

from kubelearn.client import kubeconfig
from kubelearn.client.rest import Client
from kubelearn.kubectl.session import Session


async def shell(config_path: Path | None, context: str, line: str | None) -> int:
    """Against the cluster of `config_path`, or of `context` in the user's kubeconfig. The last exit status."""
    config = kubeconfig.load(config_path, context)
    transport = kubeconfig.transport(config)
    session = Session(Client(transport), namespace=config.namespace or "default")
    try:
        if line is not None:
            return await session.execute(line, sys.stdout.write, sys.stderr.write)
        from kubelearn.shell.repl import repl

        history = config_path.parent / "shell-history" if config_path else None
        return await repl(session, history, config.context)
    finally:
        await transport.close()
        sys.stdout.flush()

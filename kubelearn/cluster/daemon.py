"""The control-plane process of one cluster: `python -m kubelearn.cluster.daemon NAME`.

It wires the store, the API server, the controllers, the scheduler, the cluster DNS and the engine's gateway, makes
the nodes, and runs until SIGTERM. It tells whoever started it how far it is on standard output, one JSON object
a line: {"progress": text}, then {"ready": true} or {"error": text, "hint": text}; after that it is silent.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import gc
import json
import logging
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO

from kubelearn.cluster.state import PLAN_FD, ClusterConfig, ClusterFolder, os_errors
from kubelearn.kit.errors import KubelearnError

log = logging.getLogger(__name__)

Report = Callable[[dict[str, object]], None]


def main(argv: list[str]) -> int:
    if held := os.environ.pop(PLAN_FD, ""):
        os.set_inheritable(int(held), False)  # ours for life, and no node's
    folder = ClusterFolder.of(argv[0])
    report = _reporter()
    config = folder.read()
    if config is None:
        report({"error": f'no cluster "{folder.name}"', "hint": "start one with: kubelearn up"})
        return 1
    folder.log.parent.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(
        filename=folder.log, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    lock = _lock(folder)
    if lock is None:
        report({"error": f'cluster "{folder.name}" is already running', "hint": ""})
        return 1
    import uvloop

    # A store of many objects is a large heap without cycles: to walk it often costs more than it finds.
    gc.set_threshold(50_000, 20, 100)
    # The store's thread wants Python's lock back after each sync: of a busy loop, it would get it 5 ms later.
    sys.setswitchinterval(0.0005)
    try:
        with os_errors(f"the control plane cannot work in {folder.root}"):
            uvloop.run(_run(folder, config, report))
    except KubelearnError as error:
        log.exception("the control plane could not start")
        report({"error": error.message, "hint": error.hint})
        return 1
    except Exception as error:
        log.exception("the control plane failed")
        report({"error": f"the control plane failed: {error}", "hint": f"see {folder.log}"})
        raise
    return 0


def _reporter() -> Report:
    """Writes a line to standard output as long as somebody reads it."""

    def report(line: dict[str, object]) -> None:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.write(json.dumps(line) + "\n")
            sys.stdout.flush()

    return report


def _lock(folder: ClusterFolder) -> IO[str] | None:
    file = Path(folder.lock).open("a+")  # noqa: SIM115  held for the life of the process
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return None
    file.seek(0)
    file.truncate()
    file.write(str(os.getpid()))
    file.flush()
    return file


async def _run(folder: ClusterFolder, config: ClusterConfig, report: Report) -> None:
    from kubelearn.cluster.control_plane import ControlPlane

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stop.set)
    plane = ControlPlane(folder, config, lambda text: report({"progress": text}))
    try:
        await plane.start()
        waiting = loop.create_task(stop.wait())
        nodes = loop.create_task(plane.nodes_ready())
        await asyncio.wait({waiting, nodes}, return_when=asyncio.FIRST_COMPLETED)
        if nodes.done():
            nodes.result()
            report({"ready": True})
        nodes.cancel()
        _detach()
        await waiting
    finally:
        await plane.close()


def _detach() -> None:
    """Let go of the starter's pipe, so that it sees the end of our report."""
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1):
        os.dup2(null, descriptor)
    os.close(null)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""One container of the process engine: its record on disk, and the shim that runs it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable

from kubelearn.api.cri import Container, CriError
from kubelearn.engines import _process_records as records
from kubelearn.engines._process_privileges import limits
from kubelearn.engines._process_session import PYTHON, SHIM
from kubelearn.engines._process_watch import Watched
from kubelearn.kit.tasks import Tasks

_KILL_SECONDS = 5.0


class ContainerHandle:
    """State changes are told to `changed(event type, handle)`."""

    def __init__(
        self, record: records.ContainerRecord, tasks: Tasks, changed: Callable[[str, ContainerHandle], None]
    ) -> None:
        self.record = record
        self.view = record.view()
        self.exited = asyncio.Event()
        self._tasks = tasks
        self._changed = changed
        self._process: Watched | None = None
        self._starting = asyncio.Lock()

    def adopt(self) -> None:
        """Look at what the disk says after a restart of the control plane."""
        if self.view.state == "EXITED":
            self.exited.set()
        elif shim := self.record.shim():
            self._follow(Watched(shim.pid, shim.start))

    async def start(self) -> None:
        """Returns when the main process runs; raises CriError when it cannot be started."""
        async with self._starting:
            if self.view.state != "CREATED":
                raise CriError("RunContainerError", f"container {self.record.id} is {self.view.state.lower()}")
            pid, answer = await self._spawn()
            if not answer.startswith("ok"):
                await Watched(pid, "-").ended()
                problem = answer.removeprefix("error ") or "the container's shim did not start"
                await asyncio.to_thread(records.save_exit, self.record, 128, time.time(), "StartError")
                self._ended(None)
                self.view.message = problem
                raise CriError("RunContainerError", f"failed to create containerd task: {problem}")
            shim = await asyncio.to_thread(self.record.shim)
            assert shim is not None
            self.view.state, self.view.started_at = "RUNNING", shim.at
            self._follow(Watched(shim.pid, shim.start))
            self._changed("CONTAINER_STARTED", self)

    async def _spawn(self) -> tuple[int, str]:
        """The shim's pid and its report."""
        reading, writing = os.pipe()
        try:
            pid = self._launch(writing)
        finally:
            os.close(writing)
        try:
            return pid, (await _read_once(reading)).decode(errors="replace")
        finally:
            os.close(reading)

    def _launch(self, report: int) -> int:
        """A session of its own, so that nothing that ends the control plane ends the container."""
        record, config = self.record, self.record.config
        flags = ["1" if config.tty else "0", "1" if config.stdin else "0", str(config.memory_limit)]
        flags.append(limits(config.security))
        where = [str(record.folder), str(record.directory), "3"]
        argv = [*PYTHON, SHIM, "run", *where, *flags, "--", *record.argv]
        errors = str(record.folder / "shim.log")
        actions: list[tuple[object, ...]] = [
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
            (os.POSIX_SPAWN_OPEN, 2, errors, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
        ]
        if report == 3:
            os.set_inheritable(report, True)
        else:
            actions.append((os.POSIX_SPAWN_DUP2, report, 3))
        return os.posix_spawn(sys.executable, argv, record.env, file_actions=actions, setsid=True)

    def _follow(self, process: Watched) -> None:
        self._process = process
        self._tasks.start(self._until_end(process), f"container/{self.record.id[:12]}")

    async def _until_end(self, process: Watched) -> None:
        await process.ended()
        shim = await asyncio.to_thread(self.record.shim)
        if shim and await asyncio.to_thread(self.record.exit) is None:
            # The shim itself was killed: nobody saw the exit code, and nobody may be left behind.
            main = Watched(shim.child, shim.child_start)
            if main.alive:
                os.killpg(shim.child, signal.SIGKILL)
            main.close()
            await asyncio.to_thread(records.save_exit, self.record, 137, time.time(), "ContainerStatusUnknown")
        self._ended(process)

    def _ended(self, process: Watched | None) -> None:
        message = self.view.message
        self.view = self.record.view()
        self.view.message = message
        if process is None or self._process is process:
            self._process = None
        self.exited.set()
        self._changed("CONTAINER_STOPPED", self)

    async def stop(self, grace_seconds: float) -> None:
        """SIGTERM, then SIGKILL after the grace period; returns when it is gone."""
        process = self._process
        if process is None:
            return
        if grace_seconds > 0:
            process.signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(grace_seconds):
                    await self.exited.wait()
            except TimeoutError:
                pass
            else:
                return
        process.signal(signal.SIGUSR1)
        try:
            async with asyncio.timeout(_KILL_SECONDS):
                await self.exited.wait()
        except TimeoutError:
            process.signal(signal.SIGKILL)
            await self.exited.wait()

    def members(self) -> list[int]:
        """The sessions of this container's processes: the main one's. Empty when it does not run."""
        shim = self.record.shim() if self.view.state == "RUNNING" else None
        return [shim.child] if shim else []

    async def exit_code(self) -> int:
        await self.exited.wait()
        return self.view.exit_code

    def status(self) -> Container:
        return self.view


async def _read_once(descriptor: int) -> bytes:
    """What a pipe has to say first. Not `connect_read_pipe`: uvloop closes the descriptor, and its file object closes
    it again, by when it may be somebody else's."""
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(descriptor, readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(descriptor)
    return os.read(descriptor, 4096)

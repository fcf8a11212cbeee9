"""Wait for a process that need not be our child: by pidfd on Linux, by looking again elsewhere."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from pathlib import Path

_LOOK_AGAIN_SECONDS = 0.2


def start_time(pid: int) -> str:
    """As the shim's: clock ticks since boot, empty when there is no such process or no /proc."""
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[19].decode()
    except OSError:
        return ""


class Watched:
    """One process, told by pid and start time; signals never reach another that got the same pid later."""

    def __init__(self, pid: int, start: str) -> None:
        self.pid = pid
        self._start = start
        self._fd = -1
        if hasattr(os, "pidfd_open"):
            with contextlib.suppress(ProcessLookupError):
                self._fd = os.pidfd_open(pid)
        self.alive = self._is_same()

    def _is_same(self) -> bool:
        if self._start in ("", "-"):
            try:
                os.kill(self.pid, 0)
            except OSError:
                return False
            return True
        return start_time(self.pid) == self._start and not is_zombie(self.pid)

    def signal(self, number: int) -> None:
        """Nothing happens when it has ended."""
        if not self.alive:
            return
        with contextlib.suppress(ProcessLookupError):
            if self._fd >= 0:
                signal.pidfd_send_signal(self._fd, number)
            else:
                os.kill(self.pid, number)

    async def ended(self) -> None:
        """Returns when the process is gone; a child of ours is reaped."""
        if self.alive and self._fd >= 0:
            loop = asyncio.get_running_loop()
            done = asyncio.Event()
            loop.add_reader(self._fd, done.set)
            try:
                await done.wait()
            finally:
                loop.remove_reader(self._fd)
        while self.alive and self._fd < 0 and self._is_same():  # noqa: ASYNC110  no pidfd here
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)
        self.alive = False
        self.close()
        self._reap()

    def _reap(self) -> None:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, os.WNOHANG)

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def kill_inside(folder: Path) -> None:
    """SIGKILL to every node and container process whose root is inside `folder`, by its environment: for when what was
    written of it cannot be read."""
    mark = f"KUBELEARN_ROOT={folder}/".encode()
    for path in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if any(variable.startswith(mark) for variable in path.read_bytes().split(b"\0")):
                os.kill(int(path.parent.name), signal.SIGKILL)


def is_zombie(pid: int) -> bool:
    return process_state(pid) in ("Z", "X")


def process_state(pid: int) -> str:
    """R, S, T (stopped), Z…; empty when unknown."""
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0].decode()
    except OSError:
        return ""


def session_members() -> dict[int, list[tuple[int, float, int]]]:
    """Every process by session: pid, CPU seconds used, resident bytes. One pass over /proc; blocking."""
    ticks, page = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")
    found: dict[int, list[tuple[int, float, int]]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_bytes().rpartition(b")")[2].split()
        except OSError:
            continue
        cpu = sum(int(f) for f in fields[11:15]) / ticks
        member = (int(path.parent.name), cpu, int(fields[21]) * page)
        found.setdefault(int(fields[3]), []).append(member)
    return found

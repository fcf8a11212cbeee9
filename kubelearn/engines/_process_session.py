"""Interactive commands on the process engine: exec makes a new process, attach joins the main one through its shim."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import signal
import struct
import sys
import termios
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from kubelearn.api.cri import CriError
from kubelearn.engines import _process_logs as shim_socket
from kubelearn.kit.tasks import Tasks

SHIM = str(Path(__file__).with_name("_process_shim.py"))
PYTHON = (sys.executable, "-I", "-S")
Output = tuple[int, bytes]


class ExecProcess:
    """A command started beside the main process, with its environment, folder and container id."""

    def __init__(self, process: asyncio.subprocess.Process, master: int) -> None:
        self._process = process
        self._master = master
        self._tasks = Tasks(f"exec-{process.pid}")
        self._queue: asyncio.Queue[Output | None] = asyncio.Queue(64)

    @classmethod
    async def start(cls, command: list[str], env: dict[str, str], cwd: Path, tty: bool, stdin: bool) -> ExecProcess:
        """Raises CriError as runc words a command that cannot be started."""
        master = slave = -1
        where: int = asyncio.subprocess.PIPE
        if tty:
            master, slave = os.openpty()
            command, where = [*PYTHON, SHIM, "tty", *command], slave
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                env=env,
                cwd=cwd,
                stdin=where if stdin or tty else asyncio.subprocess.DEVNULL,
                stdout=where,
                stderr=where,
                start_new_session=True,
            )
        except OSError as error:
            if master >= 0:
                os.close(master)
            raise CriError("ExecError", not_started(command[0], error)) from error
        finally:
            if slave >= 0:
                os.close(slave)
        session = cls(process, master)
        await session._pump()
        return session

    async def _pump(self) -> None:
        if self._master >= 0:
            self._open = 1
            self._tasks.start(self._read_terminal(), "output")
            return
        pair = ((1, self._process.stdout), (2, self._process.stderr))
        readers = [(stream, r) for stream, r in pair if r is not None]
        self._open = len(readers)
        for stream, reader in readers:
            self._tasks.start(self._read(stream, reader), f"output-{stream}")

    async def _read_terminal(self) -> None:
        """Not `connect_read_pipe`: uvloop closes the descriptor twice, the second time perhaps somebody else's."""
        loop = asyncio.get_running_loop()
        readable = asyncio.Event()
        loop.add_reader(self._master, readable.set)
        try:
            while True:
                await readable.wait()
                readable.clear()
                data = os.read(self._master, 32768)
                if not data:
                    break
                await self._queue.put((1, data))
        except OSError:
            pass  # a terminal ends with EIO
        finally:
            loop.remove_reader(self._master)
            await self._queue.put(None)

    async def _read(self, stream: int, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(OSError):  # a terminal ends with EIO
            while data := await reader.read(32768):
                await self._queue.put((stream, data))
        self._open -= 1
        if not self._open:
            await self._queue.put(None)

    async def output(self) -> AsyncIterator[Output]:
        while (item := await self._queue.get()) is not None:
            yield item

    async def write(self, data: bytes) -> None:
        if self._master >= 0:
            await asyncio.to_thread(os.write, self._master, data)
        elif self._process.stdin is not None:
            with contextlib.suppress(ConnectionError):
                self._process.stdin.write(data)
                await self._process.stdin.drain()

    async def close_stdin(self) -> None:
        if self._master >= 0:
            await asyncio.to_thread(os.write, self._master, b"\x04")
        elif self._process.stdin is not None:
            self._process.stdin.close()

    async def resize(self, width: int, height: int) -> None:
        if self._master >= 0:
            fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    async def exit_code(self) -> int:
        code = await self._process.wait()
        return 128 - code if code < 0 else code

    async def close(self) -> None:
        """What the command has left in the background lives on, as in a container."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()
        await self._tasks.close()
        if self._master >= 0:
            os.close(self._master)
            self._master = -1


class AttachSession:
    """A connection to the shim; it ends with the container."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, exited: Callable[[], Awaitable[int]]
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._exited = exited

    async def output(self) -> AsyncIterator[Output]:
        while (item := await shim_socket.read_frame(self._reader)) is not None:
            yield item

    async def write(self, data: bytes) -> None:
        await self._send(shim_socket.frame(0, data))

    async def close_stdin(self) -> None:
        await self._send(shim_socket.frame(255, b""))

    async def resize(self, width: int, height: int) -> None:
        await self._send(shim_socket.frame(4, struct.pack("!HH", width, height)))

    async def _send(self, data: bytes) -> None:
        with contextlib.suppress(ConnectionError):
            self._writer.write(data)
            await self._writer.drain()

    async def exit_code(self) -> int:
        return await self._exited()

    async def close(self) -> None:
        self._writer.close()


def not_started(program: str, error: OSError) -> str:
    where = "executable file not found in $PATH" if isinstance(error, FileNotFoundError) else error.strerror
    return f'OCI runtime exec failed: exec failed: unable to start container process: exec: "{program}": {where}'

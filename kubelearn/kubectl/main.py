"""`kubelearn kubectl …` as a process: which cluster, standard streams, exit status.

Imports nothing that a single command does not need: a `get` must answer in the blink of an eye.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kubelearn.client.rest import Client
from kubelearn.client.transport import Request, Response, Transport, WebSocket
from kubelearn.kit.errors import KubelearnError
from kubelearn.kubectl import flags
from kubelearn.kubectl.failures import CommandError, PlainError, report
from kubelearn.kubectl.run import find, run
from kubelearn.kubectl.verb import Context, Parsed

if TYPE_CHECKING:
    from kubelearn.client.kubeconfig import Config


async def main(argv: list[str], kubeconfig: Path | None = None, program: str = "kubectl") -> int:
    """Run one command against `--kubeconfig`, else `kubeconfig`, else what kubectl would use."""
    streams = _Streams()
    transport = _Lazy(argv, kubeconfig)
    context = Context(
        client=Client(transport),
        out=streams.out,
        err=streams.err,
        raw=streams.raw,
        stdin=streams,
        is_tty=sys.stdout.isatty(),
        color=sys.stdout.isatty() and not os.environ.get("NO_COLOR"),
        width=_width(),
        program=program,
        cwd=str(Path.cwd()),
        env=dict(os.environ),
    )
    try:
        transport.prepare(context)
        return await run(argv, context)
    except (CommandError, KubelearnError) as error:
        text, code = report(error)
        streams.err(text)
        return code
    finally:
        await transport.close()
        streams.flush()


def _width() -> int:
    try:
        return os.get_terminal_size().columns
    except OSError:
        return 120


def _terminal_size() -> tuple[int, int]:
    columns, lines = os.get_terminal_size(sys.stdin.fileno())
    return columns, lines


class _Streams:
    """Standard input, output and error of this process."""

    is_tty = property(lambda _self: sys.stdin.isatty())

    def out(self, text: str) -> None:
        sys.stdout.write(text)
        if text.endswith("\n"):
            sys.stdout.flush()

    def err(self, text: str) -> None:
        sys.stdout.flush()
        sys.stderr.write(text)
        sys.stderr.flush()

    def raw(self, data: bytes) -> None:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()

    def flush(self) -> None:
        sys.stdout.flush()

    @contextlib.contextmanager
    def terminal(self) -> Iterator[Callable[[], tuple[int, int]] | None]:
        """Raw mode, so that every key reaches the container; gives what tells the terminal's size."""
        if not sys.stdin.isatty():
            yield None
            return
        import termios
        import tty

        before = termios.tcgetattr(sys.stdin)
        tty.setraw(sys.stdin)
        try:
            yield _terminal_size
        finally:
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)

    async def read_all(self) -> bytes:
        return await asyncio.to_thread(sys.stdin.buffer.read)

    async def chunks(self) -> AsyncIterator[bytes]:
        reader = asyncio.StreamReader()
        loop = asyncio.get_running_loop()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        while chunk := await reader.read(4096):
            yield chunk


class _Lazy:
    """Connects when the first request is made, so that `--help` needs no cluster."""

    def __init__(self, argv: list[str], kubeconfig: Path | None) -> None:
        self._argv = argv
        self._default = kubeconfig
        self._parsed: Parsed | None = None
        self._inner: Transport | None = None
        self._config: Config | None = None

    def prepare(self, context: Context) -> None:
        """Read the flags, and the namespace of the context if there is a configuration."""
        path, verb, rest = find(self._argv)
        if verb is None:
            return
        self._parsed = flags.parse(path, verb.flags, rest)
        file = self._file()
        context.kubeconfig = str(file) if file is not None else ""
        if path.startswith("config") or self._parsed["help"]:
            return
        try:
            self._config = self._load()
        except (KubelearnError, CommandError):
            return  # said when, and if, the server is needed
        context.namespace = self._config.namespace
        context.cache |= {"server": self._config.server, "user": self._config.user}

    def _file(self) -> Path | None:
        assert self._parsed is not None
        if self._parsed["kubeconfig"]:
            return Path(self._parsed["kubeconfig"])
        if self._default is not None and self._default.exists():
            return self._default
        return None

    def _load(self) -> Config:
        import dataclasses

        from kubelearn.client import kubeconfig

        assert self._parsed is not None
        file = self._file()
        context = self._parsed["context"]
        if file is None and self._default is not None and not os.environ.get("KUBECONFIG"):
            raise KubelearnError("no cluster is running", "start one with: kubelearn up")
        _check(file, self._parsed)
        config = kubeconfig.load(file, context, cluster=self._parsed["cluster"], user=_user(self._parsed))
        if file is self._default and file is not None and os.environ.get("KUBECONFIG"):
            config = _same_server(config, context)
        changes: dict[str, Any] = {}
        if self._parsed["server"]:
            server = self._parsed["server"]
            changes["server"] = server if "://" in server else f"http://{server}"
        if self._parsed["token"]:
            changes["token"] = self._parsed["token"]
        if self._parsed["insecure-skip-tls-verify"]:
            changes["insecure"] = True
        return dataclasses.replace(config, **changes)

    def _transport(self) -> Transport:
        if self._inner is None:
            from kubelearn.client import kubeconfig

            self._inner = kubeconfig.transport(self._config or self._load())
        return self._inner

    async def send(self, request: Request) -> Response:
        return await self._transport().send(request)

    async def stream(self, request: Request) -> Response:
        inner = self._transport()
        response: Response = await getattr(inner, "stream", inner.send)(request)
        return response

    async def websocket(self, request: Request, protocols: tuple[str, ...]) -> WebSocket:
        return await self._transport().websocket(request, protocols)

    async def close(self) -> None:
        if self._inner is not None:
            await self._inner.close()


def _user(parsed: Parsed) -> str:
    """The user of the kubeconfig to be; a binding's --user is something else, and a list."""
    return parsed["user"] if isinstance(parsed["user"], str) else ""


def _check(file: Path | None, parsed: Parsed) -> None:
    """What kubectl says, in its words, of a file that it cannot use and of names that are not in it."""
    from kubelearn.client import kubeconfig

    if file is not None and not file.exists():
        raise CommandError(f"stat {file}: no such file or directory")
    if file is not None and file.is_dir():
        raise CommandError(f'error loading config file "{file}": read {file}: is a directory')
    try:
        found = kubeconfig.read(file)
    except KubelearnError as error:
        if file is None:
            raise
        raise CommandError(f'error loading config file "{file}": {error.message}') from error
    names = {part: {entry["name"] for entry in found.get(part) or []} for part in ("contexts", "clusters", "users")}
    if (context := parsed["context"]) and context not in names["contexts"]:
        raise PlainError(f"Error in configuration: context was not found for specified context: {context}")
    if (cluster := parsed["cluster"]) and cluster not in names["clusters"]:
        raise CommandError(f'no server found for cluster "{cluster}"')
    if (user := _user(parsed)) and user not in names["users"]:
        raise CommandError(f'auth info "{user}" does not exist')


def _same_server(own: Config, context: str) -> Config:
    """The user's KUBECONFIG if it leads to this very cluster (their namespace then holds), else the cluster's own."""
    from kubelearn.client import kubeconfig

    try:
        users = kubeconfig.load(None, context)
    except KubelearnError:
        return own
    return users if users.server == own.server else own

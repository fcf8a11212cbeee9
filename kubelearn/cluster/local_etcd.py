"""A cluster's own etcd: one member on loopback, behind client certificates, kept alive by the cluster's daemon.

Its data lies in the cluster's folder. etcd holds a lock there for as long as it lives (an open file that it inherits), so
a member that outlived a killed daemon is found and ended before another is started on the same data.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
import shutil
import signal
import socket
import ssl
import subprocess
import time
from pathlib import Path
from typing import IO

from kubelearn.cluster.state import ClusterFolder
from kubelearn.kit.errors import KubelearnError
from kubelearn.kit.tasks import Tasks

log = logging.getLogger(__name__)

HINT = (
    "install etcd (Debian, Ubuntu: apt-get install etcd-server; macOS: brew install etcd), "
    "or name running ones: --etcd-servers URL, or take the default: --store sqlite"
)
_START_SECONDS, _PROBE_SECONDS, _END_SECONDS = 20.0, 0.02, 5.0
_FIRST_DELAY, _MAX_DELAY = 0.1, 5.0
#: A single member has no peers: the kernel may choose the port, nobody asks for it.
_PEER = "https://127.0.0.1:0"
#: The shell notes the pid that etcd then has.
_START = 'echo $$ >"$0" && exec "$@"'


def program() -> str | None:
    return shutil.which("etcd")


def require() -> str:
    """The program's path; raises KubelearnError with what to do where there is none."""
    found = program()
    if found is None:
        raise KubelearnError("--store etcd: there is no etcd program here", HINT)
    return found


class LocalEtcd:
    """`start` returns when it answers; from then on it is started again whenever it ends, until `close`."""

    def __init__(self, folder: ClusterFolder) -> None:
        self._folder = folder
        self._root = _root(folder)
        self._program = require()
        self._tasks = Tasks("etcd")
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"https://127.0.0.1:{_free_port()}"
        self.tls: ssl.SSLContext | None = None

    async def start(self) -> None:
        """Raises KubelearnError when it does not come up."""
        from kubelearn.cluster import tls  # cryptography: not for `up`, `down` and `doctor`, which import this module

        await asyncio.to_thread(end_leftover, self._folder)
        self._root.mkdir(parents=True, exist_ok=True)
        self.tls = tls.prepare_etcd(self._folder)
        self._spawn()
        deadline = time.monotonic() + _START_SECONDS
        while not await self._answers():
            if self._ended() or time.monotonic() > deadline:
                self._kill()
                raise KubelearnError(f"etcd did not come up: {self._last_words()}", f"see {self._log}")
            await asyncio.sleep(_PROBE_SECONDS)
        self._tasks.start(self._supervise(), "supervise")

    async def close(self) -> None:
        """It writes down what it has, and ends."""
        await self._tasks.close()
        if self._process is not None:
            self._process.terminate()
            try:
                await asyncio.to_thread(self._process.wait, _END_SECONDS)
            except subprocess.TimeoutExpired:
                self._kill()

    async def _supervise(self) -> None:
        delay = _FIRST_DELAY
        while True:
            assert self._process is not None
            began = time.monotonic()
            code = await asyncio.to_thread(self._process.wait)
            log.warning("etcd ended (%d): %s; starting it again", code, self._last_words())
            delay = _FIRST_DELAY if time.monotonic() - began > _MAX_DELAY else min(delay * 2, _MAX_DELAY)
            await asyncio.sleep(delay)
            self._spawn()

    def _spawn(self) -> None:
        lock = _take(self._folder)
        if lock is None:
            raise KubelearnError(f"another etcd works in {self._root}", f"kubelearn down --name {self._folder.name}")
        keys = self._folder.pki / "etcd"
        arguments = {
            "data-dir": self._root / "data",
            "listen-client-urls": self.url,
            "advertise-client-urls": self.url,
            "cert-file": keys / "server.crt",
            "key-file": keys / "server.key",
            "trusted-ca-file": keys / "ca.crt",
            "client-cert-auth": "true",
            "listen-peer-urls": _PEER,
            "initial-advertise-peer-urls": _PEER,
            "initial-cluster": f"default={_PEER}",
            "peer-cert-file": keys / "server.crt",
            "peer-key-file": keys / "server.key",
            "peer-trusted-ca-file": keys / "ca.crt",
            "peer-client-cert-auth": "true",
            "heartbeat-interval": "20",
            "election-timeout": "200",
            "log-level": "error",
        }
        argv = [self._program, *(f"--{name}={value}" for name, value in arguments.items())]
        with lock, self._log.open("ab") as output:
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", _START, str(_pid_file(self._folder)), *argv],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                pass_fds=(lock.fileno(),),
            )

    async def _answers(self) -> bool:
        import aiohttp

        connector = aiohttp.TCPConnector(ssl=self.tls or True)
        async with aiohttp.ClientSession(connector=connector) as session:
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                async with session.get(f"{self.url}/health", timeout=aiohttp.ClientTimeout(total=1)) as answer:
                    return b"true" in await answer.read()
        return False

    @property
    def _log(self) -> Path:
        return self._folder.log.with_name("etcd.log")

    def _ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _last_words(self) -> str:
        lines = self._log.read_text(errors="replace").splitlines()
        return lines[-1][-300:] if lines else "it said nothing"


def end_leftover(folder: ClusterFolder) -> None:
    """End the etcd that works in the cluster's folder, if any. Raises KubelearnError when it does not end."""
    if not _root(folder).is_dir():
        return
    deadline = time.monotonic() + _END_SECONDS
    while (lock := _take(folder)) is None:
        with contextlib.suppress(OSError, ValueError):
            pid = int(_pid_file(folder).read_text())
            if str(_root(folder)) in _command(pid):
                os.kill(pid, signal.SIGKILL)
        if time.monotonic() > deadline:
            raise KubelearnError(f"the etcd that works in {_root(folder)} does not end", "end it, and try again")
        time.sleep(_PROBE_SECONDS)  # noqa: TID251  nothing else runs yet, or any more
    lock.close()


def _command(pid: int) -> str:
    done = subprocess.run(["ps", "-ww", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return done.stdout


def _take(folder: ClusterFolder) -> IO[bytes] | None:
    """The lock that etcd holds while it lives, None if one does."""
    file = (_root(folder) / "lock").open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return None
    return file


def _root(folder: ClusterFolder) -> Path:
    return folder.root / "etcd"


def _pid_file(folder: ClusterFolder) -> Path:
    return _root(folder) / "pid"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

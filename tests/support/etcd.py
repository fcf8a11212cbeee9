"""A real etcd of one member on a free loopback port, gone with the test."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

_PEER = "http://127.0.0.1:0"  # a single member has no peers: the kernel may choose, nobody asks
_ATTEMPTS = 5


class PortTaken(Exception):
    """Another socket bound the port between its choice and etcd's start."""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Etcd:
    """`url` is the client's; it can be killed and started again on what it has written."""

    def __init__(self, program: str, folder: Path) -> None:
        self.url = f"http://127.0.0.1:{_free_port()}"
        arguments = {
            "data-dir": str(folder / "etcd"),
            "listen-client-urls": self.url,
            "advertise-client-urls": self.url,
            "listen-peer-urls": _PEER,
            "initial-advertise-peer-urls": _PEER,
            "initial-cluster": f"default={_PEER}",
            "heartbeat-interval": "20",
            "election-timeout": "200",
            "log-level": "error",
        }
        self._argv = [program, *(f"--{name}={value}" for name, value in arguments.items())]
        self._log = folder / "etcd.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Raises PortTaken."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._argv, stdout=log, stderr=log)
        deadline = time.monotonic() + 20
        while not _healthy(self.url):
            if self._process.poll() is not None:
                said = self._log.read_text(errors="replace")
                if "address already in use" in said:
                    raise PortTaken(self.url)
                pytest.fail(f"etcd ended: {said[-2000:]}")
            assert time.monotonic() < deadline, "etcd does not answer"
            time.sleep(0.02)

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()


@contextlib.contextmanager
def etcd(folder: Path) -> Iterator[Etcd]:
    """Skips where etcd is not installed, save in CI."""
    program = shutil.which("etcd")
    if program is None:
        if os.environ.get("KUBELEARN_CI"):
            pytest.fail("CI must have etcd (Debian: etcd-server)")
        pytest.skip("etcd is not installed")
    made = _started(program, folder)
    try:
        yield made
    finally:
        made.kill()


def _started(program: str, folder: Path) -> Etcd:
    for attempt in range(_ATTEMPTS):
        place = folder / f"attempt-{attempt}"
        place.mkdir()
        made = Etcd(program, place)
        with contextlib.suppress(PortTaken):
            made.start()
            return made
    pytest.fail(f"no port for etcd in {_ATTEMPTS} attempts")


def _healthy(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=1) as answer:
            return b"true" in answer.read()
    except (urllib.error.URLError, OSError):
        return False

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


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Etcd:
    """`url` is the client's; it can be killed and started again on what it has written."""

    def __init__(self, program: str, folder: Path) -> None:
        self.url, peer = (f"http://127.0.0.1:{_free_port()}" for _ in range(2))
        arguments = {
            "data-dir": str(folder / "etcd"),
            "listen-client-urls": self.url,
            "advertise-client-urls": self.url,
            "listen-peer-urls": peer,
            "initial-advertise-peer-urls": peer,
            "initial-cluster": f"default={peer}",
            "heartbeat-interval": "20",
            "election-timeout": "200",
            "log-level": "error",
        }
        self._argv = [program, *(f"--{name}={value}" for name, value in arguments.items())]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(self._argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while not _healthy(self.url):
            assert self._process.poll() is None, "etcd ended"
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
    made = Etcd(program, folder)
    made.start()
    try:
        yield made
    finally:
        made.kill()


def _healthy(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=1) as answer:
            return b"true" in answer.read()
    except (urllib.error.URLError, OSError):
        return False

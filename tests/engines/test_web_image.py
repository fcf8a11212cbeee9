"""kubelearn/web as the process engine runs it, called with the tools of kubelearn/busybox."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kubelearn.api.cri import ContainerConfig, Mount, SandboxConfig
from kubelearn.engines._process_images import install_tools
from kubelearn.engines._process_runtime import NodePlan, ProcessRuntime
from kubelearn.kit.tasks import Tasks
from kubelearn.kit.underlay import Underlay, prefix_for


@pytest.fixture
async def runtime(tmp_path: Path) -> AsyncIterator[ProcessRuntime]:
    async with Tasks("test") as tasks:
        install_tools(tmp_path / "bin")
        plan = NodePlan("worker-1", "10.242.1", "10.242.0.2", tmp_path, Underlay(prefix_for(242)))
        made = ProcessRuntime(plan, tasks)
        yield made
        await made.power_off(0)


async def start(runtime: ProcessRuntime, config: ContainerConfig, uid: str = "u") -> str:
    sandbox = await runtime.run_pod_sandbox(SandboxConfig("default", "web-1", uid, "web-1"))
    container = await runtime.create_container(sandbox.id, config)
    await runtime.start_container(container)
    return container


async def listening(runtime: ProcessRuntime, container: str) -> None:
    async with asyncio.timeout(10):
        async for line in runtime.logs(container, follow=True):
            if b"listens" in line.text:
                return
    raise AssertionError("it never listened")


async def call(runtime: ProcessRuntime, container: str, *words: str) -> tuple[str, int]:
    result = await runtime.exec_sync(container, ["wget", "-q", "-O", "-", *words], 10)
    return (result.stdout or result.stderr).decode(), result.exit_code


async def test_it_answers_breaks_and_mends(runtime: ProcessRuntime) -> None:
    began = time.monotonic()
    web = await start(runtime, ContainerConfig("web", "kubelearn/web:v2"))
    await listening(runtime, web)
    assert time.monotonic() - began < 5
    assert await call(runtime, web, "localhost:8080/") == (
        "Hello from web v2 (green) on pod web-1 at 10.242.1.2\n",
        0,
    )
    assert (await call(runtime, web, "localhost:8080/version"))[0] == "v2\n"
    await call(runtime, web, "--post-data=", "localhost:8080/readyz?ok=false")
    assert await call(runtime, web, "localhost:8080/readyz") == (
        "wget: server returned error: HTTP/1.1 503 Service Unavailable\n",
        1,
    )
    await call(runtime, web, "--post-data=", "localhost:8080/readyz")
    assert (await call(runtime, web, "localhost:8080/readyz"))[0] == "ok\n"
    assert (await call(runtime, web, "localhost:8080/nothing"))[1] == 1
    lines = [line.text.decode() async for line in runtime.logs(web)]
    assert any('10.242.1.2 "GET /version" 200' in line for line in lines), lines


async def test_count_lives_on_a_volume(runtime: ProcessRuntime) -> None:
    config = ContainerConfig(
        "web",
        "kubelearn/web:v1",
        args=["--count-file", "/data/count"],
        mounts=[Mount("data", "/data")],
        env={"PORT": "80"},
    )
    web = await start(runtime, config)
    await listening(runtime, web)
    assert [(await call(runtime, web, "localhost/count"))[0] for _ in range(2)] == ["1\n", "2\n"]
    await call(runtime, web, "localhost/crash?code=7")
    sandbox = (await runtime.list_pod_sandboxes())[0].id
    status = await runtime.container_status(web)
    async with asyncio.timeout(5):
        while status.state != "EXITED":
            await asyncio.sleep(0.01)
            status = await runtime.container_status(web)
    assert status.exit_code == 7
    again = await runtime.create_container(sandbox, config)
    await runtime.start_container(again)
    await listening(runtime, again)
    assert (await call(runtime, again, "localhost/count"))[0] == "3\n"


async def test_requests_are_finished_on_sigterm(runtime: ProcessRuntime) -> None:
    web = await start(runtime, ContainerConfig("web", "kubelearn/web:v1"))
    await listening(runtime, web)
    client = await start(runtime, ContainerConfig("c", "kubelearn/busybox:1", ["sleep", "60"]), "u2")
    script = f"unset ALL_PROXY; wget -q -O - '{prefix_for(242)}.1.2:8080/sleep?seconds=0.6'"
    slow = asyncio.ensure_future(runtime.exec_sync(client, ["sh", "-c", script], 10))
    await asyncio.sleep(0.3)
    await runtime.stop_container(web, 10)
    assert (await slow).stdout == b"slept 0.6 s\n"
    assert (await runtime.container_status(web)).exit_code == 0


async def test_memory_limit_kills(runtime: ProcessRuntime) -> None:
    web = await start(runtime, ContainerConfig("web", "kubelearn/web:v1", memory_limit=60 * 2**20))
    await listening(runtime, web)
    assert (await call(runtime, web, "localhost:8080/mem?mb=10"))[1] == 0
    await call(runtime, web, "localhost:8080/mem?mb=200")
    async with asyncio.timeout(5):
        while (status := await runtime.container_status(web)).state != "EXITED":
            await asyncio.sleep(0.02)
    assert (status.exit_code, status.reason) == (137, "OOMKilled")


@pytest.mark.parametrize(("tag", "code"), [("broken", 1)])
async def test_the_broken_tag_fails_at_once(runtime: ProcessRuntime, tag: str, code: int) -> None:
    web = await start(runtime, ContainerConfig("web", f"kubelearn/web:{tag}"))
    async with asyncio.timeout(5):
        while (status := await runtime.container_status(web)).state != "EXITED":
            await asyncio.sleep(0.02)
    assert status.exit_code == code

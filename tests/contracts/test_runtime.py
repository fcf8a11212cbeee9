"""Every container runtime keeps the same promises: each engine's own, and the kubelet's client through the gateway."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from kubelearn import engines
from kubelearn.api.cri import (
    Container,
    ContainerConfig,
    CriError,
    Mount,
    RuntimeEvent,
    RuntimeService,
    SandboxConfig,
    VolumeFile,
)
from kubelearn.client.http import HttpTransport
from kubelearn.engines.base import ClusterSpec, Engine, NodeSpec
from kubelearn.engines.gateway import Gateway
from kubelearn.node.cri_client import CriClient

IMAGE = "kubelearn/busybox:1"
NODE = "worker-1"


@dataclass
class World:
    """`restart` makes the runtime anew, as after the end of the control plane."""

    runtime: RuntimeService
    restart: Callable[[], Awaitable[RuntimeService]]


def _spec(tmp_path: Path) -> ClusterSpec:
    return ClusterSpec("conformance", tmp_path, 241)


async def _engine(name: str, tmp_path: Path) -> Engine:
    engine = engines.factory(name).make(_spec(tmp_path))
    await engine.open()
    return engine


@dataclass
class NodeUser:
    name: str = f"system:node:{NODE}"
    groups: tuple[str, ...] = ("system:nodes",)


@contextlib.asynccontextmanager
async def _gateway(engine: Engine) -> AsyncIterator[CriClient]:
    gateway = Gateway(engine)

    async def handle(request: web.Request) -> web.StreamResponse:
        return await gateway.handle(request, NodeUser())

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    transport = HttpTransport(f"http://127.0.0.1:{runner.addresses[0][1]}")
    try:
        yield CriClient(transport)
    finally:
        await transport.close()
        await runner.cleanup()


PARAMS = ["process", "process-gateway"]
if "docker" in engines.engine_names():
    PARAMS += [pytest.param("docker", marks=pytest.mark.docker)]  # type: ignore[list-item]


@pytest.fixture(params=PARAMS)
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    name, _, through = request.param.partition("-")
    factory = engines.factory(name)
    if any(p.fatal for p in factory.check()):
        if os.environ.get("KUBELEARN_CI"):
            pytest.fail(f"CI must have the {name} engine")
        pytest.skip(f"the {name} engine does not answer here")
    if factory.missing_images():
        factory.build_images(lambda _: None)
    stack = contextlib.AsyncExitStack()
    made: list[Engine] = []

    async def fresh() -> RuntimeService:
        if made:
            await stack.aclose()
        engine = await _engine(name, tmp_path)
        made.append(engine)
        stack.push_async_callback(engine.close)
        await _ensure_node(name, engine, tmp_path)
        if through:
            return await stack.enter_async_context(_gateway(engine))
        return engine.runtime(NODE)

    try:
        yield World(await fresh(), fresh)
    finally:
        await made[-1].destroy()
        await stack.aclose()


async def _ensure_node(name: str, engine: Engine, tmp_path: Path) -> None:
    """A node without a kubelet: the process engine is only told that there is one."""
    if name == "process":
        folder = tmp_path / "nodes" / NODE
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "machine.json").write_text('{"index": 1, "pid": 0, "start": ""}')
        return
    await engine.create_node(NodeSpec(NODE, 1))


def sandbox_config(uid: str = "uid-1", **more: Any) -> SandboxConfig:
    return SandboxConfig("default", "p", uid, "p", **more)


async def start(runtime: RuntimeService, script: str, sandbox: str = "", **more: Any) -> tuple[str, str]:
    """A new container running `script`; its sandbox and id."""
    sandbox = sandbox or (await runtime.run_pod_sandbox(sandbox_config())).id
    config = ContainerConfig("c", IMAGE, ["sh", "-c", script], **more)
    container = await runtime.create_container(sandbox, config)
    await runtime.start_container(container)
    return sandbox, container


async def ended(runtime: RuntimeService, container: str, seconds: float = 10) -> Container:
    """The container's status once it has exited, told by its event."""
    async with asyncio.timeout(seconds):
        watching = runtime.events()
        waiting = asyncio.ensure_future(anext(watching))
        try:
            while True:
                status = await runtime.container_status(container)
                if status.state == "EXITED":
                    return status
                await asyncio.wait({waiting}, timeout=0.5)
                if waiting.done():
                    waiting = asyncio.ensure_future(anext(watching))
        finally:
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)


async def output(runtime: RuntimeService, container: str, **options: Any) -> bytes:
    return b"".join([line.text async for line in runtime.logs(container, **options)])


async def test_a_sandbox_has_an_address_of_its_own(world: World) -> None:
    one = await world.runtime.run_pod_sandbox(sandbox_config("u1"))
    two = await world.runtime.run_pod_sandbox(sandbox_config("u2"))
    assert one.ip.startswith("10.241.1.")
    assert one.ip != two.ip
    assert {s.id for s in await world.runtime.list_pod_sandboxes()} == {one.id, two.id}
    assert one.state == "READY"
    await world.runtime.stop_pod_sandbox(one.id)
    states = {s.id: s.state for s in await world.runtime.list_pod_sandboxes()}
    assert states == {one.id: "NOTREADY", two.id: "READY"}
    await world.runtime.remove_pod_sandbox(one.id)
    await world.runtime.remove_pod_sandbox(one.id)
    assert [s.id for s in await world.runtime.list_pod_sandboxes()] == [two.id]


async def test_exit_code_and_times(world: World) -> None:
    before = time.time() - 1
    _, container = await start(world.runtime, "exit 3")
    status = await ended(world.runtime, container)
    assert (status.exit_code, status.reason) == (3, "Error")
    assert before < status.created_at <= status.started_at <= status.finished_at < time.time() + 1
    _, container = await start(world.runtime, "true")
    assert (await ended(world.runtime, container)).reason == "Completed"


async def test_logs_keep_streams_times_and_order(world: World) -> None:
    _, container = await start(world.runtime, "echo one; sleep 0.1; echo two >&2; sleep 0.1; printf three")
    await ended(world.runtime, container)
    lines = [line async for line in world.runtime.logs(container)]
    assert [(line.stream, line.text) for line in lines] == [
        ("stdout", b"one\n"),
        ("stderr", b"two\n"),
        ("stdout", b"three"),
    ]
    assert sorted(line.at for line in lines) == [line.at for line in lines]
    assert await output(world.runtime, container, tail=2) == b"two\nthree"
    assert await output(world.runtime, container, tail=0) == b""
    assert await output(world.runtime, container, since=time.time() + 60) == b""


async def test_follow_ends_with_the_container(world: World) -> None:
    _, container = await start(world.runtime, "for i in 1 2 3; do echo $i; sleep 0.2; done")
    began = time.monotonic()
    seen = []
    async with asyncio.timeout(10):
        async for line in world.runtime.logs(container, follow=True):
            seen.append((line.text, time.monotonic() - began))
    assert [text for text, _ in seen] == [b"1\n", b"2\n", b"3\n"]
    assert seen[2][1] - seen[0][1] > 0.2, "lines come as they are written"


async def test_exec_sync(world: World) -> None:
    _, container = await start(world.runtime, "sleep 60", env={"COLOUR": "blue"})
    result = await world.runtime.exec_sync(container, ["sh", "-c", "echo $COLOUR; echo no >&2; exit 4"], 10)
    assert (result.stdout, result.stderr, result.exit_code) == (b"blue\n", b"no\n", 4)
    with pytest.raises(CriError) as caught:
        await world.runtime.exec_sync(container, ["sleep", "30"], 1)
    assert caught.value.reason == "DeadlineExceeded"


async def test_exec_session_carries_both_ways(world: World) -> None:
    _, container = await start(world.runtime, "sleep 60")
    session = await world.runtime.exec(container, ["cat"], tty=False, stdin=True)
    await session.write(b"hello\n")
    await session.close_stdin()
    async with asyncio.timeout(10):
        assert [item async for item in session.output()] == [(1, b"hello\n")]
        assert await session.exit_code() == 0
    await session.close()


async def test_exec_with_a_terminal(world: World) -> None:
    _, container = await start(world.runtime, "sleep 60")
    session = await world.runtime.exec(container, ["sh"], tty=True, stdin=True)
    await session.resize(100, 30)
    await session.write(b"stty size; exit 7\n")
    async with asyncio.timeout(10):
        text = b"".join([data async for _, data in session.output()])
        assert await session.exit_code() == 7
    assert b"30 100" in text
    await session.close()


async def test_attach_shows_what_the_main_process_writes(world: World) -> None:
    _, container = await start(world.runtime, "cat", stdin=True)
    session = await world.runtime.attach(container, tty=False, stdin=True)
    await session.write(b"echo\n")
    async with asyncio.timeout(10):
        async for item in session.output():
            assert item == (1, b"echo\n")
            break
    await session.close()


async def test_stop_asks_first_and_kills_then(world: World) -> None:
    trap = "trap 'echo bye; exit 0' TERM; echo up; while true; do sleep 0.05; done"
    _, polite = await start(world.runtime, trap)
    async for _ in world.runtime.logs(polite, follow=True):
        break
    await world.runtime.stop_container(polite, 5)
    status = await world.runtime.container_status(polite)
    assert (status.state, status.exit_code) == ("EXITED", 0)
    assert b"bye" in await output(world.runtime, polite)
    _, deaf = await start(world.runtime, "trap '' TERM; echo up; while true; do sleep 0.05; done")
    async for _ in world.runtime.logs(deaf, follow=True):
        break
    began = time.monotonic()
    await world.runtime.stop_container(deaf, 1)
    assert 0.9 < time.monotonic() - began < 5
    assert (await world.runtime.container_status(deaf)).exit_code == 137
    await world.runtime.stop_container(deaf, 1)


async def test_volumes(world: World) -> None:
    runtime = world.runtime
    await runtime.set_volume("uid-1", "cache")
    await runtime.set_volume("uid-1", "config", {"motto": VolumeFile("süß 学".encode())})
    sandbox = (await runtime.run_pod_sandbox(sandbox_config())).id
    shared, text = Mount("cache", "/cache"), Mount("config", "/etc/app", True)
    _, writer = await start(world.runtime, "echo shared > /cache/x", sandbox, mounts=[shared])
    await ended(world.runtime, writer)
    _, reader = await start(world.runtime, "cat /cache/x /etc/app/motto", sandbox, mounts=[shared, text])
    await ended(world.runtime, reader)
    assert (await output(world.runtime, reader)).decode() == "shared\nsüß 学"
    await runtime.set_volume("uid-1", "cache")
    _, again = await start(runtime, "cat /cache/x", sandbox, mounts=[shared])
    await ended(runtime, again)
    assert await output(runtime, again) == b"shared\n"
    await runtime.remove_pod_sandbox(sandbox)
    await runtime.remove_volumes("uid-1")
    await runtime.set_volume("uid-1", "cache")
    sandbox, empty = await start(runtime, "cat /cache/x 2>/dev/null || echo none", mounts=[shared])
    await ended(runtime, empty)
    assert await output(runtime, empty) == b"none\n"


async def test_a_volumes_content_changes_while_it_is_mounted(world: World) -> None:
    runtime = world.runtime
    await runtime.set_volume("uid-1", "config", {"a": VolumeFile(b"1"), "deep/b": VolumeFile(b"2\n", 0o600)})
    script = "cd /etc/app; cat a deep/b; while [ -e a ]; do sleep 0.05; done; cat c deep/b; ls; exit 3"
    _, reader = await start(runtime, script, mounts=[Mount("config", "/etc/app", True)])
    async for line in runtime.logs(reader, follow=True):
        assert line.text == b"12\n"
        break
    await runtime.set_volume("uid-1", "config", {"c": VolumeFile(b"3"), "deep/b": VolumeFile(b"4\n")})
    assert (await ended(runtime, reader)).exit_code == 3
    assert (await output(runtime, reader)) == b"12\n34\nc\ndeep\n"


async def test_a_path_of_a_volume(world: World) -> None:
    runtime = world.runtime
    await runtime.set_volume("uid-1", "work")
    await runtime.set_volume("uid-1", "config", {"key": VolumeFile(b"value\n")})
    mounts = [Mount("work", "/made", sub_path="x/y"), Mount("config", "/app.conf", True, "key")]
    sandbox, writer = await start(runtime, "cat /app.conf; cp /app.conf /made/copy; ln -s / /made/out", mounts=mounts)
    await ended(runtime, writer)
    assert await output(runtime, writer) == b"value\n"
    _, reader = await start(runtime, "cat /work/x/y/copy", sandbox, mounts=[Mount("work", "/work")])
    await ended(runtime, reader)
    assert await output(runtime, reader) == b"value\n"
    config = ContainerConfig("c", IMAGE, ["true"], mounts=[Mount("work", "/host", sub_path="x/y/out/etc")])
    with pytest.raises(CriError, match="leads out of its volume"):
        await runtime.create_container(sandbox, config)


async def test_a_restarted_runtime_adopts_what_runs(world: World) -> None:
    sandbox, container = await start(world.runtime, "echo before; sleep 0.8; echo after; exit 5")
    _, done = await start(world.runtime, "exit 6", sandbox)
    await ended(world.runtime, done)
    runtime = await world.restart()
    assert [s.id for s in await runtime.list_pod_sandboxes()] == [sandbox]
    assert {c.id: c.state for c in await runtime.list_containers()} == {container: "RUNNING", done: "EXITED"}
    assert (await ended(runtime, container)).exit_code == 5
    assert (await runtime.container_status(done)).exit_code == 6
    assert await output(runtime, container) == b"before\nafter\n"


async def test_events_tell_of_each_step(world: World) -> None:
    seen: list[RuntimeEvent] = []
    ready = asyncio.Event()

    async def watch() -> None:
        events = world.runtime.events()
        ready.set()
        async for event in events:
            if event.type != "LISTENING":
                seen.append(event)

    watching = asyncio.ensure_future(watch())
    await ready.wait()
    await asyncio.sleep(0.3)
    _, container = await start(world.runtime, "true")
    await ended(world.runtime, container)
    await world.runtime.remove_container(container)
    async with asyncio.timeout(10):
        while not any(e.type == "CONTAINER_DELETED" for e in seen):
            await asyncio.sleep(0.02)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    mine = [e.type for e in seen if e.container_id == container]
    assert mine == ["CONTAINER_CREATED", "CONTAINER_STARTED", "CONTAINER_STOPPED", "CONTAINER_DELETED"]
    assert {e.pod_uid for e in seen} == {"uid-1"}


async def test_stats_count_what_runs(world: World) -> None:
    _, container = await start(world.runtime, "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; sleep 60")
    async with asyncio.timeout(15):
        while True:
            found = {s.container_id: s for s in await world.runtime.stats()}
            if container in found and found[container].cpu_seconds > 0.02:
                break
            await asyncio.sleep(0.1)
    assert found[container].memory_bytes > 100_000


async def test_an_unknown_image_is_refused(world: World) -> None:
    assert await world.runtime.image_status("kubelearn/nothing:1") is None
    with pytest.raises(CriError) as caught:
        await world.runtime.pull_image("kubelearn/nothing:1")
    assert caught.value.reason == "ErrImagePull"
    assert 'failed to pull and unpack image "docker.io/kubelearn/nothing:1"' in caught.value.message
    image = await world.runtime.image_status(IMAGE)
    assert image is not None
    assert image.id.startswith("sha256:")


async def test_a_program_that_is_not_there(world: World) -> None:
    sandbox = (await world.runtime.run_pod_sandbox(sandbox_config())).id
    container = await world.runtime.create_container(sandbox, ContainerConfig("c", IMAGE, ["/no/such/thing"]))
    with pytest.raises(CriError) as caught:
        await world.runtime.start_container(container)
    assert caught.value.reason == "RunContainerError"
    assert "no such file or directory" in caught.value.message


async def test_what_is_gone(world: World) -> None:
    await world.runtime.stop_container("gone", 1)
    await world.runtime.remove_container("gone")
    await world.runtime.stop_pod_sandbox("gone")
    for call in (world.runtime.container_status("gone"), world.runtime.start_container("gone")):
        with pytest.raises(CriError) as caught:
            await call
        assert caught.value.reason == "NotFound"


async def test_removing_the_sandbox_removes_its_containers(world: World) -> None:
    sandbox, container = await start(world.runtime, "trap '' TERM; sleep 60")
    await world.runtime.stop_pod_sandbox(sandbox)
    assert (await world.runtime.container_status(container)).state == "EXITED"
    await world.runtime.remove_pod_sandbox(sandbox)
    assert await world.runtime.list_containers() == []


async def test_a_termination_message_is_the_end_of_a_file(world: World) -> None:
    runtime = world.runtime
    sandbox = (await runtime.run_pod_sandbox(sandbox_config(containers=["c"]))).id
    script = "echo -n why > /tmp/said; exit 2"
    _, first = await start(runtime, script, sandbox, termination_path="/tmp/said")
    await ended(runtime, first)
    _, second = await start(runtime, "exit 2", sandbox, termination_path="/tmp/said", attempt=1)
    await ended(runtime, second)
    assert [await runtime.termination_message(c) for c in (first, second)] == ["why", ""]


async def test_the_nodes_disk(world: World) -> None:
    """Pods of one node share it; types are checked; the learner's own files are not on it."""
    runtime = world.runtime
    with pytest.raises(CriError, match="hostPath type check failed: /srv/x is not a directory"):
        await runtime.have_host_path("/srv/x", "Directory")
    await runtime.have_host_path("/srv/x", "DirectoryOrCreate")
    await runtime.have_host_path("/srv/x/file", "FileOrCreate")
    with pytest.raises(CriError, match="hostPath type check failed: /srv/x/file is not a directory"):
        await runtime.have_host_path("/srv/x/file", "DirectoryOrCreate")
    disk = [Mount("v", "/disk", sub_path="srv/x", host=True)]
    _, writer = await start(runtime, "echo 1 > /disk/file", mounts=disk)
    assert (await ended(runtime, writer)).exit_code == 0
    other = (await runtime.run_pod_sandbox(sandbox_config("uid-2"))).id
    _, reader = await start(runtime, "cat /disk/file", other, mounts=disk)
    await ended(runtime, reader)
    assert await output(runtime, reader) == b"1\n"
    assert not Path("/srv/x").exists()


async def test_volumes_are_measured(world: World) -> None:
    runtime = world.runtime
    await runtime.set_volume("uid-1", "work")
    before = await runtime.volume_usage("uid-1", ["work", "none"])
    _, writer = await start(runtime, "head -c 300000 /dev/zero > /work/x", mounts=[Mount("work", "/work")])
    await ended(runtime, writer)
    after = await runtime.volume_usage("uid-1", ["work"])
    assert before.keys() == {"work"}
    assert 300_000 <= after["work"] - before["work"] < 400_000

"""The engine that needs nothing but this machine: a node is a process, a pod a loopback address and process groups.

Nodes and containers are in sessions of their own and outlive the control plane; the next one finds them by what they
left on disk (`_process_records`). Images are our own programs; Services work by each node's forward proxy.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import platform
import shutil
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from kubelearn.engines import _process_images, _process_records, _process_watch
from kubelearn.engines._process_runtime import NodePlan, ProcessRuntime
from kubelearn.engines._process_watch import Watched
from kubelearn.engines.base import ClusterSpec, EngineFactory, NodeSpec, NodeState, Problem, Progress
from kubelearn.kit.errors import KubelearnError
from kubelearn.kit.tasks import Tasks
from kubelearn.kit.underlay import Underlay, prefix_for

_STOP_SECONDS = 3.0


class ProcessEngine:
    """See `engines.base.Engine`. `underlay` is the loopback prefix that the nodes' configuration must name."""

    def __init__(self, spec: ClusterSpec) -> None:
        self._spec = spec
        self._net = Underlay(prefix_for(spec.second_octet))
        self._tasks = Tasks(f"engine-{spec.name}")
        self._runtimes: dict[str, ProcessRuntime] = {}

    @property
    def underlay(self) -> str:
        return self._net.prefix

    @property
    def control_plane_address(self) -> str:
        return self._net.address(f"10.{self._spec.second_octet}.0.1")

    @property
    def _nodes(self) -> Path:
        return self._spec.home / "nodes"

    async def open(self) -> None:
        await asyncio.to_thread(_process_images.install_tools, self._spec.home / "bin")
        for name in await asyncio.to_thread(self._known_nodes):
            self.runtime(name)

    async def close(self) -> None:
        """Nodes and containers go on."""
        await self._tasks.close()

    # Nodes

    def _known_nodes(self) -> list[str]:
        return sorted(p.parent.name for p in self._nodes.glob("*/machine.json"))

    def _machine(self, name: str) -> dict[str, int | str]:
        """Index, pid and start time; raises KubelearnError for a node that was never made, or whose record is damaged."""
        path = self._nodes / name / "machine.json"
        try:
            found = json.loads(path.read_text())
            return {"index": int(found["index"]), "pid": int(found["pid"]), "start": str(found["start"])}
        except FileNotFoundError:
            raise KubelearnError(f'no node "{name}"', "see the nodes with: kubelearn kubectl get nodes") from None
        except (ValueError, TypeError, KeyError) as error:
            hint = f"start anew: kubelearn down --name {self._spec.name}"
            raise KubelearnError(f"{path} is damaged: {error}", hint) from error

    def _process(self, name: str) -> Watched | None:
        """The node's running process; the caller closes it."""
        machine = self._machine(name)
        watched = Watched(int(machine["pid"]), str(machine["start"])) if machine["pid"] else None
        return watched if watched and watched.alive else None

    async def create_node(self, spec: NodeSpec) -> None:
        folder = self._nodes / spec.name
        await asyncio.to_thread(self._write_files, folder, spec)
        await self.start_node(spec.name)

    @staticmethod
    def _write_files(folder: Path, spec: NodeSpec) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name, text in spec.files.items():
            path = folder / name
            path.touch(mode=0o600)
            path.write_text(text)
        if not (folder / "machine.json").exists():
            _process_records.write(folder / "machine.json", {"index": spec.index, "pid": 0, "start": ""})

    async def start_node(self, name: str) -> None:
        if process := self._process(name):
            process.close()
            return
        self.runtime(name)
        folder = self._nodes / name
        pid = self._launch(folder)
        start = _process_watch.start_time(pid)
        machine = self._machine(name) | {"pid": pid, "start": start}
        await asyncio.to_thread(_process_records.write, folder / "machine.json", machine)
        self._tasks.start(Watched(pid, start).ended(), f"reap-{name}")

    @staticmethod
    def _launch(folder: Path) -> int:
        log = str(folder / "node.log")
        actions = [
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ]
        argv = [sys.executable, "-m", "kubelearn.node", str(folder)]
        here = str(Path(__file__).resolve().parents[2])
        path = os.pathsep.join(p for p in (here, os.environ.get("PYTHONPATH", "")) if p)
        env = {**os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1", "KUBELEARN_ROOT": str(folder)}
        return os.posix_spawn(sys.executable, argv, env, file_actions=actions, setsid=True)

    async def stop_node(self, name: str) -> None:
        await self._power_off(name, signal.SIGTERM, grace_seconds=1)

    async def kill_node(self, name: str) -> None:
        await self._power_off(name, signal.SIGKILL, grace_seconds=0)

    async def _power_off(self, name: str, number: int, grace_seconds: int) -> None:
        """The kubelet ends first: a dead machine does not report its pods' end."""
        if process := self._process(name):
            process.signal(signal.SIGCONT)
            process.signal(number)
            try:
                async with asyncio.timeout(_STOP_SECONDS):
                    await process.ended()
            except TimeoutError:
                process.signal(signal.SIGKILL)
                await process.ended()
        runtime = self.runtime(name)
        await runtime.signal_all(signal.SIGCONT)
        await runtime.power_off(grace_seconds)
        machine = self._machine(name) | {"pid": 0, "start": ""}
        await asyncio.to_thread(_process_records.write, self._nodes / name / "machine.json", machine)

    async def pause_node(self, name: str) -> None:
        await self._signal(name, signal.SIGSTOP)

    async def unpause_node(self, name: str) -> None:
        await self._signal(name, signal.SIGCONT)

    async def _signal(self, name: str, number: int) -> None:
        process = self._process(name)
        if process is None:
            raise KubelearnError(f'node "{name}" is stopped', f"start it with: kubelearn node start {name}")
        process.signal(number)
        process.close()
        await self.runtime(name).signal_all(number)

    async def disconnect_node(self, name: str) -> None:
        raise KubelearnError(
            "the process engine cannot cut one node off: its nodes share this machine's loopback network",
            f"use: kubelearn node pause {name}, or a cluster on the docker engine",
        )

    async def connect_node(self, name: str) -> None:
        self._machine(name)

    async def list_nodes(self) -> list[NodeState]:
        return [self._state(name) for name in await asyncio.to_thread(self._known_nodes)]

    def _state(self, name: str) -> NodeState:
        process = self._process(name)
        if process is None:
            return NodeState(name, "dead" if self._machine(name)["pid"] else "stopped")
        paused = _process_watch.process_state(process.pid) == "T"
        process.close()
        return NodeState(name, "paused" if paused else "running")

    async def health(self) -> AsyncIterator[str]:
        """It is this machine: while we run, it works."""
        await asyncio.Event().wait()
        yield ""

    # Pods

    def runtime(self, node: str) -> ProcessRuntime:
        if node not in self._runtimes:
            index = int(self._machine(node)["index"])
            network = f"10.{self._spec.second_octet}"
            plan = NodePlan(node, f"{network}.{index}", f"{network}.0.{index + 1}", self._spec.home, self._net)
            runtime = ProcessRuntime(plan, self._tasks)
            runtime.load()
            self._runtimes[node] = runtime
        return self._runtimes[node]

    def dial(self, ip: str, port: int) -> tuple[str, int]:
        return self._net.dial(ip, port)

    async def destroy(self) -> None:
        """Works on what the disk says, opened or not."""
        for name in await asyncio.to_thread(self._known_nodes):
            with contextlib.suppress(KubelearnError):
                await self.kill_node(name)
        for folder in ("nodes", "pods", "disks", "bin"):
            await asyncio.to_thread(_process_watch.kill_inside, self._spec.home / folder)
            await asyncio.to_thread(shutil.rmtree, self._spec.home / folder, ignore_errors=True)
        self._runtimes.clear()


def check() -> list[Problem]:
    """The engine lives on 127.0.0.0/8, which Linux gives to everyone and macOS does not."""
    if platform.system() != "Linux":
        hint = "use the docker engine on this system"
        return [Problem("the process engine needs Linux: pods get loopback addresses of their own", hint)]
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.bind(("127.64.0.1", 0))
    except OSError as error:
        return [
            Problem(
                f"cannot listen on 127.64.0.1: {error.strerror}", "bring up the loopback interface: ip link set lo up"
            )
        ]
    return []


def _no_images() -> list[str]:
    return []


def _build_nothing(_progress: Progress) -> None: ...


ENGINE = EngineFactory(
    "process",
    "nodes and containers are processes of this machine; our own images only",
    ProcessEngine,
    check,
    _no_images,
    _build_nothing,
)

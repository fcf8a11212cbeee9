"""`up`, `down` and `status`: start a cluster's control plane in the background, and remove every trace of it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kubelearn import engines
from kubelearn.cluster import doctor, local_etcd, power
from kubelearn.cluster.state import PLAN_FD, AddressPlan, ClusterConfig, ClusterFolder, os_errors
from kubelearn.engines.base import ClusterSpec
from kubelearn.kit.errors import KubelearnError

_FILES = ("etcd_cafile", "etcd_certfile", "etcd_keyfile")
_ETCD = ("etcd_servers", *_FILES)
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command line asked for; None leaves it to what the cluster has, or to the default."""

    engine: str | None = None
    nodes: int | None = None
    store: str | None = None
    port: int | None = None
    etcd_servers: str | None = None
    etcd_cafile: str | None = None
    etcd_certfile: str | None = None
    etcd_keyfile: str | None = None


def choose_engine(wanted: str | None) -> str:
    """`auto` takes docker when the engine answers, else process; raises KubelearnError when none works."""
    if wanted and wanted != "auto":
        fatal = [p for p in engines.factory(wanted).check() if p.fatal]
        if fatal:
            raise KubelearnError(f"engine {wanted}: {fatal[0].message}", fatal[0].hint)
        return wanted
    found: list[str] = []
    for name in (n for n in ("docker", "process") if n in engines.engine_names()):
        fatal = [p for p in engines.factory(name).check() if p.fatal]
        if not fatal:
            return name
        found.append(f"{name}: {fatal[0].message}")
    raise KubelearnError("no engine works here: " + "; ".join(found), "run: kubelearn doctor")


def up(folder: ClusterFolder, wanted: Wanted, progress: Progress) -> ClusterConfig:
    """Start the cluster, or resume one whose control plane has ended. Returns when every node is Ready.
    Raises KubelearnError with exit code 3 when it runs already with other settings."""
    config = folder.read()
    if config is not None and folder.daemon_pid() is not None:
        _refuse_changes(folder, config, wanted)
        for name in power.revive(folder):
            progress(f"node {name} had died; it is started again")
        return config
    doctor.require_room()
    if config is not None:
        _refuse_changes(folder, config, wanted)
        progress(f'resuming cluster "{folder.name}"')
    with AddressPlan.take() if config is None else AddressPlan(config.second_octet) as plan:
        config = config or _decide(folder, wanted, plan)
        build_missing_images(config.engine, progress)
        with os_errors(f"cannot write to {folder.root}"):
            folder.write(config)
        _start_daemon(folder, plan, progress)
    return config


def build_missing_images(engine: str, progress: Progress) -> None:
    factory = engines.factory(engine)
    if missing := factory.missing_images():
        progress(f"building {', '.join(missing)} (once)")
        factory.build_images(progress)


def _decide(folder: ClusterFolder, wanted: Wanted, plan: AddressPlan) -> ClusterConfig:
    _check_store(wanted)
    return ClusterConfig(
        name=folder.name,
        engine=choose_engine(wanted.engine),
        nodes=2 if wanted.nodes is None else wanted.nodes,
        store=wanted.store or "sqlite",
        second_octet=plan.octet,
        port=wanted.port or _free_port(),
        etcd_servers=wanted.etcd_servers or "",
        etcd_cafile=_absolute(wanted.etcd_cafile),
        etcd_certfile=_absolute(wanted.etcd_certfile),
        etcd_keyfile=_absolute(wanted.etcd_keyfile),
    )


def _check_store(wanted: Wanted) -> None:
    """Raises KubelearnError with what to do."""
    named = [f"--{name.replace('_', '-')}" for name in _ETCD if getattr(wanted, name)]
    if named and wanted.store != "etcd":
        raise KubelearnError(f"{named[0]} is for etcd only", "add: --store etcd")
    if named and not wanted.etcd_servers:
        raise KubelearnError(f"{named[0]} needs the servers that it is for", "add: --etcd-servers URL")
    if wanted.store == "etcd" and not wanted.etcd_servers:
        local_etcd.require()


def _absolute(path: str | None) -> str:
    """The control plane runs elsewhere."""
    return str(Path(path).expanduser().absolute()) if path else ""


def _refuse_changes(folder: ClusterFolder, config: ClusterConfig, wanted: Wanted) -> None:
    for field in ("engine", "nodes", "store", "port", *_ETCD):
        asked, has = getattr(wanted, field), getattr(config, field)
        if field in _FILES:
            asked = _absolute(asked) or None
        if asked not in (None, "auto", has):
            raise KubelearnError(
                f'cluster "{folder.name}" exists with {field} {has}, not {asked}',
                f"remove it first (kubelearn down --name {folder.name}), or give the new one another --name",
                3,
            )


def _free_port() -> int:
    """6443 if it is free, else any."""
    for port in (6443, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return int(probe.getsockname()[1])
    raise KubelearnError("no TCP port is free on 127.0.0.1", "run: kubelearn doctor")


def _start_daemon(folder: ClusterFolder, plan: AddressPlan, progress: Progress) -> None:
    with os_errors(f"cannot write to {folder.root}"):
        folder.log.parent.mkdir(parents=True, exist_ok=True)
        errors = folder.log.with_suffix(".stderr").open("w")
    with errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "kubelearn.cluster.daemon", folder.name],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
            env={**os.environ, "KUBELEARN_HOME": str(folder.root.parent.parent), PLAN_FD: str(plan.socket.fileno())},
            pass_fds=(plan.socket.fileno(),),
            text=True,
        )
    assert process.stdout is not None
    try:
        for line in process.stdout:
            message = json.loads(line)
            if message.get("ready"):
                return
            if "error" in message:
                raise KubelearnError(message["error"], message.get("hint", ""))
            progress(message["progress"])
    except KeyboardInterrupt:
        process.terminate()
        raise
    code = process.wait()
    tail = folder.log.with_suffix(".stderr").read_text()[-500:].strip().splitlines()
    raise KubelearnError(
        f"the control plane ended while starting (exit status {code}){': ' + tail[-1] if tail else ''}",
        f"see {folder.log}",
    )


async def down(folder: ClusterFolder) -> bool:
    """Remove every trace of the cluster, whatever state it is in. False if there was none."""
    if not folder.root.exists():
        return False
    await _end_daemon(folder)
    await asyncio.to_thread(local_etcd.end_leftover, folder)
    try:
        config = folder.read()
    except KubelearnError:
        config = None
    kinds = [config.engine] if config else engines.engine_names()
    for kind in kinds:
        engine_factory = engines.factory(kind)
        if config is None and any(p.fatal for p in engine_factory.check()):
            continue
        spec = ClusterSpec(folder.name, folder.root, config.second_octet if config else 244)
        await engine_factory.make(spec).destroy()
    with os_errors(f"cannot remove {folder.root}"):
        await asyncio.to_thread(shutil.rmtree, folder.root)
    return True


async def _end_daemon(folder: ClusterFolder) -> None:
    for signum, seconds in ((signal.SIGTERM, 10.0), (signal.SIGKILL, 5.0)):
        pid = folder.daemon_pid()
        if pid is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signum)
        waited = 0.0
        while folder.daemon_pid() is not None and waited < seconds:
            await asyncio.sleep(0.02)
            waited += 0.02

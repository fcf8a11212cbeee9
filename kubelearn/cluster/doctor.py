"""What could go wrong, looked at ahead of time: one line each, with what to do."""

from __future__ import annotations

import os
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path

from kubelearn import engines
from kubelearn.cluster import local_etcd, state
from kubelearn.kit.errors import KubelearnError


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: its name, whether it is fine, what was seen, and what to do if it is not."""

    check: str
    ok: bool
    seen: str
    hint: str = ""
    fatal: bool = False


def examine() -> list[Finding]:
    """All checks, in the order a person would want to read them."""
    return [_home(), _disk(), _loopback(), *_engines(), _etcd(), *_clusters()]


def require_room() -> None:
    """What a start must have before it writes anything. Raises KubelearnError with what to do."""
    for finding in (_home(), _disk()):
        if finding.fatal:
            raise KubelearnError(f"{finding.check}: {finding.seen}", finding.hint)


def _home() -> Finding:
    home = state.home()
    existing = next(p for p in (home, *home.parents) if p.exists())
    if os.access(existing, os.W_OK | os.X_OK):
        return Finding("state folder", True, str(home))
    return Finding(
        "state folder",
        False,
        f"{existing} is not writable",
        "set KUBELEARN_HOME to a folder that is",
        fatal=True,
    )


def _disk() -> Finding:
    home = state.home()
    existing = next(p for p in (home, *home.parents) if p.exists())
    free = shutil.disk_usage(existing).free // 2**20
    if free >= 500:
        return Finding("disk", True, f"{free} MiB free")
    return Finding("disk", False, f"{free} MiB free", "free at least 500 MiB, or move KUBELEARN_HOME", fatal=free < 50)


def _loopback() -> Finding:
    try:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
    except OSError as error:
        return Finding("loopback", False, str(error), "allow programs to listen on 127.0.0.1", fatal=True)
    return Finding("loopback", True, "programs may listen on 127.0.0.1")


def _engines() -> list[Finding]:
    found = []
    for name in engines.engine_names():
        problems = engines.factory(name).check()
        if problems:
            found += [Finding(f"engine {name}", not p.fatal, p.message, p.hint) for p in problems]
        else:
            found.append(Finding(f"engine {name}", True, "works"))
    return found


def _etcd() -> Finding:
    """Needed by clusters that keep their objects there, and by nobody else."""
    found = local_etcd.program()
    if found:
        return Finding("etcd", True, f"{found}; for clusters with --store etcd")
    needing = [folder.name for folder in state.clusters() if _has_own_etcd(folder)]
    if needing:
        return Finding("etcd", False, f"not found, but kept by cluster {', '.join(needing)}", local_etcd.HINT)
    return Finding("etcd", True, "not found; only --store etcd would need it")


def _has_own_etcd(folder: state.ClusterFolder) -> bool:
    try:
        config = folder.read()
    except KubelearnError:
        return False  # said where clusters are looked at
    return config is not None and config.store == "etcd" and not config.etcd_servers


def _clusters() -> list[Finding]:
    found = []
    for folder in state.clusters():
        try:
            config = folder.read()
        except KubelearnError as error:
            found.append(Finding(f"cluster {folder.name}", False, error.message, error.hint))
            continue
        if config is None:
            found.append(
                Finding(
                    f"cluster {folder.name}",
                    False,
                    f"{Path(folder.root)} holds no cluster",
                    f"remove it with: kubelearn down --name {folder.name}",
                )
            )
            continue
        running = folder.daemon_pid() is not None
        if not running and _in_use(config.port):
            found.append(
                Finding(
                    f"cluster {folder.name}",
                    False,
                    f"port {config.port} is in use by another program",
                    f"end that program, or: kubelearn down --name {folder.name} && kubelearn up --name {folder.name}",
                )
            )
        else:
            found.append(Finding(f"cluster {folder.name}", True, "running" if running else "stopped"))
    return found


def _in_use(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False

"""Where a cluster lives on disk, and what is remembered of it between commands.

One folder per cluster under `$KUBELEARN_HOME`: `cluster.json`, `store.db` or `etcd/`, `pki/`, `kubeconfig`, `logs/`,
and what the engine keeps. The control plane holds a lock on `daemon.lock` for as long as it lives, so whether it runs is
never guessed from a pid file.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import json
import os
import re
import socket
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from kubelearn.kit.errors import KubelearnError
from kubelearn.kit.underlay import prefix_for

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,30}[a-z0-9])?")
FORMAT = 1


def home() -> Path:
    """`$KUBELEARN_HOME`, or the platform's folder for user data."""
    given = os.environ.get("KUBELEARN_HOME")
    if given:
        return Path(given).expanduser().absolute()
    import platformdirs

    return Path(platformdirs.user_data_dir("kubelearn"))


@dataclass(frozen=True, slots=True)
class ClusterConfig:
    """What `up` decided once; `nodes` counts workers, `etcd_servers` are URLs with commas between (none: an etcd of the
    cluster's own). Written to `cluster.json`."""

    name: str
    engine: str
    nodes: int
    store: str
    second_octet: int
    port: int
    format: int = FORMAT
    etcd_servers: str = ""
    etcd_cafile: str = ""
    etcd_certfile: str = ""
    etcd_keyfile: str = ""


@dataclass(frozen=True, slots=True)
class ClusterFolder:
    """Paths of one cluster; nothing here exists until `up` made it."""

    name: str
    root: Path

    @classmethod
    def of(cls, name: str) -> ClusterFolder:
        if not _NAME.fullmatch(name):
            raise KubelearnError(
                f'"{name}" is not a cluster name',
                "use up to 32 lower-case letters, digits and '-', starting and ending with a letter or digit",
            )
        return cls(name, home() / "clusters" / name)

    @property
    def pki(self) -> Path:
        return self.root / "pki"

    @property
    def database(self) -> Path:
        return self.root / "store.db"

    @property
    def kubeconfig(self) -> Path:
        return self.root / "kubeconfig"

    @property
    def log(self) -> Path:
        return self.root / "logs" / "control-plane.log"

    @property
    def lock(self) -> Path:
        return self.root / "daemon.lock"

    def read(self) -> ClusterConfig | None:
        """The stored configuration, None if there is no such cluster; raises KubelearnError when it is unreadable."""
        path = self.root / "cluster.json"
        try:
            data = json.loads(path.read_text())
            if data.get("format") != FORMAT:
                raise KubelearnError(
                    f'cluster "{self.name}" was made by another version of kubelearn',
                    f"remove it with: kubelearn down --name {self.name}",
                )
            return ClusterConfig(**data)
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, AttributeError) as error:
            raise KubelearnError(
                f"{path} is damaged: {error}", f"remove the cluster with: kubelearn down --name {self.name}"
            ) from error

    def write(self, config: ClusterConfig) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        temporary = self.root / "cluster.json.new"
        temporary.write_text(json.dumps(dataclasses.asdict(config), indent=1) + "\n")
        temporary.replace(self.root / "cluster.json")

    def daemon_pid(self) -> int | None:
        """The pid of the running control plane, or None: whoever holds the lock is alive."""
        try:
            with self.lock.open("r+") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except OSError:
                    return int(file.read() or 0) or None
        except (FileNotFoundError, ValueError):
            return None
        return None


@contextlib.contextmanager
def os_errors(doing: str) -> Iterator[None]:
    """Map what the disk says to a line that says what to do."""
    try:
        yield
    except PermissionError as error:
        raise KubelearnError(
            f"{doing}: permission denied: {error.filename}",
            "make the folder writable, or set KUBELEARN_HOME to one that is",
        ) from error
    except OSError as error:
        hint = "free some space, or set KUBELEARN_HOME to a folder on another disk" if error.errno == 28 else ""
        raise KubelearnError(f"{doing}: {error.strerror or error}", hint) from error


def clusters() -> list[ClusterFolder]:
    """Every cluster folder in the home, by name."""
    root = home() / "clusters"
    if not root.is_dir():
        return []
    return [ClusterFolder(p.name, p) for p in sorted(root.iterdir()) if p.is_dir() and _NAME.fullmatch(p.name)]


#: The variable that tells a control plane which open file holds its address plan.
PLAN_FD = "KUBELEARN_PLAN_FD"


class AddressPlan:
    """A cluster's 10.`octet`.0.0/16, held among all processes of this machine for as long as its socket is open: the
    process that starts a cluster takes it, and hands the socket on to the control plane."""

    def __init__(self, octet: int) -> None:
        self.octet = octet
        self.socket = socket.socket(socket.AF_UNIX)
        try:
            self.socket.bind(f"\0kubelearn/10.{octet}")
        except OSError:
            self.held = False
        else:
            self.held = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    @classmethod
    def take(cls) -> Self:
        """One that is free now. Raises KubelearnError when none is left."""
        refused: set[int] = set()
        while True:
            plan = cls(free_second_octet(refused))
            if plan.held:
                return plan
            plan.socket.close()
            refused.add(plan.octet)


def free_second_octet(refused: Iterable[int] = ()) -> int:
    """An address plan that no other cluster, no route and no listener of this machine uses, from 10.244 downwards."""
    taken = _routed().union(refused)
    for folder in clusters():
        with contextlib.suppress(KubelearnError):
            if config := folder.read():
                taken.add(config.second_octet)
    busy = _loopback_listeners()
    for octet in range(244, 100, -1):
        if octet not in taken and prefix_for(octet) not in busy:
            return octet
    raise KubelearnError(
        "no free 10.x.0.0/16 network is left", "remove a cluster: kubelearn clusters, kubelearn down --name NAME"
    )


def _routed() -> set[int]:
    """Second octets of the 10.x networks that this machine has routes to."""
    found: set[int] = set()
    with contextlib.suppress(OSError):
        for line in Path("/proc/net/route").read_text().splitlines()[1:]:
            address = bytes.fromhex(line.split()[1])[::-1]
            if address[0] == 10:
                found.add(address[1])
    return found


def _loopback_listeners() -> set[str]:
    """`127.x` of every address somebody listens on: clusters of other homes and users among them."""
    found: set[str] = set()
    with contextlib.suppress(OSError):
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            address = bytes.fromhex(line.split()[1].partition(":")[0])[::-1]
            found.add(f"{address[0]}.{address[1]}")
    return found

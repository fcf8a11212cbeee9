"""The Docker engine's API for asyncio: the SDK's calls in threads, streams on sockets of our own.

What does not end soon (logs, events, exec) would hold a thread each, so it is asked for with an HTTP/1.0 request, whose
answer is plain bytes until the end, or with an upgrade, after which the connection is a pipe. Only a daemon on this
machine is of use: nodes and pods are reached at their own addresses.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from kubelearn.api.cri import CriError
from kubelearn.engines._docker_health import Health
from kubelearn.kit.errors import KubelearnError

if TYPE_CHECKING:
    from docker import APIClient

T = TypeVar("T")
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]

CLUSTER = "kubelearn.dev/cluster"
ROLE = "kubelearn.dev/role"
NODE = "kubelearn.dev/node"

_DEFAULT_HOST = "unix:///var/run/docker.sock"
_THREADS = 12
_SECONDS = 60
_HINT = "see what is wrong with: docker info"


class DockerError(KubelearnError):
    """`status` is the HTTP status of the daemon's answer, 0 when there was none."""

    def __init__(self, message: str, hint: str = _HINT, status: int = 0) -> None:
        super().__init__(message, hint)
        self.status = status


def unreachable(error: BaseException) -> DockerError:
    """What a person can do about it, from the cause at the bottom of a chain of errors."""
    while inner := error.__cause__ or error.__context__:
        error = inner
    if isinstance(error, PermissionError):
        return DockerError(
            f"Docker refuses you: permission denied at {socket_path()}",
            "join the group docker (sudo usermod -aG docker $USER) and log in again, or take the process engine",
        )
    if isinstance(error, FileNotFoundError | ConnectionRefusedError):
        return DockerError(
            f"Docker is not running: nobody listens at {socket_path()}",
            "start it (sudo systemctl start docker), or take the process engine",
        )
    return DockerError(f"Docker does not answer: {error}")


def host() -> str:
    """Where the daemon is: DOCKER_HOST, the current docker context, or the usual socket."""
    if found := os.environ.get("DOCKER_HOST"):
        return found
    from docker.context import ContextAPI
    from docker.errors import DockerException

    try:
        context = ContextAPI.get_current_context()
    except (DockerException, OSError, ValueError):
        return _DEFAULT_HOST
    return str((context.Host if context else "") or _DEFAULT_HOST)


def socket_path() -> str:
    """Raises DockerError for a daemon that is not on this machine."""
    url = host()
    if not url.startswith("unix://"):
        raise DockerError(
            f"Docker is at {url}: the docker engine needs one on this machine, at a unix socket",
            "unset DOCKER_HOST, or take the process engine",
        )
    return url.removeprefix("unix://").removeprefix("http+unix://")


@contextlib.contextmanager
def errors() -> Iterator[None]:
    """The SDK's and its HTTP library's errors as DockerError."""
    import docker.errors
    import requests

    try:
        yield
    except docker.errors.APIError as error:
        raise DockerError(error.explanation or str(error), status=error.status_code or 500) from error
    except docker.errors.DockerException as error:
        raise unreachable(error) from error
    except requests.exceptions.RequestException as error:
        raise unreachable(error) from error


def connect(seconds: float = _SECONDS) -> APIClient:
    """A new client of the SDK. Blocks; raises DockerError."""
    with socket.socket(socket.AF_UNIX) as probe:  # the SDK would hide the cause, and leave a socket open
        probe.settimeout(seconds)
        try:
            probe.connect(socket_path())
        except OSError as error:
            raise unreachable(error) from error
    with errors():
        from docker import APIClient
        from docker.constants import MINIMUM_DOCKER_API_VERSION

        url = f"unix://{socket_path()}"
        # The SDK's own "auto" leaves its socket open when the daemon does not answer.
        with contextlib.closing(APIClient(url, MINIMUM_DOCKER_API_VERSION, timeout=int(seconds))) as probe:
            version = probe.version(api_version=False)["ApiVersion"]
        return APIClient(url, version, timeout=int(seconds))


def image(api: APIClient, name: str) -> dict[str, Any]:
    """`docker image inspect`, which the SDK's types do not know."""
    found: dict[str, Any] = api.inspect_image(name)  # type: ignore[no-untyped-call]
    return found


@contextlib.contextmanager
def as_cri(reason: str) -> Iterator[None]:
    """Inside a RuntimeService's method; what is not there is NotFound whatever the reason given."""
    try:
        yield
    except DockerError as error:
        raise CriError("NotFound" if error.status == 404 else reason, error.message) from error


class Docker:
    """One connection to the daemon, for one event loop; `close` it. While `health` knows of a problem, everything
    fails at once instead of waiting for a daemon that does not answer."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(_THREADS, "docker")
        self.health = Health(self._ping)

    async def _ping(self) -> None:
        _, writer = await self._open(b"GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n")
        writer.close()

    def _refuse_when_down(self) -> None:
        if self.health.problem:
            raise DockerError(self.health.problem)

    @cached_property
    def _api(self) -> APIClient:
        return connect()

    async def call(self, work: Callable[[APIClient], T]) -> T:
        """`work` in a thread; raises DockerError."""
        self._refuse_when_down()

        def run() -> T:
            with errors():
                return work(self._api)

        return await asyncio.get_running_loop().run_in_executor(self._pool, run)

    async def quietly(self, work: Callable[[APIClient], Any]) -> None:
        """As `call`, where being too late is fine: what is to go is gone, what is to stop has stopped."""
        try:
            await self.call(work)
        except DockerError as error:
            if error.status not in (304, 404, 409):
                raise

    async def inspect(self, container_id: str) -> dict[str, Any] | None:
        """None when it is not there."""
        try:
            return await self.call(lambda api: api.inspect_container(container_id))
        except DockerError as error:
            if error.status == 404:
                return None
            raise

    async def stream(self, path: str) -> Streams:
        """GET `path`, plain bytes until the end. Raises DockerError."""
        self._refuse_when_down()
        request = f"GET {path} HTTP/1.0\r\nHost: docker\r\n\r\n"
        return await self._open(request.encode())

    async def pipe(self, path: str, body: dict[str, Any] | None = None) -> Streams:
        """POST `path` and keep the connection for both directions. Raises DockerError."""
        self._refuse_when_down()
        content = json.dumps(body).encode() if body is not None else b""
        head = f"POST {path} HTTP/1.1\r\nHost: docker\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
        return await self._open(head.encode() + content)

    async def _open(self, request: bytes) -> Streams:
        try:
            reader, writer = await asyncio.open_unix_connection(socket_path())
        except OSError as error:
            raise unreachable(error) from error
        try:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            status = int(head.split(b" ", 2)[1])
            if status >= 400:
                raise DockerError(await _explanation(reader, head), status=status)
        except (OSError, asyncio.IncompleteReadError, ValueError, IndexError) as error:
            writer.close()
            raise DockerError(f"Docker does not answer: {error}") from error
        except BaseException:
            writer.close()
            raise
        return reader, writer

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
        if "_api" in self.__dict__:
            self._api.close()


async def _explanation(reader: asyncio.StreamReader, head: bytes) -> str:
    """The message of an error's body."""
    length = next((v for k, v in _headers(head) if k == b"content-length"), b"")
    body = await (reader.readexactly(int(length)) if length else reader.read(65536))
    with contextlib.suppress(ValueError, AttributeError):
        return str(json.loads(body).get("message", ""))
    return body.decode(errors="replace").strip()


def _headers(head: bytes) -> Iterator[tuple[bytes, bytes]]:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        yield name.strip().lower(), value.strip()

"""A cluster that the tests make up: fixed objects behind the client's transport, and a shell that answers from a table.

Deterministic down to the character, so that screens can be compared; what the app asks for is recorded."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import orjson

from kubelearn.client.transport import Request, Response, TransportError, WebSocket
from kubelearn.tui.completing import Candidate

Obj = dict[str, Any]
_RESOURCES = (
    ("", "v1", "Pod", "pods", True), ("", "v1", "Event", "events", True),
    ("", "v1", "Node", "nodes", False), ("", "v1", "Service", "services", True),
    ("apps", "v1", "Deployment", "deployments", True), ("apps", "v1", "ReplicaSet", "replicasets", True),
    ("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices", True),
    ("kubelearn.dev", "v1alpha1", "Gate", "gates", False), ("kubelearn.dev", "v1alpha1", "Span", "spans", False),
)  # fmt: skip


class FakeCluster:
    """`client.transport.Transport` over `objects`, by plural. `put` and `drop` change one and tell the watchers."""

    def __init__(self, objects: dict[str, list[Obj]], revision: int = 184) -> None:
        self.objects = {plural: copy.deepcopy(objects.get(plural, [])) for *_, plural, _ in _RESOURCES}
        self.revision = revision
        self.requests: list[tuple[str, str]] = []
        self.broken = False
        self._watchers: dict[str, list[asyncio.Queue[bytes]]] = {}

    def put(self, plural: str, obj: Obj) -> None:
        self.revision += 1
        obj["metadata"]["resourceVersion"] = str(self.revision)
        kept = self.objects[plural]
        old = next((o for o in kept if _key(o) == _key(obj)), None)
        self.objects[plural] = [obj if o is old else o for o in kept] if old is not None else [*kept, obj]
        self._tell(plural, "MODIFIED" if old else "ADDED", obj)

    def drop(self, plural: str, name: str) -> None:
        gone = next(o for o in self.objects.get(plural, ()) if o["metadata"]["name"] == name)
        self.objects[plural].remove(gone)
        self._tell(plural, "DELETED", gone)

    def _tell(self, plural: str, kind: str, obj: Obj) -> None:
        line = orjson.dumps({"type": kind, "object": obj}) + b"\n"
        for queue in self._watchers.get(plural, ()):
            queue.put_nowait(line)

    async def send(self, request: Request) -> Response:
        if self.broken:
            raise TransportError("connection refused")
        if request.method != "GET":
            self.requests.append((request.method, request.path))
        if request.path in ("/api", "/apis"):
            return _answer(_discovery(request.path == "/api"))
        plural, name, sub = _split(request.path)
        if request.param("watch"):
            return Response(200, {"content-type": "application/json"}, stream=self._watch(plural))
        if request.method == "GET" and not name:
            return _answer(self._list(plural, request.param("labelSelector")))
        found = next((o for o in self.objects.get(plural, ()) if o["metadata"]["name"] == name), None)
        if found is None:
            message = f'{plural} "{name}" not found'
            return _answer({"kind": "Status", "reason": "NotFound", "message": message, "code": 404}, 404)
        if request.method == "DELETE":
            self.drop(plural, name)
        elif request.method == "PATCH":
            self.put(plural, {**found, **{k: {**found[k], **v} for k, v in orjson.loads(request.body).items()}})
        elif sub == "step":
            waiting = found["status"]["waiting"][1:]
            self.put(plural, {**found, "status": {**found["status"], "waiting": waiting}})
        return _answer(found)

    def _list(self, plural: str, selector: str) -> Obj:
        label, _, value = selector.partition("=")
        items = [
            o for o in self.objects.get(plural, ()) if not label or o["metadata"].get("labels", {}).get(label) == value
        ]
        return {"kind": "List", "metadata": {"resourceVersion": str(self.revision)}, "items": items}

    async def _watch(self, plural: str) -> AsyncIterator[bytes]:
        """Spans from the beginning, as the app asks for the past; of the others, what is new."""
        queue: asyncio.Queue[bytes] = asyncio.Queue()
        self._watchers.setdefault(plural, []).append(queue)
        for obj in self.objects[plural] if plural == "spans" else ():
            yield orjson.dumps({"type": "ADDED", "object": obj}) + b"\n"
        while True:
            yield await queue.get()

    async def websocket(self, request: Request, protocols: tuple[str, ...]) -> WebSocket:
        raise TransportError("the fake cluster has no WebSockets")

    async def close(self) -> None:
        """Nothing is open."""


def _key(obj: Obj) -> tuple[str, str]:
    return obj["metadata"].get("namespace", ""), obj["metadata"]["name"]


def _answer(obj: Obj, status: int = 200) -> Response:
    return Response(status, {"content-type": "application/json"}, orjson.dumps(obj))


def _split(path: str) -> tuple[str, str, str]:
    """Plural, name and subresource of a path."""
    parts = path.strip("/").split("/")
    parts = parts[2:] if parts[0] == "api" else parts[3:]
    parts = parts[2:] if parts[0] == "namespaces" and len(parts) > 2 else parts
    return parts[0], parts[1] if len(parts) > 1 else "", parts[2] if len(parts) > 2 else ""


def _discovery(core: bool) -> Obj:
    items: dict[str, Obj] = {}
    for group, version, kind, plural, namespaced in _RESOURCES:
        if core == (group == ""):
            item = items.setdefault(
                group, {"metadata": {"name": group}, "versions": [{"version": version, "resources": []}]}
            )
            item["versions"][0]["resources"].append(
                {
                    "resource": plural,
                    "responseKind": {"kind": kind},
                    "singularResource": kind.lower(),
                    "scope": "Namespaced" if namespaced else "Cluster",
                    "verbs": ["get", "list"],
                }
            )
    return {"kind": "APIGroupDiscoveryList", "items": list(items.values())}


class FakeShell:
    """`answers` by line: (exit status, what it prints); a line that is not there fails. `hang` never ends."""

    def __init__(self, answers: dict[str, tuple[int, str]] | None = None, words: Sequence[str] = ()) -> None:
        self.answers = answers or {}
        self.words = words
        self.ran: list[str] = []
        self.folder: Path | None = None
        self.past: list[str] = []
        self.cancelled = False

    async def execute(self, line: str, write: Callable[[str], None], width: int) -> int:
        self.ran.append(line)
        if line == "hang":
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                self.cancelled = True
                raise
        code, text = self.answers.get(line, (1, f'error: unknown command "{line}"\n'))
        write(text)
        return code

    async def complete(self, text: str, cursor: int) -> Sequence[Candidate]:
        start = text.rfind(" ", 0, cursor) + 1
        return [Candidate(w, start, f"about {w}") for w in self.words if w.startswith(text[start:cursor])]

    def namespace(self) -> str:
        return "default"

    def enter(self, folder: Path) -> None:
        self.folder = folder

    def history(self) -> Sequence[str]:
        return tuple(self.past)

    def remember(self, line: str) -> None:
        self.past.append(line)

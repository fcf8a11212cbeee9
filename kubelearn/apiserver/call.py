"""A request on its way through the server: who asks, what is said beside the answer, and the cause of what it writes."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kubelearn.api.kind import Kind
from kubelearn.api.rbac import Attributes
from kubelearn.apiserver.auth import User
from kubelearn.client.transport import Request
from kubelearn.store.interface import KeyValue, Store
from kubelearn.trace.cause import Cause, from_headers, new_trace_id

if TYPE_CHECKING:
    from kubelearn.apiserver.server import ApiServer


@dataclass(slots=True)
class Call:
    """One request on its way: who, what, and what it will say beside its answer."""

    server: ApiServer
    request: Request
    user: User
    actor: str
    dry_run: bool = False
    warnings: list[str] = field(default_factory=list)
    version: Kind | None = None  # asked for, where it is not the one that is stored

    def warn(self, texts: list[str]) -> None:
        self.warnings += [t for t in texts if t not in self.warnings]

    def authorize_create(self, kind: Kind, namespace: str, name: str) -> None:
        """An update or an apply that makes a new object needs leave to create it too. Raises ApiError 403."""
        resource = kind.resource
        asked = Attributes("create", "", resource.group, resource.plural, "", namespace, name)
        self.server.authorize(self.user, asked)

    def cause(self, verb: str) -> bytes:
        """The encoded cause of a write by this request."""
        acting = from_headers(self.request.headers)
        command = acting.command or self.request.headers.get("kubectl-command", "")
        parent = self.server.causes.get(acting.revision)
        trace_id = parent or acting.trace_id or new_trace_id()
        actor = self.actor or self.user.name
        span = secrets.token_hex(8)
        return Cause(trace_id, span, acting.revision, actor, verb, time.time(), command, acting.note).encode()


class CauseIndex:
    """The trace that each revision belongs to, so that whoever acts on a revision joins its trace."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[int, str] = {}

    def get(self, revision: int) -> str:
        return self._known.get(revision, "")

    def add(self, kv: KeyValue) -> None:
        found = Cause.decode(kv.cause)
        if found is not None:
            self._known[kv.mod_revision] = found.trace_id
            if len(self._known) > 20_000:
                for old in list(self._known)[:5_000]:
                    del self._known[old]

    async def load(self) -> None:
        for event in await self._store.history("/registry/"):
            self.add(event.kv)

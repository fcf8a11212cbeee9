"""The descriptor of an admission plugin, and what it is asked about."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kubelearn.api.kind import Kind
from kubelearn.api.resource import Obj, Resource

if TYPE_CHECKING:
    from kubelearn.apiserver.call import Call
    from kubelearn.apiserver.server import ApiServer

NAMESPACES = Resource("", "v1", "Namespace", "namespaces", "namespace", False)
ACCOUNTS = Resource("", "v1", "ServiceAccount", "serviceaccounts", "serviceaccount", True)
PODS = Resource("", "v1", "Pod", "pods", "pod", True)


@dataclass(slots=True)
class Attempt:
    """A write before it is stored: `old` is None for a creation. Of what is to be deleted, `obj` is what is there.
    `seen` gives what the client wrote, where that is not the object itself but a Scale of it."""

    call: Call
    kind: Kind
    obj: Obj
    old: Obj | None = None
    subresource: str = ""
    deletes: bool = False
    seen: Callable[[Obj], Obj] | None = None

    @property
    def server(self) -> ApiServer:
        return self.call.server

    @property
    def resource(self) -> Resource:
        return self.kind.resource

    @property
    def name(self) -> str:
        return str(self.obj["metadata"].get("name", ""))

    @property
    def namespace(self) -> str:
        return str(self.obj["metadata"].get("namespace", ""))

    @property
    def operation(self) -> str:
        return "DELETE" if self.deletes else "UPDATE" if self.old is not None else "CREATE"

    def creates(self, plural: str, group: str = "") -> bool:
        return self.old is None and (self.resource.group, self.resource.plural) == (group, plural)


Step = Callable[[Attempt], Awaitable[None]]


async def _nothing(_attempt: Attempt) -> None: ...


@dataclass(frozen=True, slots=True)
class Admission:
    """`admit` may change the object, before it is validated; `validate` only looks, afterwards, and `remove`
    before a deletion. All raise ApiError. `order` is the place among the others, as kube-apiserver recommends it.
    `of_status` says that `validate` is also asked about what only components write: status, finalizers."""

    order: int
    admit: Step = _nothing
    validate: Step = _nothing
    remove: Step = _nothing
    of_status: bool = False

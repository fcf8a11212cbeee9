"""A resource's path taken apart: `/apis/GROUP/VERSION/namespaces/NS/PLURAL/NAME/SUBRESOURCE/…`."""

from __future__ import annotations

from dataclasses import dataclass

from kubelearn.api import names, selectors
from kubelearn.api.rbac import Attributes
from kubelearn.client.transport import Request


def is_resource(path: str) -> bool:
    """Whether a path lies in a group's version; `//` within a path leads nowhere, as with kube-apiserver."""
    parts = path.rstrip("/").split("/")[1:]
    least = {"api": 2, "apis": 3}.get(parts[0] if parts else "")
    return least is not None and len(parts) >= least and all(parts)


@dataclass(frozen=True, slots=True)
class Route:
    """A resource's path (`is_resource`) taken apart. `verb` is the API verb, `watch` and `deletecollection` included.
    `about` is the one object that the request is about, for whoever decides whether it may be made: that of the name,
    or the only one that a list or a watch selects by its name."""

    group: str
    version: str
    namespace: str
    plural: str
    name: str
    subresource: str
    rest: str
    verb: str
    about: str

    @classmethod
    def of(cls, request: Request) -> Route:
        parts = [p for p in request.path.split("/") if p]
        group, version, *parts = ("", *parts[1:]) if parts[0] == "api" else parts[1:]
        namespace = ""
        if len(parts) >= 3 and parts[0] == "namespaces" and parts[2] not in ("status", "finalize"):
            namespace, parts = parts[1], parts[2:]
        plural, name, subresource, *rest = [*parts, "", "", ""][: max(3, len(parts))]
        verb = _verb(request, name)
        about = name or (_selected(request) if verb in ("list", "watch") else "")
        return cls(group, version, namespace, plural, name, subresource, "/".join(rest), verb, about)

    def attributes(self) -> Attributes:
        return Attributes(self.verb, "", self.group, self.plural, self.subresource, self.namespace, self.about)


def _selected(request: Request) -> str:
    """The name that a field selector asks for, empty if it does not; whoever lists refuses one that is none."""
    given = request.param("fieldSelector")
    if not given:
        return ""
    try:
        name = selectors.parse_field_selector(given).exact("metadata.name") or ""
    except ValueError:
        return ""
    return "" if names.path_segment(name) else name


def _verb(request: Request, name: str) -> str:
    if request.method in ("GET", "HEAD"):
        if request.param("watch") in ("1", "true"):
            return "watch"
        return "get" if name else "list"
    if request.method == "DELETE":
        return "delete" if name else "deletecollection"
    return {"POST": "create", "PUT": "update", "PATCH": "patch"}.get(request.method, request.method.lower())

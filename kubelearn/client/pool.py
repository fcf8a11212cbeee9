"""One copy of each object for all informers of a process.

A control plane has a dozen informers on pods alone. Each decodes what it is sent; kept once per informer, ten thousand
pods would fill gigabytes. Informers' objects are never changed, so one copy does for all: clients that are given the
same pool share it.
"""

from __future__ import annotations

from kubelearn.api.resource import Obj

Key = tuple[str, str, str, bool]


class Pool:
    """Holds the newest version seen of each object, until an informer hears of its deletion."""

    def __init__(self) -> None:
        self._newest: dict[Key, tuple[int, Obj]] = {}

    def __len__(self) -> int:
        return len(self._newest)

    def one(self, obj: Obj, *, metadata_only: bool = False) -> Obj:
        """The copy to keep of this version of `obj`: the one that is there, or `obj` itself."""
        key, revision = _identify(obj, metadata_only)
        if not revision:
            return obj
        newest, known = self._newest.get(key, (0, obj))
        if revision == newest:
            return known
        if revision > newest:
            self._newest[key] = revision, obj
        return obj

    def forget(self, obj: Obj, *, metadata_only: bool = False) -> None:
        self._newest.pop(_identify(obj, metadata_only)[0], None)


def _identify(obj: Obj, metadata_only: bool) -> tuple[Key, int]:
    """Which object, in which form, and its revision: 0 for what cannot be told apart from others by uid and number."""
    about = obj["metadata"]
    uid, version = about.get("uid", ""), about.get("resourceVersion", "")
    key = uid, obj.get("apiVersion", ""), obj.get("kind", ""), metadata_only
    return key, int(version) if uid and version.isdigit() else 0

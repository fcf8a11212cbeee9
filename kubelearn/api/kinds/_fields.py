"""What a field selector may ask for, besides name and namespace."""

from __future__ import annotations

from collections.abc import Mapping

from kubelearn.api.kinds import _read as r
from kubelearn.api.resource import Obj


def with_metadata(obj: Obj, fields: Mapping[str, str], *, namespaced: bool = True) -> Mapping[str, str]:
    meta = r.mapping(obj, "metadata")
    out = {"metadata.name": r.text(meta, "name")}
    if namespaced:
        out["metadata.namespace"] = r.text(meta, "namespace")
    return out | dict(fields)

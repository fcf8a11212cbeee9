"""Conditions of a status: set one, remove one, keep the time of a state that has not changed."""

from __future__ import annotations

from typing import Any

from kubelearn.api.resource import Obj


def get(status: Obj, type_: str) -> dict[str, Any] | None:
    return next((c for c in status.get("conditions") or [] if c["type"] == type_), None)


def make(type_: str, value: str, reason: str, message: str, now: str, *, updated: bool = False) -> Obj:
    """`updated` adds the lastUpdateTime that Deployments have."""
    out = {"type": type_, "status": value, "lastTransitionTime": now, "reason": reason, "message": message}
    return {**out, "lastUpdateTime": now} if updated else out


def put(status: Obj, new: Obj) -> bool:
    """Put `new` in its type's place unless status and reason are as before; True if it went in."""
    old = get(status, new["type"])
    if old is not None and old["status"] == new["status"] and old.get("reason") == new.get("reason"):
        return False
    if old is not None and old["status"] == new["status"]:
        new = {**new, "lastTransitionTime": old["lastTransitionTime"]}
    remove(status, new["type"])
    status.setdefault("conditions", []).append(new)
    return True


def remove(status: Obj, type_: str) -> None:
    if "conditions" in status:
        status["conditions"] = [c for c in status["conditions"] if c["type"] != type_]

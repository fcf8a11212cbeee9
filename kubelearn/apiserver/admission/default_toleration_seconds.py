"""DefaultTolerationSeconds: a pod stays 300 s on a node that is not ready or unreachable."""

from __future__ import annotations

from kubelearn.api.resource import Obj
from kubelearn.apiserver.admission._base import Admission, Attempt

_TOLERATED = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")


async def _admit(attempt: Attempt) -> None:
    if not attempt.creates("pods"):
        return
    tolerations = attempt.obj["spec"].setdefault("tolerations", [])
    for key in _TOLERATED:
        if not any(_tolerates(t, key) for t in tolerations):
            tolerations.append({"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300})


def _tolerates(toleration: Obj, key: str) -> bool:
    if toleration.get("effect") not in (None, "", "NoExecute"):
        return False
    return toleration.get("key") in (None, "", key) and (
        toleration.get("operator") == "Exists" or toleration.get("key") == key
    )


ADMISSION = Admission(70, _admit)

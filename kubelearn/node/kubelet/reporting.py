"""Write a pod's status, when it says something new."""

from __future__ import annotations

from typing import Any

from kubelearn.api.errors import ApiError
from kubelearn.api.resource import Obj
from kubelearn.client.rest import STRATEGIC_MERGE_PATCH, Client
from kubelearn.node.resources import PODS


async def write_status(client: Client, pod: Obj, status: Obj) -> Obj | None:
    """The pod as the API has it then; None when it is gone, or another one has its name: the watch will say so."""
    old_ip = pod.get("status", {}).get("podIP")
    patch = dict(status)
    if old_ip and "podIPs" in status and status["podIP"] != old_ip:
        patch["podIPs"] = [*status["podIPs"], {"$patch": "replace"}]
    meta = pod["metadata"]
    try:
        return await client.patch(
            PODS,
            meta["name"],
            meta["namespace"],
            {"metadata": {"uid": meta["uid"]}, "status": patch},
            STRATEGIC_MERGE_PATCH,
            subresource="status",
        )
    except ApiError as error:
        if error.code in (404, 409):
            return None
        raise


def says_the_same(wanted: Any, have: Any) -> bool:
    """`have` holds all of `wanted`, absent and null being one; lists of conditions are compared by type."""
    if isinstance(wanted, dict):
        if not isinstance(have, dict):
            return not wanted and have is None
        return all(says_the_same(v, have.get(k)) for k, v in wanted.items())
    if isinstance(wanted, list):
        have = have or []
        if wanted and isinstance(wanted[0], dict) and "lastTransitionTime" in wanted[0]:
            by_type = {c["type"]: c for c in have}
            return all(says_the_same(c, by_type.get(c["type"])) for c in wanted)
        return len(wanted) == len(have) and all(says_the_same(a, b) for a, b in zip(wanted, have, strict=True))
    return bool(wanted == have)

"""pods/eviction: a deletion that asks the pod's PodDisruptionBudget first.

Source: Kubernetes' pkg/registry/core/pod/storage/eviction.go.
"""

from __future__ import annotations

from typing import Any

from kubelearn.api import errors, selectors
from kubelearn.api.errors import ApiError
from kubelearn.api.kind import Kind
from kubelearn.api.kinds import _read as r
from kubelearn.api.kinds import poddisruptionbudget as budgets
from kubelearn.api.resource import Obj
from kubelearn.apiserver import codec, deletion, keys, rest
from kubelearn.apiserver.call import Call
from kubelearn.apiserver.routing import Route
from kubelearn.apiserver.subresources._base import Subresource, body_of, only, success
from kubelearn.client.transport import Response
from kubelearn.kit import clock
from kubelearn.store.interface import Conflict, KeyValue

_REFUSED = "Cannot evict pod as it would violate the pod's disruption budget."
_MOST_DISRUPTED = 2000


async def _eviction(call: Call, kind: Kind, route: Route) -> Response:
    only(call, "POST")
    body = body_of(call, "policy", "v1", "Eviction")
    options = deletion.checked(call, body.get("deleteOptions") or {})
    pod = codec.decode(await rest.read(call.server, kind, route.namespace, route.name))
    if not _goes_anyway(pod):
        await _ask(call, pod)
    await deletion.delete(call, kind, route.namespace, route.name, options)
    return success()


def _goes_anyway(pod: Obj) -> bool:
    """It serves nobody: not yet, or no more."""
    phase = (pod.get("status") or {}).get("phase")
    return phase in ("Succeeded", "Failed", "Pending") or "deletionTimestamp" in pod["metadata"]


async def _ask(call: Call, pod: Obj) -> None:
    """Take one disruption from the pod's budget, if it has one. Raises ApiError 429."""
    place = keys.prefix(budgets.RESOURCE, pod["metadata"]["namespace"])
    found = [kv for kv in (await call.server.store.range(place)).items if _means(codec.decode(kv), pod)]
    if len(found) > 1:
        text = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
        raise errors.internal(text)
    while found and not await _take(call, found[0], pod):
        again = await call.server.store.get(found[0].key)
        found = [again] if again else []


def _means(budget: Obj, pod: Obj) -> bool:
    return selectors.from_label_selector(budget["spec"].get("selector")).matches(pod["metadata"].get("labels") or {})


def _is_ready(pod: Obj) -> bool:
    return bool(r.condition(pod, "Ready").get("status") == "True")


async def _take(call: Call, kv: KeyValue, pod: Obj) -> bool:
    """False if the budget has changed meanwhile. Raises ApiError 429 or 403."""
    budget = codec.decode(kv)
    status: Obj = budget.get("status") or {}
    if not _is_ready(pod) and _lets_unready_go(budget["spec"], status):
        return True
    _refuse(budget, status)
    status["disruptionsAllowed"] -= 1
    if status["disruptionsAllowed"] == 0:
        status["conditions"] = budgets.conditions(budget, allowed=False)
    status["disruptedPods"] = {
        **(status.get("disruptedPods") or {}),
        pod["metadata"]["name"]: clock.rfc3339(clock.utc_now()),
    }
    if call.dry_run:
        return True
    try:
        await call.server.put(kv.key, codec.encode(budget), expect=kv.mod_revision, cause=call.cause("update"))
    except Conflict:
        return False
    return True


def _lets_unready_go(spec: Obj, status: Obj) -> bool:
    """Pods that are not ready go always, or by default while the ready ones are enough."""
    if spec.get("unhealthyPodEvictionPolicy") == "AlwaysAllow":
        return True
    desired = status.get("desiredHealthy", 0)
    return bool(status.get("currentHealthy", 0) >= desired > 0)


def _refuse(budget: Obj, status: Obj) -> None:
    name = budget["metadata"]["name"]
    if status.get("observedGeneration", 0) < budget["metadata"].get("generation", 0):
        raise _too_many(f"The disruption budget {name} is still being processed by the server.", 10)
    if len(status.get("disruptedPods") or ()) > _MOST_DISRUPTED:
        why = "DisruptedPods map too big - too many evictions not confirmed by PDB controller"
        raise errors.forbidden(budgets.RESOURCE, name, why)
    if status.get("disruptionsAllowed", 0) <= 0:
        failed = next((c for c in status.get("conditions") or () if c.get("reason") == "SyncFailed"), None)
        if failed is not None:
            why = f"does not allow evicting pods currently because it failed sync: {failed.get('message', '')}"
        else:
            needs, has = status.get("desiredHealthy", 0), status.get("currentHealthy", 0)
            why = f"needs {needs} healthy pods and has {has} currently"
        raise _too_many(f"The disruption budget {name} {why}")


def _too_many(why: str, retry_seconds: int = 0) -> ApiError:
    details: dict[str, Any] = {"causes": [{"reason": "DisruptionBudget", "message": why}]}
    headers = {}
    if retry_seconds:
        details["retryAfterSeconds"] = retry_seconds
        headers["Retry-After"] = str(retry_seconds)
    return ApiError(429, "TooManyRequests", _REFUSED, details, headers)


SUBRESOURCE = Subresource(_eviction, ("create",), "policy", "v1", "Eviction")

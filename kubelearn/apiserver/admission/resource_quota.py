"""ResourceQuota: what would be more than a namespace's quotas allow is refused; what is not is counted at once.

The count is written before the object is, by compare and swap, so that two writes cannot both take what is left. The
resourcequota-controller puts it right when the object is not stored after all, and when one goes.
"""

from __future__ import annotations

from decimal import Decimal

from kubelearn.api import errors, pod_resources, quota
from kubelearn.api.errors import ApiError
from kubelearn.api.kinds import resourcequota
from kubelearn.api.pod_resources import Amounts
from kubelearn.api.resource import Obj
from kubelearn.apiserver import codec, keys
from kubelearn.apiserver.admission._base import Admission, Attempt
from kubelearn.store.interface import Conflict, KeyValue

#: Of these an update may use more than before.
_GROW = frozenset({"services", "persistentvolumeclaims"})


async def _validate(attempt: Attempt) -> None:
    """Raises ApiError 403."""
    resource = attempt.resource
    if not resource.namespaced or (attempt.old is not None and resource.group_resource not in _GROW):
        return
    place = keys.prefix(resourcequota.RESOURCE, attempt.namespace)
    for kv in (await attempt.server.store.range(place)).items:
        while not await _charge(attempt, kv):
            again = await attempt.server.store.get(kv.key)
            if again is None:
                break
            kv = again


async def _charge(attempt: Attempt, kv: KeyValue) -> bool:
    """Count the object against one quota; False if the quota has changed meanwhile. Raises ApiError 403."""
    found, resource = codec.decode(kv), attempt.resource
    hard = (found.get("status") or {}).get("hard") or {}
    if not quota.covers(found, resource, attempt.obj):
        return True
    limited = found["spec"].get("hard") or {}
    if resource.group_resource == "pods" and (unsaid := quota.unsaid(attempt.obj, limited)):
        raise _refused(attempt, f"failed quota: {found['metadata']['name']}: {unsaid}")
    more = _more(attempt, limited)
    if not more:
        return True
    if unknown := sorted(set(more) - set(hard)):
        why = f"status unknown for quota: {found['metadata']['name']}, resources: {','.join(unknown)}"
        raise _refused(attempt, why)
    used = pod_resources.parsed(found["status"].get("used"))
    limit = pod_resources.parsed(hard)
    after = {name: used.get(name, Decimal()) + amount for name, amount in more.items()}
    exceeded = {name for name in more if more[name] > 0 and after[name] > limit[name]}
    if exceeded:
        raise _refused(attempt, _exceeded(found, {n: more[n] for n in exceeded}, hard))
    if attempt.call.dry_run:
        return True
    found["status"]["used"] = {**(found["status"].get("used") or {}), **quota.written(after, hard)}
    try:
        await attempt.server.put(
            kv.key, codec.encode(found), expect=kv.mod_revision, cause=attempt.call.cause("update")
        )
    except Conflict:
        return False
    return True


def _more(attempt: Attempt, limited: Obj) -> Amounts:
    """What the write adds to what is limited."""
    now = quota.usage(attempt.resource, attempt.obj)
    before = quota.usage(attempt.resource, attempt.old) if attempt.old is not None else {}
    found = {name: amount - before.get(name, Decimal()) for name, amount in now.items() if name in limited}
    return {name: amount for name, amount in found.items() if amount > 0}


def _exceeded(found: Obj, more: Amounts, hard: Obj) -> str:
    used = found["status"].get("used") or {}
    asked, has, may = ({n: side.get(n, "0") for n in more} for side in (quota.written(more, hard), used, hard))
    return (
        f"exceeded quota: {found['metadata']['name']}, requested: {quota.pretty(asked)}, used: {quota.pretty(has)}, "
        f"limited: {quota.pretty(may)}"
    )


def _refused(attempt: Attempt, why: str) -> ApiError:
    return errors.forbidden(attempt.resource, attempt.name, why)


ADMISSION = Admission(200, validate=_validate)

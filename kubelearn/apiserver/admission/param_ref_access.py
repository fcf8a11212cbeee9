"""Who binds a policy to parameters must be able to read them: its messages could tell him what they hold.

In Kubernetes this belongs to the storage of bindings (pkg/registry/admissionregistration), not to a plugin.
"""

from __future__ import annotations

from kubelearn.api import errors
from kubelearn.api.kinds import _errors as problems
from kubelearn.api.kinds import validatingadmissionpolicy, validatingadmissionpolicybinding
from kubelearn.api.rbac import Attributes
from kubelearn.api.resource import Obj
from kubelearn.apiserver import codec, keys
from kubelearn.apiserver.admission._base import Admission, Attempt
from kubelearn.apiserver.auth import User

_BINDINGS = validatingadmissionpolicybinding.RESOURCE


async def _validate(attempt: Attempt) -> None:
    """Raises ApiError 422."""
    if attempt.resource != _BINDINGS:
        return
    user, spec = attempt.call.user, attempt.obj["spec"]
    ref = spec.get("paramRef")
    if not ref or "system:masters" in user.groups or (attempt.old and attempt.old["spec"] == spec):
        return
    group, plural = await _parameters(attempt, spec["policyName"])
    asked = Attributes("get", "", group, plural, "", ref.get("namespace", ""), ref.get("name", ""))
    if attempt.server.authorizer.allows(user, asked) is None:
        why = f'user {_shown(user)} does not have "get" permission on the object referenced by paramRef'
        found = [problems.forbidden("spec.paramRef", why)]
        raise errors.invalid(_BINDINGS.group, _BINDINGS.kind, attempt.name, found)


async def _parameters(attempt: Attempt, policy: str) -> tuple[str, str]:
    """Group and plural of what the policy takes; everything as long as that cannot be told."""
    kv = await attempt.server.store.get(keys.key(validatingadmissionpolicy.RESOURCE, "", policy))
    wanted: Obj | None = codec.decode(kv)["spec"].get("paramKind") if kv else None
    if not wanted:
        return "*", "*"
    kind = attempt.server.registry.by_kind(wanted["apiVersion"], wanted["kind"])
    return wanted["apiVersion"].rpartition("/")[0], kind.resource.plural if kind else "*"


def _shown(user: User) -> str:
    """As Go prints the struct."""
    extra = " ".join(f"{key}:[{' '.join(values)}]" for key, values in sorted(user.extra.items()))
    return f"&{{{user.name} {user.uid} [{' '.join(user.groups)}] map[{extra}]}}"


ADMISSION = Admission(140, validate=_validate)

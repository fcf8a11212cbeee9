"""Who asks, and may they: client certificates, bearer tokens, ServiceAccount tokens; nodes by rule, others by RBAC."""

from __future__ import annotations

import hmac
import math
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kubelearn.api.rbac import Attributes
from kubelearn.apiserver.rbac import Rbac
from kubelearn.apiserver.tokens import TokenSigner

ISSUER = "https://kubernetes.default.svc.cluster.local"
_LEGACY_ISSUER = "kubernetes/serviceaccount"
_LEGACY = "kubernetes.io/serviceaccount/"  # what its claims begin with
_POD_NAME = "authentication.kubernetes.io/pod-name"
_POD_UID = "authentication.kubernetes.io/pod-uid"
_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class User:
    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)


ANONYMOUS = User("system:anonymous", ("system:unauthenticated",))


def component(user: User, user_agent: str = "") -> str:
    """The name under which causes and the gate know a component; empty for people."""
    name = user.name
    if name.startswith("system:serviceaccount:kube-system:"):
        return name.rsplit(":", 1)[1]
    if name.startswith("system:node:"):
        kind = "kube-proxy" if user_agent.startswith("kube-proxy") else "kubelet"
        return f"{kind}-{name.removeprefix('system:node:')}"
    return name.removeprefix("system:") if name.startswith("system:kube-") else ""


@dataclass(frozen=True, slots=True)
class Verified:
    """Whom a token names, until when (Unix seconds), and the Secret that a token of old lives in."""

    user: User
    until: float = math.inf
    secret: str = ""


class Authenticator:
    """`tokens` are static bearer tokens; ServiceAccount tokens are JWTs signed with `signing_key` (a PEM)."""

    def __init__(self, tokens: Mapping[str, User], signing_key: str) -> None:
        self._tokens = dict(tokens)
        self._signer = TokenSigner(signing_key)
        self._verified: dict[str, Verified] = {}

    def token(self, text: str) -> Verified | None:
        """What a bearer token says, None if it is not good. Whether the account of a ServiceAccount token still
        exists is for the caller to see: `user.uid` is its, `user.extra` names the pod that the token is bound to."""
        for known, user in self._tokens.items():
            if hmac.compare_digest(known.encode(), text.encode()):
                return Verified(user)
        found = self._verified.get(text) or self._service_account(text)
        if found is None or found.until < time.time():
            self._verified.pop(text, None)
            return None
        return found

    def jwks(self) -> dict[str, Any]:
        return self._signer.jwks()

    def issue(
        self,
        namespace: str,
        name: str,
        uid: str,
        audiences: list[str],
        seconds: int,
        pod: Mapping[str, str] | None = None,
    ) -> tuple[str, int]:
        """A ServiceAccount token, bound to `pod` (its name and uid) if given, and the second at which it expires."""
        now = int(time.time())
        about: dict[str, Any] = {"namespace": namespace, "serviceaccount": {"name": name, "uid": uid}}
        if pod is not None:
            about["pod"] = dict(pod)
        claims = {
            "aud": audiences or [ISSUER],
            "exp": now + seconds,
            "iat": now,
            "nbf": now,
            "iss": ISSUER,
            "jti": str(uuid.uuid4()),
            "kubernetes.io": about,
            "sub": f"system:serviceaccount:{namespace}:{name}",
        }
        return self._signer.issue(claims), now + seconds

    def issue_legacy(self, account: Mapping[str, Any], secret: str) -> str:
        """A token without end for a ServiceAccount, which holds as long as the Secret of that name has it."""
        meta = account["metadata"]
        about = {
            "namespace": meta["namespace"],
            "secret.name": secret,
            "service-account.name": meta["name"],
            "service-account.uid": meta["uid"],
        }
        subject = f"system:serviceaccount:{meta['namespace']}:{meta['name']}"
        claims = {_LEGACY + key: value for key, value in about.items()}
        return self._signer.issue({"iss": _LEGACY_ISSUER, **claims, "sub": subject})

    def _service_account(self, text: str) -> Verified | None:
        claims = self._signer.verify(text)
        if claims is None:
            return None
        if claims.get("iss") == _LEGACY_ISSUER:
            found = _legacy(claims)
        elif ISSUER in claims.get("aud", ()):
            found = _bound(claims)
        else:
            return None
        if len(self._verified) > _REMEMBERED:
            self._verified.clear()
        self._verified[text] = found
        return found


def _groups(namespace: str) -> tuple[str, ...]:
    return "system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated"


def _legacy(claims: Mapping[str, Any]) -> Verified:
    namespace, uid = claims[_LEGACY + "namespace"], claims[_LEGACY + "service-account.uid"]
    return Verified(User(claims["sub"], _groups(namespace), uid), secret=claims[_LEGACY + "secret.name"])


def _bound(claims: Mapping[str, Any]) -> Verified:
    about = claims["kubernetes.io"]
    extra: dict[str, Any] = {"authentication.kubernetes.io/credential-id": [f"JTI={claims['jti']}"]}
    if "pod" in about:
        extra |= {_POD_NAME: [about["pod"]["name"]], _POD_UID: [about["pod"]["uid"]]}
    user = User(claims["sub"], _groups(about["namespace"]), about["serviceaccount"]["uid"], extra)
    return Verified(user, float(claims["exp"]))


def bound_pod(user: User) -> tuple[str, str]:
    """Name and uid of the pod that a ServiceAccount token is bound to, empty if it is not."""
    return user.extra.get(_POD_NAME, [""])[0], user.extra.get(_POD_UID, [""])[0]


_READ = frozenset({"get", "list", "watch"})
_NODE_WRITES = frozenset(
    {
        ("", "nodes", ""), ("", "nodes", "status"), ("", "pods", "status"), ("", "events", ""),
        ("coordination.k8s.io", "leases", ""), ("", "serviceaccounts", "token"),
    }
)  # fmt: skip
_NODE_READS = frozenset(
    {"nodes", "pods", "services", "endpoints", "endpointslices", "configmaps", "secrets", "serviceaccounts", "leases",
     "namespaces", "persistentvolumeclaims", "persistentvolumes"}
)  # fmt: skip


class Authorizer:
    """In turn: administrators, nodes, what RBAC grants, and the control plane's own components. `why_not` words a
    refusal as Kubernetes does."""

    def __init__(self, rbac: Rbac | None = None) -> None:
        self.rbac = rbac or Rbac()

    def allows(self, user: User, asked: Attributes) -> str | None:
        """None if the user may not; else why, where there is more to say than who he is."""
        if "system:masters" in user.groups:
            return ""
        if "system:nodes" in user.groups and asked.resource and self._node(user.name.rpartition(":")[2], asked):
            return ""
        if why := self.rbac.allows(user, asked):
            return why
        is_component = "system:nodes" not in user.groups and component(user)
        return "" if is_component and self._component(component(user), asked) else None

    @staticmethod
    def _component(name: str, asked: Attributes) -> bool:
        """kubelearn splits the control plane finer than the bootstrap roles do; none of it makes Secrets, and only
        the token controller fills them."""
        if (asked.group, asked.resource) != ("", "secrets") or asked.verb not in ("create", "update", "patch"):
            return bool(asked.resource)
        return asked.verb == "update" and name == "serviceaccount-token-controller"

    @staticmethod
    def _node(name: str, asked: Attributes) -> bool:
        """A kubelet reads what pods need, and writes its own Node, Lease and pods' status (`node_restriction` looks
        at the objects)."""
        if asked.verb in _READ:
            return asked.resource in _NODE_READS or asked.group == "discovery.k8s.io"
        if (asked.group, asked.resource, asked.subresource) not in _NODE_WRITES:
            return asked.verb == "delete" and (asked.group, asked.resource, asked.subresource) == ("", "pods", "")
        if asked.verb not in ("create", "update", "patch"):
            return False
        if asked.resource in ("nodes", "leases") and asked.name:
            return asked.name == name
        return True

    @staticmethod
    def why_not(user: User, asked: Attributes) -> str:
        if not asked.resource:
            return f'User "{user.name}" cannot {asked.verb} path "{asked.path}"'
        scope = f'in the namespace "{asked.namespace}"' if asked.namespace else "at the cluster scope"
        return f'User "{user.name}" cannot {asked.verb} resource "{asked.whole_resource}" in API group "{asked.group}" {scope}'

"""Who asks, and may they: client certificates, bearer tokens, ServiceAccount tokens; nodes by rule, others by RBAC."""

from __future__ import annotations

import hmac
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kubelearn.api.rbac import Attributes
from kubelearn.apiserver.rbac import Rbac
from kubelearn.apiserver.tokens import TokenSigner

ISSUER = "https://kubernetes.default.svc.cluster.local"
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


class Authenticator:
    """`tokens` are static bearer tokens; ServiceAccount tokens are JWTs signed with `signing_key` (a PEM)."""

    def __init__(self, tokens: Mapping[str, User], signing_key: str) -> None:
        self._tokens = dict(tokens)
        self._signer = TokenSigner(signing_key)
        self._verified: dict[str, tuple[User, float]] = {}

    def token(self, text: str) -> User | None:
        """The user of a bearer token, None if it is not good. Whether the account of a ServiceAccount token still
        exists is for the caller to see: `uid` is its, `extra` names the pod that the token is bound to."""
        for known, user in self._tokens.items():
            if hmac.compare_digest(known.encode(), text.encode()):
                return user
        found = self._verified.get(text) or self._service_account(text)
        if found is None or found[1] < time.time():
            self._verified.pop(text, None)
            return None
        return found[0]

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

    def _service_account(self, text: str) -> tuple[User, float] | None:
        claims = self._signer.verify(text)
        if claims is None or ISSUER not in claims.get("aud", ()):
            return None
        about = claims["kubernetes.io"]
        account, namespace = about["serviceaccount"], about["namespace"]
        groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated")
        extra: dict[str, Any] = {"authentication.kubernetes.io/credential-id": [f"JTI={claims['jti']}"]}
        if "pod" in about:
            extra |= {_POD_NAME: [about["pod"]["name"]], _POD_UID: [about["pod"]["uid"]]}
        found = User(claims["sub"], groups, account["uid"], extra), float(claims["exp"])
        if len(self._verified) > _REMEMBERED:
            self._verified.clear()
        self._verified[text] = found
        return found


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
        return "" if is_component and self._component(asked) else None

    @staticmethod
    def _component(asked: Attributes) -> bool:
        """kubelearn splits the control plane finer than the bootstrap roles do; none of it makes Secrets."""
        is_secret = (asked.group, asked.resource) == ("", "secrets")
        return bool(asked.resource) and not (is_secret and asked.verb in ("create", "update", "patch"))

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

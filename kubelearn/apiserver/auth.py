"""Who asks, and may they: client certificates, bearer tokens, ServiceAccount tokens, and a table of rules.

Full RBAC comes later; until then the rules are a table: administrators may do all, nodes only what concerns them, the
control plane's own components what they need, and everybody else may read what the system publishes to all.
"""

from __future__ import annotations

import base64
import hmac
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import orjson

ANONYMOUS_PATHS = ("/healthz", "/livez", "/readyz", "/version")
_ISSUER = "https://kubernetes.default.svc.cluster.local"


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
    """`tokens` are static bearer tokens; ServiceAccount tokens are JWTs (HS256) with a key made of `signing_key`."""

    def __init__(self, tokens: Mapping[str, User], signing_key: str) -> None:
        self._tokens = dict(tokens)
        self._key = sha256(signing_key.encode()).digest()

    def token(self, text: str) -> User | None:
        """The user of a bearer token, None if it is not good."""
        for known, user in self._tokens.items():
            if hmac.compare_digest(known.encode(), text.encode()):
                return user
        return self._service_account(text)

    def issue(self, namespace: str, name: str, uid: str, audiences: list[str], seconds: int) -> tuple[str, int]:
        """A ServiceAccount token and the second at which it expires."""
        now = int(time.time())
        claims = {
            "aud": audiences or [_ISSUER],
            "exp": now + seconds,
            "iat": now,
            "nbf": now,
            "iss": _ISSUER,
            "kubernetes.io": {"namespace": namespace, "serviceaccount": {"name": name, "uid": uid}},
            "sub": f"system:serviceaccount:{namespace}:{name}",
        }
        head = _encode(b'{"alg":"HS256","typ":"JWT"}') + "." + _encode(orjson.dumps(claims))
        return head + "." + _encode(self._sign(head)), now + seconds

    def _sign(self, text: str) -> bytes:
        return hmac.new(self._key, text.encode(), sha256).digest()

    def _service_account(self, text: str) -> User | None:
        head, _, signature = text.rpartition(".")
        try:
            if not hmac.compare_digest(_encode(self._sign(head)).encode(), signature.encode()):
                return None
            claims = orjson.loads(_decode(head.split(".")[1]))
        except (ValueError, IndexError):
            return None
        if claims.get("exp", 0) < time.time():
            return None
        account = claims["kubernetes.io"]
        groups = ("system:serviceaccounts", f"system:serviceaccounts:{account['namespace']}", "system:authenticated")
        return User(claims["sub"], groups, account["serviceaccount"]["uid"])


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass(frozen=True, slots=True)
class Attributes:
    """What a request wants to do, as authorisers see it; `resource` is empty for a path outside the API."""

    verb: str
    path: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""


_READ = frozenset({"get", "list", "watch"})
_NODE_WRITES = frozenset(
    {
        ("", "nodes", ""), ("", "nodes", "status"), ("", "pods", ""), ("", "pods", "status"), ("", "events", ""),
        ("coordination.k8s.io", "leases", ""), ("", "serviceaccounts", "token"),
    }
)  # fmt: skip
_NODE_READS = frozenset(
    {"nodes", "pods", "services", "endpoints", "endpointslices", "configmaps", "secrets", "serviceaccounts", "leases",
     "namespaces"}
)  # fmt: skip


class Authorizer:
    """`allows` decides; `why_not` words a refusal as Kubernetes does."""

    def allows(self, user: User, asked: Attributes) -> bool:
        if "system:masters" in user.groups:
            return True
        if not asked.resource:
            return asked.path in ANONYMOUS_PATHS or (user is not ANONYMOUS and asked.verb == "get")
        if "system:nodes" in user.groups:
            return self._node(user.name.removeprefix("system:node:"), asked)
        if component(user):
            return not (
                asked.resource == "secrets" and asked.group == "" and asked.verb in ("create", "update", "patch")
            )
        return False

    @staticmethod
    def _node(name: str, asked: Attributes) -> bool:
        """A kubelet reads what pods need, and writes its own Node, Lease and pods' status."""
        if asked.verb in _READ:
            return asked.resource in _NODE_READS or asked.group == "discovery.k8s.io"
        if (asked.group, asked.resource, asked.subresource) not in _NODE_WRITES:
            return False
        if asked.resource in ("nodes", "leases") and asked.name:
            return asked.name == name
        return True

    @staticmethod
    def why_not(user: User, asked: Attributes) -> str:
        if not asked.resource:
            return f'User "{user.name}" cannot {asked.verb} path "{asked.path}"'
        resource = asked.resource + (f"/{asked.subresource}" if asked.subresource else "")
        scope = f'in the namespace "{asked.namespace}"' if asked.namespace else "at the cluster scope"
        return f'User "{user.name}" cannot {asked.verb} resource "{resource}" in API group "{asked.group}" {scope}'

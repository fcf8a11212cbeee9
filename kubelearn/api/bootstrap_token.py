"""Bootstrap tokens: Secrets of kube-system that let a machine without a certificate speak to the API server.

Pure: the API server asks who a token is, the token cleaner when its Secret is over. Sources: Kubernetes'
cluster-bootstrap/token/util and plugin/pkg/auth/authenticator/token/bootstrap.
"""

from __future__ import annotations

import base64
import hmac
import re
from datetime import datetime

from kubelearn.api.resource import Obj
from kubelearn.kit import clock

NAMESPACE = "kube-system"
TYPE = "bootstrap.kubernetes.io/token"
GROUP = "system:bootstrappers"
_USER = "system:bootstrap:"
_TOKEN = re.compile(r"([a-z0-9]{6})\.([a-z0-9]{16})")
_EXTRA_GROUP = re.compile(r"system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]")


def parse(text: str) -> tuple[str, str] | None:
    """The id and the secret half of a token, None for any other text."""
    found = _TOKEN.fullmatch(text)
    return (found[1], found[2]) if found else None


def secret_name(token_id: str) -> str:
    return f"bootstrap-token-{token_id}"


def seconds_left(secret: Obj, now: datetime) -> float | None:
    """Until its `expiration`: None if it has none, never more than 0 if that cannot be read."""
    text = _value(secret, "expiration")
    if not text:
        return None
    try:
        return (clock.parse(text) - now).total_seconds()
    except (ValueError, TypeError):  # no time, or one without its zone
        return 0


def identity(secret: Obj, token_id: str, token_secret: str, now: datetime) -> tuple[str, tuple[str, ...]] | None:
    """Name and groups of whoever shows the token; None if this Secret does not make it good."""
    if secret.get("type") != TYPE or "deletionTimestamp" in secret["metadata"]:
        return None
    same = hmac.compare_digest(_value(secret, "token-secret").encode(), token_secret.encode())
    if not same or _value(secret, "token-id") != token_id:
        return None
    left = seconds_left(secret, now)
    if (left is not None and left <= 0) or _value(secret, "usage-bootstrap-authentication") != "true":
        return None
    extra = [group for group in _value(secret, "auth-extra-groups").split(",") if group]
    if not all(map(_EXTRA_GROUP.fullmatch, extra)):
        return None
    return _USER + token_id, (*sorted({GROUP, *extra}), "system:authenticated")


def _value(secret: Obj, key: str) -> str:
    try:
        return base64.b64decode((secret.get("data") or {}).get(key, "")).decode()
    except ValueError:
        return ""

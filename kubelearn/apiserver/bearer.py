"""Whose a bearer token is, by what is stored now: a token dies with its account, its pod and its Secret."""

from __future__ import annotations

import base64
import hmac
import logging
from typing import TYPE_CHECKING

import orjson

from kubelearn.api import bootstrap_token
from kubelearn.api.kinds.secret import RESOURCE as SECRETS
from kubelearn.api.resource import Obj, Resource
from kubelearn.apiserver import codec, keys
from kubelearn.apiserver.admission._base import ACCOUNTS, PODS
from kubelearn.apiserver.auth import User, bound_pod
from kubelearn.client.transport import Request
from kubelearn.kit import clock

if TYPE_CHECKING:
    from kubelearn.apiserver.server import ApiServer

log = logging.getLogger(__name__)

_LAST_USED = "kubernetes.io/legacy-token-last-used"
_ITSELF = User("system:apiserver", ("system:masters",))
#: With this label a Secret's token is no longer taken. Source of both: KEP-2799.
_INVALID_SINCE = "kubernetes.io/legacy-token-invalid-since"


async def authenticate(server: ApiServer, token: str) -> User | None:
    """The user of a bearer token, None if it is not good."""
    if (parts := bootstrap_token.parse(token)) and (found := await _bootstrapper(server, *parts)):
        return found
    verified = server.authenticator.token(token)
    if verified is None:
        return None
    user = verified.user
    if not user.name.startswith("system:serviceaccount:") or not user.uid:
        return user
    namespace, name = user.name.split(":")[2:]
    secret = await _stored(server, SECRETS, namespace, verified.secret) if verified.secret else None
    if verified.secret and not _holds(secret, token):
        return None
    pod, pod_uid = bound_pod(user)
    for resource, named, uid in [(ACCOUNTS, name, user.uid), *([(PODS, pod, pod_uid)] if pod else [])]:
        obj = await _stored(server, resource, namespace, named)
        if obj is None or obj["metadata"]["uid"] != uid:
            return None
    if secret is not None:
        await _used(server, secret)
    return user


async def _used(server: ApiServer, secret: Obj) -> None:
    """Note the day on which a token of old was used last, so that people see which ones nobody needs."""
    about, today = secret["metadata"], clock.utc_now().strftime("%Y-%m-%d")
    if (about.get("labels") or {}).get(_LAST_USED) == today:
        return
    path = SECRETS.path(about["namespace"], about["name"])
    patch = orjson.dumps({"metadata": {"labels": {_LAST_USED: today}}})
    headers = {"content-type": "application/merge-patch+json"}
    answer = await server.handle(Request("PATCH", path, [], headers, patch), _ITSELF)
    if answer.status != 200:  # gone meanwhile, or the store is full: whoever asks is who he is all the same
        log.info("noting the use of %s: %d", path, answer.status)


async def _stored(server: ApiServer, resource: Resource, namespace: str, name: str) -> Obj | None:
    kv = await server.store.get(keys.key(resource, namespace, name))
    return codec.decode(kv) if kv is not None else None


def _holds(secret: Obj | None, token: str) -> bool:
    """Whether a Secret still vouches for the token."""
    if secret is None or "deletionTimestamp" in secret["metadata"]:
        return False
    if _INVALID_SINCE in (secret["metadata"].get("labels") or {}):
        return False
    data = (secret.get("data") or {}).get("token", "")
    return hmac.compare_digest(data.encode(), base64.b64encode(token.encode()))


async def _bootstrapper(server: ApiServer, token_id: str, token_secret: str) -> User | None:
    secret = await _stored(server, SECRETS, bootstrap_token.NAMESPACE, bootstrap_token.secret_name(token_id))
    found = secret and bootstrap_token.identity(secret, token_id, token_secret, clock.utc_now())
    return User(*found) if found else None

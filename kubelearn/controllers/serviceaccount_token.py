"""Secrets of type kubernetes.io/service-account-token: filled for the ServiceAccount that they name, and gone with it.

Nobody makes them by himself any more, but a person may: their token has no end. Source: Kubernetes'
pkg/controller/serviceaccount/tokens_controller.go.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable

from kubelearn.api import meta
from kubelearn.api.errors import ApiError
from kubelearn.api.kinds.secret import ACCOUNT_ANNOTATION, ACCOUNT_TOKEN
from kubelearn.api.kinds.secret import RESOURCE as SECRETS
from kubelearn.api.resource import Obj
from kubelearn.controllers.base import SERVICEACCOUNTS, Controller, ControllerContext, Watch, own_key
from kubelearn.trace import cause

_UID_ANNOTATION = "kubernetes.io/service-account.uid"
_BY_ACCOUNT = "account"


def _account_of(secret: Obj) -> Iterable[str]:
    """The key of the account whose token it is to hold."""
    about = secret["metadata"]
    name = (about.get("annotations") or {}).get(ACCOUNT_ANNOTATION, "")
    return (meta.join_key(about["namespace"], name),) if secret.get("type") == ACCOUNT_TOKEN and name else ()


def _secrets_of(context: ControllerContext, event_type: str, _old: Obj | None, account: Obj) -> Iterable[str]:
    """An account that comes or goes changes what its Secrets are."""
    if event_type == "MODIFIED":
        return ()
    return [meta.key(secret) for secret in context.informer(SECRETS).by_index(_BY_ACCOUNT, meta.key(account))]


async def reconcile(context: ControllerContext, key: str) -> None:
    secret = context.informer(SECRETS).get(*meta.split_key(key))
    if secret is None or "deletionTimestamp" in secret["metadata"] or not _account_of(secret):
        return
    account = await _account(context, secret)
    if account is None:
        cause.add_note(reconcile=f"the ServiceAccount of the token Secret {key} is gone → delete it")
        await context.delete(SECRETS, secret, {"preconditions": {"uid": secret["metadata"]["uid"]}})
        return
    filled = _filled(context, secret, account)
    if filled != secret:
        cause.add_note(reconcile=f"token Secret {key} is not complete → fill it for {account['metadata']['name']}")
        await context.update(SECRETS, filled)


async def _account(context: ControllerContext, secret: Obj) -> Obj | None:
    """The account of that name, and of that uid if the Secret says one already. A Secret may come before the watch
    tells of its account, so who is not known is asked for."""
    (key,) = _account_of(secret)
    namespace, name = meta.split_key(key)
    account = context.informer(SERVICEACCOUNTS).get(namespace, name)
    if not _is_its(account, secret):
        try:
            account = await context.client.get(SERVICEACCOUNTS, name, namespace)
        except ApiError as error:
            if error.code != 404:
                raise
            return None
    return account if _is_its(account, secret) else None


def _is_its(account: Obj | None, secret: Obj) -> bool:
    if account is None:
        return False
    uid = secret["metadata"]["annotations"].get(_UID_ANNOTATION)
    return not uid or bool(uid == account["metadata"]["uid"])


def _filled(context: ControllerContext, secret: Obj, account: Obj) -> Obj:
    """The Secret with whatever of its three keys was missing, and the account's uid."""
    issue, about = context.options.legacy_token, secret["metadata"]
    assert issue is not None, "the controller is not enabled without"
    data = dict(secret.get("data") or {})
    if context.options.root_ca:
        data["ca.crt"] = _encoded(context.options.root_ca)
    if not data.get("namespace"):
        data["namespace"] = _encoded(about["namespace"])
    if not data.get("token"):
        data["token"] = _encoded(issue(account, about["name"]))
    annotations = {**about["annotations"], _UID_ANNOTATION: account["metadata"]["uid"]}
    return {**secret, "metadata": {**about, "annotations": annotations}, "data": data}


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


CONTROLLER = Controller(
    "serviceaccount-token-controller",
    (Watch(SECRETS, own_key, indexes={_BY_ACCOUNT: _account_of}), Watch(SERVICEACCOUNTS, _secrets_of)),
    reconcile,
    workers=1,
    enabled=lambda options: options.legacy_token is not None,
)

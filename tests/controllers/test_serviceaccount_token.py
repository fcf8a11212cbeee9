"""Token Secrets are filled for the account that they name, and go with it."""

from __future__ import annotations

import base64
from typing import Any

from support.plane import Plane

from kubelearn.api.kinds.secret import RESOURCE as SECRETS
from kubelearn.api.resource import Obj
from kubelearn.controllers.base import SERVICEACCOUNTS, Options

_NAME, _UID = "kubernetes.io/service-account.name", "kubernetes.io/service-account.uid"
OPTIONS = Options(root_ca="PEM", legacy_token=lambda account, secret: f"{account['metadata']['name']}/{secret}")


def token_secret(account: str = "robot", **more: Any) -> Obj:
    metadata = {"name": "t", "namespace": "default", "annotations": {_NAME: account}}
    return {"metadata": metadata, "type": "kubernetes.io/service-account-token", **more}


async def make_account(cluster: Any) -> Obj:
    made: Obj = await cluster.client.create(SERVICEACCOUNTS, {"metadata": {"name": "robot", "namespace": "default"}})
    return made


def decoded(secret: Obj) -> dict[str, str]:
    return {key: base64.b64decode(value).decode() for key, value in secret["data"].items()}


async def test_a_secret_is_filled(cluster: Any) -> None:
    await cluster.start("serviceaccount_token", options=OPTIONS)
    account = await make_account(cluster)
    await cluster.client.create(SECRETS, token_secret())
    await cluster.settled()
    secret = cluster.get(SECRETS, "t")
    assert decoded(secret) == {"ca.crt": "PEM", "namespace": "default", "token": "robot/t"}
    assert secret["metadata"]["annotations"] == {_NAME: "robot", _UID: account["metadata"]["uid"]}


async def test_what_it_has_already_stays_but_for_the_certificate(cluster: Any) -> None:
    await cluster.start("serviceaccount_token", options=OPTIONS)
    await make_account(cluster)
    own = {key: base64.b64encode(b"mine").decode() for key in ("ca.crt", "namespace", "token", "extra")}
    await cluster.client.create(SECRETS, token_secret(data=own))
    await cluster.settled()
    filled = decoded(cluster.get(SECRETS, "t"))
    assert filled == {"ca.crt": "PEM", "namespace": "mine", "token": "mine", "extra": "mine"}


async def test_a_secret_without_its_account_goes(cluster: Any) -> None:
    await cluster.start("serviceaccount_token", options=OPTIONS)
    account = await make_account(cluster)
    plain = {"metadata": {"name": "plain", "namespace": "default", "annotations": {_NAME: "nobody"}}}
    for secret in (token_secret(), plain):
        await cluster.client.create(SECRETS, secret)
    await cluster.settled()
    await cluster.client.delete(SERVICEACCOUNTS, "robot", "default", options=None)
    await cluster.settled()
    assert [s["metadata"]["name"] for s in cluster.all(SECRETS)] == ["plain"]
    await make_account(cluster)
    stale = token_secret()
    stale["metadata"]["annotations"][_UID] = account["metadata"]["uid"]
    await cluster.client.create(SECRETS, stale)
    await cluster.settled()
    assert [s["metadata"]["name"] for s in cluster.all(SECRETS)] == ["plain"], "it is another account's"


async def test_the_token_is_taken_by_the_api_server(plane: Plane) -> None:
    made = await plane.admin.create(SERVICEACCOUNTS, {"metadata": {"name": "robot", "namespace": "shop"}}, "shop")
    secret = token_secret()
    secret["metadata"]["namespace"] = "shop"
    await plane.admin.create(SECRETS, secret, "shop")

    async def filled() -> Any:
        return (await plane.admin.get(SECRETS, "t", "shop")).get("data")

    await plane.until(filled)
    token = decoded(await plane.admin.get(SECRETS, "t", "shop"))["token"]
    user = await plane.server.authenticate(token)
    assert user is not None
    assert (user.name, user.uid) == ("system:serviceaccount:shop:robot", made["metadata"]["uid"])
    await plane.admin.delete(SERVICEACCOUNTS, "robot", "shop")

    async def gone() -> bool:
        return await plane.is_gone(SECRETS, "t", "shop")

    await plane.until(gone)
    assert await plane.server.authenticate(token) is None

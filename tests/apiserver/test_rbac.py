"""Roles and bindings decide; reviews say so; nobody hands out what he does not have."""

from __future__ import annotations

import base64
from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from support.api import NS, TOKEN, Api

from kubelearn.apiserver.auth import ANONYMOUS, User

RBAC = "/apis/rbac.authorization.k8s.io/v1"
ROLES = f"{RBAC}/namespaces/default/roles"
BINDINGS = f"{RBAC}/namespaces/default/rolebindings"
AUTHORIZATION = "/apis/authorization.k8s.io/v1"
BOB = User("bob", ("system:authenticated",))
READ = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}
GROUP = "rbac.authorization.k8s.io"


def role(name: str, *rules: Any) -> Any:
    return {"metadata": {"name": name}, "rules": list(rules)}


def binding(name: str, role: str, *subjects: Any, kind: str = "Role") -> Any:
    ref = {"apiGroup": GROUP, "kind": kind, "name": role}
    return {"metadata": {"name": name}, "roleRef": ref, "subjects": list(subjects)}


def user(name: str) -> Any:
    return {"kind": "User", "name": name, "apiGroup": GROUP}


async def may(api: Api, who: User, verb: str, resource: str = "pods", **more: str) -> Any:
    spec = {"resourceAttributes": {"verb": verb, "resource": resource, "namespace": "default", **more}}
    answer = await api.ok("POST", f"{AUTHORIZATION}/selfsubjectaccessreviews", {"spec": spec}, user=who)
    return answer["status"]


async def test_a_binding_grants_and_its_end_takes_away(api: Api) -> None:
    assert await may(api, BOB, "list") == {"allowed": False}
    await api.ok("POST", ROLES, role("reader", READ))
    await api.ok("POST", BINDINGS, binding("read", "reader", user("bob")))
    granted = await may(api, BOB, "list")
    assert granted["reason"] == 'RBAC: allowed by RoleBinding "read/default" of Role "reader" to User "bob"'
    assert (await api("GET", f"{NS}/pods", user=BOB))[0] == 200
    assert (await api("DELETE", f"{NS}/pods/p", user=BOB))[0] == 403
    assert (await api("GET", "/api/v1/namespaces/kube-system/pods", user=BOB))[0] == 403
    await api.ok("DELETE", f"{BINDINGS}/read")
    assert (await api("GET", f"{NS}/pods", user=BOB))[0] == 403


async def test_a_cluster_role_holds_where_it_is_bound(api: Api) -> None:
    await api.ok("POST", f"{RBAC}/clusterroles", role("pods", READ))
    await api.ok("POST", BINDINGS, binding("here", "pods", user("bob"), kind="ClusterRole"))
    assert (await api("GET", f"{NS}/pods", user=BOB))[0] == 200
    assert (await api("GET", "/api/v1/pods", user=BOB))[0] == 403
    await api.ok("POST", f"{RBAC}/clusterrolebindings", binding("all", "pods", user("bob"), kind="ClusterRole"))
    assert (await api("GET", "/api/v1/pods", user=BOB))[0] == 200


async def test_who_may_see_one_may_list_it_by_name(api: Api) -> None:
    one = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["list"], "resourceNames": ["one"]}
    await api.ok("POST", ROLES, role("one", one))
    await api.ok("POST", BINDINGS, binding("one", "one", user("bob")))
    path = f"{NS}/configmaps"
    assert (await api("GET", f"{path}?fieldSelector=metadata.name=one", user=BOB))[0] == 200
    for other in ("", "?fieldSelector=metadata.name=two", "?fieldSelector=metadata.name!=one"):
        assert (await api("GET", path + other, user=BOB))[0] == 403


async def test_nobody_hands_out_what_he_does_not_have(api: Api) -> None:
    grants = {"apiGroups": [GROUP], "resources": ["roles", "rolebindings"], "verbs": ["create", "update", "get"]}
    await api.ok("POST", ROLES, role("granter", grants, READ))
    await api.ok("POST", BINDINGS, binding("granter", "granter", user("bob")))
    await api.ok("POST", ROLES, role("reader", READ), user=BOB)
    secrets = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}
    status, refused = await api("POST", ROLES, role("thief", READ, secrets), user=BOB)
    assert status == 403
    assert refused["message"] == (
        'roles.rbac.authorization.k8s.io "thief" is forbidden: user "bob" (groups=["system:authenticated"]) is '
        "attempting to grant RBAC permissions not currently held:\n"
        '{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}'
    )
    await api.ok("POST", ROLES, role("secrets", secrets))
    assert (await api("POST", BINDINGS, binding("b", "secrets", user("bob")), user=BOB))[0] == 403
    assert (await api("POST", BINDINGS, binding("b", "missing", user("bob")), user=BOB))[0] == 404
    await api.ok("POST", BINDINGS, binding("b", "reader", user("eve")), user=BOB)
    binder = {"apiGroups": [GROUP], "resources": ["roles"], "resourceNames": ["secrets"], "verbs": ["bind"]}
    await api.ok("POST", ROLES, role("binder", binder))
    await api.ok("POST", BINDINGS, binding("binder", "binder", user("bob")))
    await api.ok("POST", BINDINGS, binding("c", "secrets", user("eve")), user=BOB)


async def test_every_cluster_has_the_default_policy(api: Api) -> None:
    names = {r["metadata"]["name"] for r in (await api.ok("GET", f"{RBAC}/clusterroles"))["items"]}
    assert {"cluster-admin", "admin", "edit", "view", "system:discovery", "system:kube-scheduler"} <= names
    assert (await api("GET", "/apis", user=BOB))[0] == 200
    assert (await api("GET", "/apis", user=ANONYMOUS))[0] == 403


async def test_reviews(api: Api) -> None:
    about = await api.ok("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {}, user=BOB)
    assert about["status"] == {"userInfo": {"username": "bob", "groups": ["system:authenticated"]}}
    path = "/apis/authentication.k8s.io/v1/tokenreviews"
    good = await api.ok("POST", path, {"spec": {"token": TOKEN}})
    assert good["status"]["user"]["username"] == "ann"
    bad = await api.ok("POST", path, {"spec": {"token": "x"}})
    assert "authenticated" not in bad["status"]
    spec: Any = {"user": "bob", "nonResourceAttributes": {"verb": "get", "path": "/apis/apps"}}
    for groups, allowed in (([], False), (["system:authenticated"], True)):
        asked = {"spec": {**spec, "groups": groups}}
        answer = await api.ok("POST", f"{AUTHORIZATION}/subjectaccessreviews", asked)
        assert answer["status"]["allowed"] is allowed
    local = f"{AUTHORIZATION}/namespaces/default/localsubjectaccessreviews"
    spec = {"user": "bob", "resourceAttributes": {"verb": "get", "resource": "pods", "namespace": "default"}}
    assert (await api.ok("POST", local, {"spec": spec}))["status"] == {"allowed": False}
    rules = await api.ok(
        "POST", f"{AUTHORIZATION}/selfsubjectrulesreviews", {"spec": {"namespace": "default"}}, user=BOB
    )
    assert ["selfsubjectreviews"] in [r["resources"] for r in rules["status"]["resourceRules"]]
    assert any("/apis/*" in r["nonResourceURLs"] for r in rules["status"]["nonResourceRules"])


@pytest.mark.parametrize(
    ("plural", "spec", "field"),
    [
        ("selfsubjectaccessreviews", {}, "spec.resourceAttributes"),
        (
            "selfsubjectaccessreviews",
            {"resourceAttributes": {}, "nonResourceAttributes": {}},
            "spec.nonResourceAttributes",
        ),
        ("subjectaccessreviews", {"resourceAttributes": {}}, "spec.user"),
        ("selfsubjectrulesreviews", {}, "spec.namespace"),
    ],
)
async def test_a_review_that_asks_nothing_is_refused(api: Api, plural: str, spec: Any, field: str) -> None:
    status, refused = await api("POST", f"{AUTHORIZATION}/{plural}", {"spec": spec})
    assert status == 422
    assert refused["details"]["causes"][0]["field"] == field


async def test_reviews_are_only_asked(api: Api) -> None:
    assert (await api("GET", f"{AUTHORIZATION}/subjectaccessreviews"))[0] == 405
    assert (await api("GET", f"{AUTHORIZATION}/subjectaccessreviews/x"))[0] == 405


async def test_the_keys_of_tokens_are_published(api: Api) -> None:
    found = await api.ok("GET", "/.well-known/openid-configuration")
    assert found["jwks_uri"].endswith("/openid/v1/jwks")
    (key,) = (await api.ok("GET", "/openid/v1/jwks"))["keys"]
    x, y = (int.from_bytes(_decoded(key[n])) for n in "xy")
    numbers = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1())
    await api.account()
    token = (await api.ok("POST", f"{NS}/serviceaccounts/default/token", {}))["status"]["token"]
    head, body, signature = (part.encode() for part in token.split("."))
    r, s = (int.from_bytes(half) for half in (_decoded(signature)[:32], _decoded(signature)[32:]))
    numbers.public_key().verify(utils.encode_dss_signature(r, s), head + b"." + body, ec.ECDSA(hashes.SHA256()))
    assert orjson.loads(_decoded(head))["kid"] == key["kid"]


def _decoded(text: str | bytes) -> bytes:
    data = text.encode() if isinstance(text, str) else text
    return base64.urlsafe_b64decode(data + b"=" * (-len(data) % 4))

"""Who may what: tokens, nodes, components, people without rights, impersonation."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st
from support.api import ADMIN, NS, TOKEN, Api, configmap, pod

from kubelearn.api.errors import ApiError
from kubelearn.apiserver.auth import ANONYMOUS, Authenticator, User, component
from kubelearn.apiserver.tokens import TokenSigner
from kubelearn.kit import clock

NODE = User("system:node:n1", ("system:nodes", "system:authenticated"))
BOB = User("bob", ("system:authenticated",))
LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"


def rsa_pem() -> str:
    key = rsa.generate_private_key(65537, 2048)
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


@pytest.mark.parametrize("key", ["a secret", rsa_pem()], ids=["derived", "rsa"])
def test_tokens_are_verified(key: str) -> None:
    signer = TokenSigner(key)
    token = signer.issue({"sub": "x"})
    assert signer.verify(token) == {"sub": "x"}
    assert TokenSigner("other").verify(token) is None
    head, body, signature = token.split(".")
    assert signer.verify(f"{head}.{body[:-1]}.{signature}") is None
    assert signer.verify(f"{head}.{body}.") is None


@given(st.text())
def test_no_text_is_a_token(text: str) -> None:
    assert Authenticator({TOKEN: ADMIN}, "k").token(text) is None


async def test_a_token_dies_with_its_account_and_pod(api: Api) -> None:
    await api.account()
    await api.ok("POST", f"{NS}/pods", pod())
    path = f"{NS}/serviceaccounts/default/token"
    bound = {"spec": {"boundObjectRef": {"kind": "Pod", "apiVersion": "v1", "name": "p"}}}
    for_pod = (await api.ok("POST", path, bound))["status"]["token"]
    free = (await api.ok("POST", path, {}))["status"]["token"]
    user = await api.server.authenticate(for_pod)
    assert user is not None
    assert (user.name, component(user)) == ("system:serviceaccount:default:default", "")
    await api.ok("DELETE", f"{NS}/pods/p")
    assert await api.server.authenticate(for_pod) is None
    assert await api.server.authenticate(free) is not None
    await api.ok("DELETE", f"{NS}/serviceaccounts/default")
    assert await api.server.authenticate(free) is None


def account_secret(account: str = "default", **more: Any) -> dict[str, Any]:
    about = {"name": "old", "annotations": {"kubernetes.io/service-account.name": account}}
    return {"metadata": about, "type": "kubernetes.io/service-account-token", **more}


async def test_a_token_of_old_holds_as_long_as_its_secret_has_it(api: Api) -> None:
    account = await api.account()
    token = api.server.authenticator.issue_legacy(account, "old")
    assert await api.server.authenticate(token) is None
    path, held = f"{NS}/secrets/old", base64.b64encode(token.encode()).decode()
    await api.ok("POST", f"{NS}/secrets", account_secret(data={"token": held}))
    user = await api.server.authenticate(token)
    groups = ("system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated")
    assert user == User("system:serviceaccount:default:default", groups, account["metadata"]["uid"])
    used = await api.ok("GET", path)
    today = clock.utc_now().strftime("%Y-%m-%d")
    assert used["metadata"]["labels"] == {"kubernetes.io/legacy-token-last-used": today}
    assert await api.server.authenticate(token) == user
    assert await api.ok("GET", path) == used, "once a day is enough"
    label = {"metadata": {"labels": {"kubernetes.io/legacy-token-invalid-since": "2026-01-01"}}}
    for change in (label, {"data": {"token": "b3RoZXI="}}, {"data": None}):
        await api.patch(path, change)
        assert await api.server.authenticate(token) is None
        await api.ok("PUT", path, account_secret(data={"token": held}))
        assert await api.server.authenticate(token) == user
    await api.ok("DELETE", f"{NS}/serviceaccounts/default")
    await api.account()
    assert await api.server.authenticate(token) is None, "another account of that name"


async def test_only_the_token_controller_fills_secrets(api: Api) -> None:
    await api.ok("POST", f"{NS}/secrets", account_secret())
    for name, status in (("serviceaccount-token-controller", 200), ("replicaset-controller", 403)):
        controller = User(f"system:serviceaccount:kube-system:{name}", ("system:authenticated",))
        changed = account_secret(data={"token": "dA=="})
        assert (await api("PUT", f"{NS}/secrets/old", changed, user=controller))[0] == status
        assert (await api("POST", f"{NS}/secrets", {"metadata": {"name": "x"}}, user=controller))[0] == 403


async def test_tokens_for_others_are_not_for_us(api: Api) -> None:
    await api.account()
    path = f"{NS}/serviceaccounts/default/token"
    answer = await api.ok("POST", path, {"spec": {"audiences": ["vault"]}})
    assert answer["spec"]["expirationSeconds"] == 3600
    assert await api.server.authenticate(answer["status"]["token"]) is None
    assert (await api("POST", path, {"spec": {"expirationSeconds": 5}}))[0] == 422
    assert (await api("POST", f"{NS}/serviceaccounts/no/token", {}))[0] == 404


@pytest.mark.parametrize(
    ("user", "method", "path", "text"),
    [
        (BOB, "GET", f"{NS}/pods", 'pods is forbidden: User "bob" cannot list resource "pods" in API group "" in the '
         'namespace "default"'),
        (BOB, "GET", "/api/v1/nodes/n", 'nodes "n" is forbidden: User "bob" cannot get resource "nodes" in API group "" '
         "at the cluster scope"),
        (ANONYMOUS, "GET", "/api", 'forbidden: User "system:anonymous" cannot get path "/api"'),
        (NODE, "POST", f"{NS}/pods", None),
        (NODE, "GET", f"{NS}/secrets", None),
        (NODE, "GET", f"{NS}/secrets/s", None),
        (NODE, "DELETE", "/api/v1/nodes/n1", None),
        (NODE, "PATCH", "/api/v1/nodes/n2/status", None),
    ],
)  # fmt: skip
async def test_forbidden(api: Api, user: User, method: str, path: str, text: str | None) -> None:
    status, found = await api(method, path, {}, user=user)
    assert (status, found["reason"]) == (403, "Forbidden")
    if text is not None:
        assert found["message"] == text


async def test_anyone_may_ask_for_health(api: Api) -> None:
    for path in ("/healthz", "/livez", "/readyz", "/version"):
        assert (await api.send("GET", path, user=ANONYMOUS)).status == 200


async def test_a_node_keeps_to_its_own(api: Api) -> None:
    await api.ok("POST", "/api/v1/nodes", {"metadata": {"name": "n1"}}, user=NODE)
    assert (await api("POST", "/api/v1/nodes", {"metadata": {"name": "n2"}}, user=NODE))[0] == 403
    await api.ok("POST", LEASES, {"metadata": {"name": "n1"}, "spec": {}}, user=NODE)
    assert (await api("POST", LEASES, {"metadata": {"name": "n2"}, "spec": {}}, user=NODE))[0] == 403
    await api.account()
    for name in ("s", "t"):
        await api.ok("POST", f"{NS}/secrets", {"metadata": {"name": name}})
    volume: dict[str, Any] = {"name": "v", "secret": {"secretName": "s"}}
    for name, node in (("mine", "n1"), ("other", "n2")):
        await api.ok("POST", f"{NS}/pods", pod(name, volumes=[volume] if node == "n1" else []))
        await api.ok("POST", f"{NS}/pods/{name}/binding", {"target": {"name": node}})
    status = {"status": {"phase": "Running"}}
    assert (await api.patch(f"{NS}/pods/mine/status", status, user=NODE))[0] == 200
    assert (await api.patch(f"{NS}/pods/other/status", status, user=NODE))[0] == 403
    assert (await api.patch(f"{NS}/pods/mine", {"metadata": {"labels": {"a": "b"}}}, user=NODE))[0] == 403
    assert (await api("GET", f"{NS}/secrets/s", user=NODE))[0] == 200
    assert (await api("GET", f"{NS}/secrets/t", user=NODE))[0] == 403
    token = f"{NS}/serviceaccounts/default/token"
    assert (await api("POST", token, {}, user=NODE))[0] == 403
    reference = {"kind": "Pod", "apiVersion": "v1", "name": "mine"}
    await api.ok("POST", token, {"spec": {"boundObjectRef": reference}}, user=NODE)
    assert (await api("DELETE", f"{NS}/pods/other", {"gracePeriodSeconds": 0}, user=NODE))[0] == 403
    await api.ok("DELETE", f"{NS}/pods/mine", {"gracePeriodSeconds": 0}, user=NODE)


async def test_a_node_lists_its_own_pods_only(api: Api) -> None:
    path = f"{NS}/pods?fieldSelector=spec.nodeName"
    assert (await api.ok("GET", f"{path}=n1", user=NODE))["items"] == []
    for other in (f"{NS}/pods", "/api/v1/pods", f"{path}=n2", f"{path}!=n1", f"{path}=n2&watch=1"):
        status, refused = await api("GET", other, user=NODE)
        assert (status, "can only list/watch pods with spec.nodeName field selector" in refused["message"]) == (
            403,
            True,
        )


async def test_a_node_reads_only_what_its_pods_mention(api: Api) -> None:
    claims, volumes = f"{NS}/persistentvolumeclaims", "/api/v1/persistentvolumes"
    size = {"storage": "1Gi"}
    claim_spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": size}, "storageClassName": ""}
    await api.account()
    for name in ("mine", "p-e", "other"):
        await api.ok("POST", claims, {"metadata": {"name": name}, "spec": claim_spec})
        spec = {"capacity": size, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/x"}}
        spec["claimRef"] = {"namespace": "default", "name": name}
        await api.ok("POST", volumes, {"metadata": {"name": f"pv-{name}"}, "spec": spec})
    ephemeral = {"volumeClaimTemplate": {"spec": claim_spec}}
    wanted = [{"name": "v", "persistentVolumeClaim": {"claimName": "mine"}}, {"name": "e", "ephemeral": ephemeral}]
    await api.ok("POST", f"{NS}/pods", pod(volumes=wanted))
    assert (await api("GET", f"{claims}/mine", user=NODE))[0] == 403  # before it is bound to the node
    await api.ok("POST", f"{NS}/pods/p/binding", {"target": {"name": "n1"}})
    for name in ("mine", "p-e"):
        await api.ok("GET", f"{claims}/{name}", user=NODE)
        await api.ok("GET", f"{volumes}/pv-{name}", user=NODE)
    for path in (claims, volumes, f"{volumes}/pv-other", f"{volumes}/no"):
        assert (await api("GET", path, user=NODE))[0] == 403
    assert (await api("GET", f"{claims}/other", user=NODE))[1]["message"] == (
        'persistentvolumeclaims "other" is forbidden: User "system:node:n1" cannot get resource "persistentvolumeclaims" '
        """in API group "" in the namespace "default": no relationship found between node 'n1' and this object"""
    )


async def test_a_node_reads_the_accounts_of_its_pods(api: Api) -> None:
    accounts = f"{NS}/serviceaccounts"
    for name in ("mine", "other"):
        await api.ok("POST", accounts, {"metadata": {"name": name}})
        await api.ok("POST", f"{NS}/pods", pod(name, serviceAccountName=name))
    await api.ok("POST", f"{NS}/pods/mine/binding", {"target": {"name": "n1"}})
    await api.ok("GET", f"{accounts}/mine", user=NODE)
    assert (await api("GET", f"{accounts}/other", user=NODE))[0] == 403
    for path in (accounts, f"{accounts}?fieldSelector=metadata.name=mine"):
        status, refused = await api("GET", path, user=NODE)
        assert (status, "can only get individual resources of this type" in refused["message"]) == (403, True)


async def test_a_node_follows_one_object_that_its_pods_mention(api: Api) -> None:
    await api.account()
    for name in ("mine", "other"):
        await api.ok("POST", f"{NS}/configmaps", configmap(name))
    await api.ok("POST", f"{NS}/pods", pod(volumes=[{"name": "v", "configMap": {"name": "mine"}}]))
    await api.ok("POST", f"{NS}/pods/p/binding", {"target": {"name": "n1"}})
    path = f"{NS}/configmaps?fieldSelector=metadata.name"
    assert [c["metadata"]["name"] for c in (await api.ok("GET", f"{path}=mine", user=NODE))["items"]] == ["mine"]
    watch = api.watch(f"{path}=mine", user=NODE)
    assert (await anext(watch))["object"]["metadata"]["name"] == "mine"
    await watch.aclose()  # type: ignore[attr-defined]
    for selector in ("=other", "!=other", "=mine/..", "=mine,nonsense"):
        assert (await api("GET", path + selector, user=NODE))[0] == 403
    assert (await api("GET", f"{path}=other&watch=1", user=NODE))[0] == 403
    assert "No Object name found" in (await api("GET", f"{NS}/configmaps", user=NODE))[1]["message"]


def bootstrap_secret(**changed: str) -> dict[str, Any]:
    data = {
        "token-id": "abcdef", "token-secret": "0123456789abcdef", "usage-bootstrap-authentication": "true",
        "auth-extra-groups": "system:bootstrappers:workers",
    }  # fmt: skip
    about = {"name": "bootstrap-token-abcdef"}
    return {"metadata": about, "type": "bootstrap.kubernetes.io/token", "stringData": {**data, **changed}}


async def test_a_bootstrap_token_is_a_user_while_its_secret_says_so(api: Api) -> None:
    token, path = "abcdef.0123456789abcdef", "/api/v1/namespaces/kube-system/secrets"
    assert await api.server.authenticate(token) is None
    await api.ok("POST", path, bootstrap_secret(expiration="2999-01-01T00:00:00Z"))
    user = await api.server.authenticate(token)
    groups = ("system:bootstrappers", "system:bootstrappers:workers", "system:authenticated")
    assert user == User("system:bootstrap:abcdef", groups)
    assert await api.server.authenticate("abcdef.0123456789abcdee") is None
    for key, value in (
        ("expiration", "2020-01-01T00:00:00Z"), ("expiration", "soon"), ("expiration", "2999-01-01"),
        ("usage-bootstrap-authentication", "yes"), ("token-id", "abcdeg"), ("auth-extra-groups", "system:masters"),
    ):  # fmt: skip
        await api.ok("PUT", f"{path}/bootstrap-token-abcdef", bootstrap_secret(**{key: value}))
        assert await api.server.authenticate(token) is None
    await api.ok("PUT", f"{path}/bootstrap-token-abcdef", bootstrap_secret())
    assert await api.server.authenticate(token) is not None
    await api.ok("DELETE", f"{path}/bootstrap-token-abcdef")
    assert await api.server.authenticate(token) is None


async def test_impersonation(api: Api) -> None:
    server = api.server
    alice = server.impersonate(ADMIN, {"impersonate-user": "alice", "impersonate-group": "devs"})
    assert alice == User("alice", ("devs", "system:authenticated"))
    robot = server.impersonate(ADMIN, {"impersonate-user": "system:serviceaccount:golden:robot"})
    assert "system:serviceaccounts:golden" in robot.groups
    with pytest.raises(ApiError, match='User "bob" cannot impersonate resource "users"'):
        server.impersonate(BOB, {"impersonate-user": "alice"})


async def test_components_may_not_write_secrets(api: Api) -> None:
    controller = User("system:serviceaccount:kube-system:replicaset-controller", ("system:authenticated",))
    await api.ok("POST", f"{NS}/configmaps", configmap(), user=controller)
    assert (await api("POST", f"{NS}/secrets", {"metadata": {"name": "x"}}, user=controller))[0] == 403


@pytest.mark.parametrize(
    ("name", "agent", "expected"),
    [
        ("system:kube-scheduler", "", "kube-scheduler"),
        ("system:serviceaccount:kube-system:namespace-controller", "", "namespace-controller"),
        ("system:serviceaccount:default:robot", "", ""),
        ("system:node:n1", "kubelet/1", "kubelet-n1"),
        ("system:node:n1", "kube-proxy/1", "kube-proxy-n1"),
        ("ann", "", ""),
    ],
)
def test_components_by_their_identity(name: str, agent: str, expected: str) -> None:
    assert component(User(name), agent) == expected

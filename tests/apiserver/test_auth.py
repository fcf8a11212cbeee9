"""Who may what: tokens, nodes, components, people without rights, impersonation."""

from __future__ import annotations

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

"""Policies of people's own: which requests they are about, and what they say."""

from __future__ import annotations

from typing import Any

import pytest
from support.api import NS, Api, configmap

from kubelearn.api.resource import Obj
from kubelearn.apiserver.auth import User
from kubelearn.apiserver.policies import Policies

GROUP = "/apis/admissionregistration.k8s.io/v1"
POLICIES, BINDINGS = f"{GROUP}/validatingadmissionpolicies", f"{GROUP}/validatingadmissionpolicybindings"
MAPS = f"{NS}/configmaps"
BOUND = "ValidatingAdmissionPolicy 'p' with binding 'b'"
_DENIED = f"{BOUND} denied request: "


def rule(*operations: str, resources: tuple[str, ...] = ("configmaps",), **more: Any) -> Obj:
    wanted = list(operations) or ["CREATE", "UPDATE"]
    return {"apiGroups": [""], "apiVersions": ["v1"], "operations": wanted, "resources": list(resources), **more}


def validation(expression: str, **more: Any) -> Obj:
    return {"expression": expression, **more}


async def bind(
    api: Api, *validations: Obj, match: Obj | None = None, binding: Obj | None = None, name: str = "p", **spec: Any
) -> None:
    constraints = match or {"resourceRules": [rule()]}
    about = {"apiVersion": "admissionregistration.k8s.io/v1", "metadata": {"name": name}}
    policy = {"matchConstraints": constraints, "validations": list(validations), **spec}
    await api.ok("POST", POLICIES, {**about, "kind": "ValidatingAdmissionPolicy", "spec": policy})
    bound = {"policyName": name, "validationActions": ["Deny"], **(binding or {})}
    about = {**about, "metadata": {"name": "b" if name == "p" else f"b-{name}"}}
    await api.ok("POST", BINDINGS, {**about, "kind": "ValidatingAdmissionPolicyBinding", "spec": bound})


async def refused(api: Api, method: str = "POST", path: str = MAPS, body: Any = None, **options: Any) -> str:
    """Why; empty if it was let through."""
    status, answer = await api(method, path, body if body or method == "DELETE" else configmap("c"), **options)
    if status < 400:
        return ""
    message = str(answer["message"])
    return message.partition(_DENIED)[2] or message


async def test_the_status_is_as_kubernetes_words_it(api: Api) -> None:
    await bind(api, validation("false"))
    status, answer = await api("POST", MAPS, configmap("c"))
    message = f"{_DENIED}failed expression: false"
    assert status == 422
    assert answer == {
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "reason": "Invalid", "code": 422,
        "message": f'configmaps "c" is forbidden: {message}',
        "details": {"name": "c", "kind": "configmaps", "causes": [{"message": message}]},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("reason", "code"), [("Forbidden", 403), ("Unauthorized", 401), ("RequestEntityTooLarge", 413), ("Invalid", 422)]
)
async def test_the_reason_gives_the_code(api: Api, reason: str, code: int) -> None:
    await bind(api, validation("false", reason=reason, message=" no "))
    status, answer = await api("POST", MAPS, configmap("c"))
    assert (status, answer["reason"], answer["code"]) == (code, reason, code)
    assert answer["message"].endswith("denied request: no")


async def test_expressions_see_the_objects_and_the_request(api: Api) -> None:
    await bind(
        api,
        validation("request.operation != 'CREATE' || oldObject == null"),
        validation("request.operation != 'UPDATE' || object.data.a == oldObject.data.a", message="a is for ever"),
        validation("request.userInfo.username != 'eve'", messageExpression="'not you, ' + request.userInfo.username"),
        validation("namespaceObject.metadata.name == request.namespace"),
    )
    assert await refused(api, body={**configmap("c"), "data": {"a": "1"}}) == ""
    made = await api.ok("GET", f"{MAPS}/c")
    assert await refused(api, "PUT", f"{MAPS}/c", {**made, "data": {"a": "changed"}}) == "a is for ever"
    eve = User("eve", ("system:masters", "system:authenticated"))
    assert await refused(api, body=configmap("d"), user=eve) == "not you, eve"


async def test_a_message_expression_that_fails_gives_way_to_the_message(api: Api) -> None:
    await bind(api, validation("false", messageExpression="object.nothing", message="plain"))
    assert await refused(api) == "plain"


async def test_an_expression_without_value_follows_the_failure_policy(api: Api) -> None:
    await bind(api, validation("object.spec.x == 1"))
    assert await refused(api) == "expression 'object.spec.x == 1' resulted in error: no such key: spec"
    policy = await api.ok("GET", f"{POLICIES}/p")
    assert (policy["spec"]["failurePolicy"], policy["metadata"]["generation"]) == ("Fail", 1)
    policy["spec"]["failurePolicy"] = "Ignore"
    assert (await api.ok("PUT", f"{POLICIES}/p", policy))["metadata"]["generation"] == 2
    assert await refused(api) == ""


async def test_variables_are_evaluated_when_they_are_used(api: Api) -> None:
    variables = [
        {"name": "size", "expression": "size(object.data)"},
        {"name": "twice", "expression": "variables.size * 2"},
        {"name": "bad", "expression": "object.nothing"},
    ]
    await bind(
        api,
        validation("variables.twice == 2", messageExpression="'twice is ' + string(variables.twice)"),
        validation("variables.size == 1 || variables.bad"),
        variables=variables,
    )
    assert await refused(api, body={**configmap("a"), "data": {"x": "1"}}) == ""
    two = {**configmap("b"), "data": {"x": "1", "y": "2"}}
    assert await refused(api, body=two) == "twice is 4"
    policy = await api.ok("GET", f"{POLICIES}/p")
    policy["spec"]["validations"] = [validation("variables.bad == 1")]
    await api.ok("PUT", f"{POLICIES}/p", policy)
    assert 'composited variable "bad" fails to evaluate: no such key: nothing' in await refused(api, body=two)


async def test_match_conditions(api: Api) -> None:
    conditions = [{"name": "only-x", "expression": "object.metadata.name.startsWith('x')"}]
    await bind(api, validation("false"), matchConditions=conditions)
    assert await refused(api) == ""
    assert await refused(api, body=configmap("x1")) == "failed expression: false"


async def test_warn_tells_and_audit_is_silent(api: Api) -> None:
    await bind(api, validation("false", message="hm"), binding={"validationActions": ["Warn", "Audit"]})
    answer = await api.send("POST", MAPS, configmap("c"))
    assert answer.status == 201
    assert answer.headers["warning"] == f'299 - "Validation failed for {BOUND}: hm"'


async def test_an_annotation_that_cannot_be_made_refuses(api: Api) -> None:
    annotations = [{"key": "k", "valueExpression": "object.metadata.name == 'c' ? 'fine' : 1"}]
    await bind(api, auditAnnotations=annotations, binding={"validationActions": ["Audit"]})
    assert await refused(api) == ""
    assert (await refused(api, body=configmap("d"))).endswith(
        "resulted in unsupported return type: int. Return type must be either string or null."
    )


async def test_namespaces_are_selected(api: Api) -> None:
    labelled = {"namespaceSelector": {"matchLabels": {"env": "test"}}}
    await bind(api, validation("false"), binding={"matchResources": labelled})
    assert await refused(api) == ""
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "t", "labels": {"env": "test"}}}
    await api.ok("POST", "/api/v1/namespaces", space)
    assert await refused(api, path="/api/v1/namespaces/t/configmaps") == "failed expression: false"


async def test_a_namespace_is_selected_by_its_own_labels(api: Api) -> None:
    match = {
        "resourceRules": [rule(resources=("namespaces",), scope="Cluster")],
        "namespaceSelector": {"matchLabels": {"env": "test"}},
    }
    await bind(api, validation("namespaceObject != null"), match=match)
    space: Obj = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "t", "labels": {"env": "test"}}}
    assert await refused(api, path="/api/v1/namespaces", body=space) == "failed expression: namespaceObject != null"
    assert await refused(api, path="/api/v1/namespaces", body={**space, "metadata": {"name": "u"}}) == ""


async def test_deletions(api: Api) -> None:
    await bind(api, validation("object != null || !('keep' in oldObject.data)"), match={"resourceRules": [rule("*")]})
    await api.ok("POST", MAPS, {**configmap("k"), "data": {"keep": "me"}})
    await api.ok("POST", MAPS, {**configmap("c"), "data": {"a": "b"}})
    assert "failed expression" in await refused(api, "DELETE", f"{MAPS}/k")
    assert await refused(api, "DELETE", f"{MAPS}/c") == ""
    await api.ok("GET", f"{MAPS}/k")


async def test_another_version_is_the_same_resource(api: Api) -> None:
    path = "/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers"
    scaler = {
        "apiVersion": "autoscaling/v1", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "h"},
        "spec": {"maxReplicas": 3, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"}},
    }  # fmt: skip
    about = {"apiGroups": ["autoscaling"], "apiVersions": ["v2"], "operations": ["CREATE"],
             "resources": ["horizontalpodautoscalers"]}  # fmt: skip
    await bind(
        api,
        validation("object.apiVersion == 'autoscaling/v2' && request.requestKind.version == 'v1' && false"),
        match={"resourceRules": [about]},
    )
    assert "&& false" in await refused(api, path=path, body=scaler)
    policy = await api.ok("GET", f"{POLICIES}/p")
    policy["spec"]["matchConstraints"]["matchPolicy"] = "Exact"
    await api.ok("PUT", f"{POLICIES}/p", policy)
    assert await refused(api, path=path, body=scaler) == ""


async def test_a_scale_is_a_resource_of_its_own(api: Api) -> None:
    path = "/apis/apps/v1/namespaces/default/deployments"
    labels = {"app": "a"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "kubelearn/web:v1"}]}}
    deployment = {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"},
        "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": template},
    }  # fmt: skip
    few = validation("object.spec.replicas <= 5")
    of_deployments = rule(resources=("deployments",), apiGroups=["apps"])
    await bind(api, few, match={"resourceRules": [of_deployments]})
    await api.ok("POST", path, deployment)
    headers = {"content-type": "application/merge-patch+json"}
    many = {"spec": {"replicas": 6}}
    assert "failed expression" in await refused(api, "PATCH", f"{path}/d", many, headers=headers)
    assert await refused(api, "PATCH", f"{path}/d/scale", many, headers=headers) == ""
    await api.ok("PATCH", f"{path}/d/scale", {"spec": {"replicas": 1}}, headers=headers)
    of_scales = {**of_deployments, "resources": ["deployments/scale"]}
    whole = validation("object.kind != 'Scale' || request.kind.kind != 'Scale' || object.spec.replicas <= 5")
    await bind(api, whole, match={"resourceRules": [of_scales]}, name="scales")
    assert "ValidatingAdmissionPolicy 'scales'" in await refused(api, "PATCH", f"{path}/d/scale", many, headers=headers)


async def test_status_is_asked_about_by_its_name(api: Api) -> None:
    await bind(api, validation("false"), match={"resourceRules": [rule(resources=("namespaces/status",))]})
    space: Obj = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "t"}}
    assert await refused(api, path="/api/v1/namespaces", body=space) == ""
    made = await api.ok("GET", "/api/v1/namespaces/t")
    assert await refused(api, "PUT", "/api/v1/namespaces/t", made) == ""
    assert await refused(api, "PUT", "/api/v1/namespaces/t/status", made) == "failed expression: false"


class TestParams:
    RULE = validation("size(object.data) <= int(params.data.max)", messageExpression="'at most ' + params.data.max")

    async def bound(self, api: Api, **ref: Any) -> None:
        chosen = {"resourceRules": [rule()], "objectSelector": {"matchLabels": {"app": "a"}}}
        wanted = {"paramRef": {"parameterNotFoundAction": "Deny", **ref}}
        await bind(api, self.RULE, match=chosen, binding=wanted, paramKind={"apiVersion": "v1", "kind": "ConfigMap"})

    def large(self, name: str = "c") -> Obj:
        return {**configmap(name), "metadata": {"name": name, "labels": {"app": "a"}}, "data": {"a": "1", "b": "2"}}

    async def test_by_name(self, api: Api) -> None:
        await self.bound(api, name="limits", namespace="default")
        missing = "failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction"
        assert await refused(api, body=self.large()) == missing
        await api.ok("POST", MAPS, {**configmap("limits"), "data": {"max": "1"}})
        assert await refused(api, body=self.large()) == "at most 1"
        limits = await api.ok("GET", f"{MAPS}/limits")
        await api.ok("PUT", f"{MAPS}/limits", {**limits, "data": {"max": "2"}})
        assert await refused(api, body=self.large()) == ""

    async def test_by_selector_each_is_asked(self, api: Api) -> None:
        await self.bound(api, selector={"matchLabels": {"limit": "yes"}}, parameterNotFoundAction="Allow")
        assert await refused(api, body=self.large()) == ""
        for name, most in (("l1", "5"), ("l2", "1")):
            about = {"name": name, "labels": {"limit": "yes"}}
            await api.ok("POST", MAPS, {**configmap(name), "metadata": about, "data": {"max": most}})
        assert await refused(api, body=self.large("d")) == "at most 1"

    async def test_who_binds_them_may_read_them(self, api: Api) -> None:
        await self.bound(api, name="limits", namespace="default")
        rbac = "/apis/rbac.authorization.k8s.io/v1"
        bob = User("bob", ("system:authenticated",))
        about = {"apiVersion": "rbac.authorization.k8s.io/v1", "metadata": {"name": "binder"}}
        may = [{"apiGroups": ["admissionregistration.k8s.io"], "resources": ["*"], "verbs": ["*"]}]
        role = await api.ok("POST", f"{rbac}/clusterroles", {**about, "kind": "ClusterRole", "rules": may})
        given = {
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "binder"},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "bob"}],
        }
        await api.ok("POST", f"{rbac}/clusterrolebindings", {**about, "kind": "ClusterRoleBinding", **given})
        binding = await api.ok("GET", f"{BINDINGS}/b")
        binding["metadata"] = {"name": "c"}
        status, answer = await api("POST", BINDINGS, binding, user=bob)
        why = 'user &{bob  [system:authenticated] map[]} does not have "get" permission'
        assert (status, answer["details"]["causes"][0]["field"]) == (422, "spec.paramRef")
        assert f"Forbidden: {why} on the object referenced by paramRef" in answer["message"]
        role["rules"].append({"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]})
        await api.ok("PUT", f"{rbac}/clusterroles/binder", role)
        await api.ok("POST", BINDINGS, binding, user=bob)

    async def test_an_unknown_kind(self, api: Api) -> None:
        await bind(api, validation("true"), paramKind={"apiVersion": "a.io/v1", "kind": "Odd"})
        assert (await refused(api)).endswith(
            "ValidatingAdmissionPolicy 'p' denied request: failed to configure policy: "
            "failed to find resource referenced by paramKind: 'a.io/v1, Kind=Odd'"
        )


async def test_policies_do_not_lock_themselves_in(api: Api) -> None:
    everything = {"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*"]}
    await bind(api, validation("false"), match={"resourceRules": [everything]})
    assert await refused(api) == "failed expression: false"
    await api.ok("DELETE", f"{BINDINGS}/b")
    assert await refused(api) == ""


async def test_policies_are_known_after_a_restart(api: Api) -> None:
    await bind(api, validation("false"))
    anew = Policies()
    await anew.load(api.server.store)
    assert [b.policy["metadata"]["name"] for b in anew.bound] == ["p"]
    assert anew.bound == api.server.policies.bound

"""What a container may, by its pod's and its own securityContext."""

from __future__ import annotations

from typing import Any

import pytest

from kubelearn.api.cri import Image
from kubelearn.node.kubelet.security import Refused, refused_pod, security

ROOT = Image("sha", ["i"], 1)


def pod(context: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    meta = {"name": "p", "namespace": "default", "uid": "u"}
    return {"metadata": meta, "spec": {"securityContext": context or {}, **spec}}


def container(**context: Any) -> dict[str, Any]:
    return {"name": "c", "securityContext": context}


def test_the_container_says_more_than_its_pod() -> None:
    wide = pod({"runAsUser": 1, "runAsGroup": 2, "fsGroup": 3, "supplementalGroups": [4]})
    found = security(wide, container(runAsUser=5, capabilities={"add": ["NET_RAW"], "drop": ["ALL"]}), ROOT)
    assert (found.user, found.group, found.groups) == (5, 2, [4, 3])
    assert (found.add_capabilities, found.drop_capabilities) == (["NET_RAW"], ["ALL"])
    assert not found.no_new_privileges
    assert security(pod(), container(allowPrivilegeEscalation=False), ROOT).no_new_privileges


@pytest.mark.parametrize(
    ("user", "image_user", "message"),
    [
        (0, "", 'container\'s runAsUser breaks non-root policy (pod: "p_default(u)", container: c)'),
        (None, "", 'container has runAsNonRoot and image will run as root (pod: "p_default(u)", container: c)'),
        (
            None,
            "web:web",
            "container has runAsNonRoot and image has non-numeric user (web), cannot verify user is non-root "
            '(pod: "p_default(u)", container: c)',
        ),
    ],
)
def test_non_root_is_verified(user: int | None, image_user: str, message: str) -> None:
    with pytest.raises(Refused) as problem:
        security(pod({"runAsNonRoot": True, "runAsUser": user}), container(), Image("sha", ["i"], 1, image_user))
    assert str(problem.value) == message


def test_non_root_is_granted_to_who_is_not_root() -> None:
    assert security(pod({"runAsNonRoot": True}), container(), Image("sha", ["i"], 1, "1000:1000")).user == -1
    assert security(pod({"runAsNonRoot": True}), container(runAsUser=7), ROOT).user == 7


def test_what_is_never_granted() -> None:
    with pytest.raises(Refused, match="privileged containers are not allowed"):
        security(pod(), container(privileged=True), ROOT)
    assert refused_pod(pod(hostPID=True)).startswith("hostPID is not allowed")
    assert refused_pod(pod()) == ""

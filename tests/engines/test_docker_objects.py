"""What a pod's securityContext becomes for Docker."""

from __future__ import annotations

import pytest

from kubelearn.api.cri import CriError, Security
from kubelearn.engines._docker_objects import LOG_OPTIONS, security_options, user


def test_nothing_said_leaves_dockers_own_confinement() -> None:
    logs = {"type": "json-file", "config": LOG_OPTIONS}
    assert security_options(Security(), "s") == {"network_mode": "container:s", "log_config": logs}


def test_everything_said() -> None:
    asked = Security(
        read_only_root=True,
        groups=[5],
        add_capabilities=["NET_RAW"],
        drop_capabilities=["ALL"],
        no_new_privileges=True,
        share_processes=True,
        seccomp="Unconfined",
    )
    out = security_options(asked, "s")
    assert out["security_opt"] == ["no-new-privileges", "seccomp=unconfined"]
    assert (out["cap_add"], out["cap_drop"], out["group_add"]) == (["NET_RAW"], ["ALL"], ["5"])
    assert out["read_only"]
    assert out["pid_mode"] == "container:s"
    assert security_options(Security(sees_processes_of="t"), "s")["pid_mode"] == "container:t"


def test_a_profile_of_the_node_is_refused() -> None:
    with pytest.raises(CriError, match="type Localhost"):
        security_options(Security(seccomp="Localhost"), "s")


@pytest.mark.parametrize(
    ("asked", "image", "expected"),
    [
        (Security(), "web:web", "web:web"),
        (Security(user=7), "web:web", "7"),
        (Security(user=7, group=8), "", "7:8"),
        (Security(group=8), "web", "web:8"),
        (Security(group=8), "", "0:8"),
    ],
)
def test_users_and_groups(asked: Security, image: str, expected: str) -> None:
    assert user(asked, image) == expected

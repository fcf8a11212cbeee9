"""What is an image's name, and what the kubelet says of what is none."""

from __future__ import annotations

import pytest

from kubelearn.node.kubelet.images import problem_of


@pytest.mark.parametrize(
    "name",
    [
        "nginx",
        "kubelearn/web:v1",
        "localhost:5000/a/b_c:Tag.1",
        "Registry.example/web",
        "a@sha256:" + "0" * 64,
        "a:v1@sha256:" + "0" * 64,
    ],
)
def test_names(name: str) -> None:
    assert problem_of(name) == ""


def test_a_name_with_capitals_is_refused_as_the_kubelet_words_it() -> None:
    assert problem_of("Web:v1") == (
        'Failed to apply default image tag "Web:v1": couldn\'t parse image name "Web:v1": invalid reference format: '
        "repository name (library/Web) must be lowercase"
    )


@pytest.mark.parametrize("name", ["web::1", "a b", "-x", "http://web"])
def test_what_is_no_name(name: str) -> None:
    assert problem_of(name).endswith(": invalid reference format")

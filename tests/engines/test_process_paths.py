from __future__ import annotations

from pathlib import Path

import pytest

from kubelearn.engines import _process_images as images
from kubelearn.engines._process_paths import localize

ROOT = Path("/r")


@pytest.mark.parametrize(
    ("word", "wanted"),
    [
        ("echo hi > /data/x", "echo hi > /r/data/x"),
        ("cat /data", "cat /r/data"),
        ("ls /data;", "ls /r/data;"),
        ("--file=/data/x:/data", "--file=/r/data/x:/r/data"),
        ("cat /database /my/data ./data", "cat /database /my/data ./data"),
        ("wget http://web/data", "wget http://web/data"),
        ("cat /data/deep/x", "cat /r/data/deep/x"),
    ],
)
def test_mount_paths_are_moved_below_the_root(word: str, wanted: str) -> None:
    assert localize([word], ["/data", "/data/deep", "/"], ROOT) == [wanted]


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("nginx", "docker.io/library/nginx:latest"),
        ("kubelearn/web:v1", "docker.io/kubelearn/web:v1"),
        ("localhost:5000/x", "localhost:5000/x:latest"),
        ("ghcr.io/a/b@sha256:00", "ghcr.io/a/b@sha256:00"),
    ],
)
def test_image_names_are_completed_as_containerd_does(name: str, wanted: str) -> None:
    assert images.canonical(name) == wanted

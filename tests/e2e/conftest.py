"""One cluster per engine for the whole run."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

import pytest
from support.clusters import ENGINES, Cluster, start


@pytest.fixture(scope="session", params=ENGINES)
def cluster(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Three workers, one cluster per engine for the whole run; each test cleans up after itself."""
    home = tmp_path_factory.mktemp(f"home-{request.param}")
    made = start(request.param, home, f"e2e-{request.param}")
    yield made
    made.command("down")


@pytest.fixture
def namespace(cluster: Cluster, request: pytest.FixtureRequest) -> Iterator[str]:
    """A namespace of the test's own, gone afterwards."""
    name = f"t-{zlib.crc32(request.node.nodeid.encode()):08x}"
    assert cluster.kubectl("create", "namespace", name).code == 0
    yield name
    cluster.kubectl("delete", "namespace", name, "--wait=false")

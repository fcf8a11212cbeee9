"""Fuzzing of a server in this process. In CI each property is tried a fixed number of times on fixed examples; with
`KUBELEARN_FUZZ=50` fifty times as many, chosen anew each time."""

from __future__ import annotations

import logging

import pytest
from apiserver.conftest import certificates, secure, server  # noqa: F401  fixtures
from fuzz.judge import Fuzzed
from support.api import Api

from kubelearn.apiserver.server import ApiServer


@pytest.fixture
async def fuzzed(server: ApiServer, caplog: pytest.LogCaptureFixture) -> Fuzzed:  # noqa: F811
    await Api(server).account()
    caplog.set_level(logging.ERROR)
    return Fuzzed(server, caplog)

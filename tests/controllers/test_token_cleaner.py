"""Bootstrap tokens whose time is over are deleted, and no other Secret is."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import pytest

from kubelearn.api.bootstrap_token import TYPE
from kubelearn.controllers.token_cleaner import SECRETS
from kubelearn.kit import clock


def at(seconds: float) -> str:
    return clock.rfc3339(clock.utc_now() + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("expiration", "kind", "namespace", "stays"),
    [
        (at(-60), TYPE, "kube-system", False),
        ("soon", TYPE, "kube-system", False),
        (at(3600), TYPE, "kube-system", True),
        ("", TYPE, "kube-system", True),
        (at(-60), "Opaque", "kube-system", True),
        (at(-60), TYPE, "default", True),
    ],
)
async def test_what_goes(cluster: Any, expiration: str, kind: str, namespace: str, stays: bool) -> None:
    data = {"expiration": base64.b64encode(expiration.encode()).decode()}
    secret = {"metadata": {"name": "t", "namespace": namespace}, "type": kind, "data": data}
    await cluster.client.create(SECRETS, secret)
    await cluster.start("token_cleaner")
    assert bool(cluster.all(SECRETS)) is stays


async def test_a_token_goes_at_its_time(cluster: Any) -> None:
    await cluster.start("token_cleaner")
    data = {"expiration": base64.b64encode(at(2).encode()).decode()}
    await cluster.client.create(
        SECRETS, {"metadata": {"name": "t", "namespace": "kube-system"}, "type": TYPE, "data": data}
    )
    assert cluster.all(SECRETS)
    await cluster.until(lambda: not cluster.all(SECRETS))

"""Tokens from a credential plugin (`users[].user.exec` in a kubeconfig), as cloud providers' clusters need.

Only tokens: a plugin that answers with a client certificate is refused with a message.
Source: client.authentication.k8s.io/v1 ExecCredential.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import orjson

from kubelearn.kit import clock
from kubelearn.kit.errors import KubelearnError

_EARLY = timedelta(seconds=10)


class ExecPlugin:
    """A TokenSource: runs the plugin when there is no token or it is about to expire."""

    def __init__(self, spec: Mapping[str, Any]) -> None:
        self._spec = spec
        self._token = ""
        self._expires: datetime | None = None
        self._lock = asyncio.Lock()

    async def __call__(self) -> str:
        async with self._lock:
            if not self._token or (self._expires and clock.utc_now() > self._expires - _EARLY):
                await self._renew()
            return self._token

    async def _renew(self) -> None:
        command = str(self._spec.get("command", ""))
        out = await self._run(command)
        try:
            status = orjson.loads(out).get("status") or {}
        except (orjson.JSONDecodeError, AttributeError) as error:
            raise KubelearnError(f"credential plugin {command} did not answer with an ExecCredential") from error
        if not status.get("token"):
            raise KubelearnError(
                f"credential plugin {command} gave no token",
                "plugins that give client certificates are not supported",
            )
        self._token = status["token"]
        expires = status.get("expirationTimestamp")
        self._expires = clock.parse(expires) if expires else None

    async def _run(self, command: str) -> bytes:
        info = {
            "apiVersion": self._spec.get("apiVersion", "client.authentication.k8s.io/v1"),
            "kind": "ExecCredential",
            "spec": {"interactive": False},
        }
        env = {**os.environ, "KUBERNETES_EXEC_INFO": orjson.dumps(info).decode()}
        env |= {entry["name"]: entry["value"] for entry in self._spec.get("env") or []}
        arguments = [str(a) for a in self._spec.get("args") or []]
        try:
            process = await asyncio.create_subprocess_exec(command, *arguments, env=env, stdout=asyncio.subprocess.PIPE)
        except OSError as error:
            hint = str(self._spec.get("installHint", ""))
            raise KubelearnError(f"cannot run credential plugin {command}: {error.strerror}", hint) from error
        out, _ = await process.communicate()
        if process.returncode:
            raise KubelearnError(f"credential plugin {command} failed with exit status {process.returncode}")
        return out

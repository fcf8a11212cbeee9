"""Seats per user: who floods the server waits or is refused, and nobody else notices."""

from __future__ import annotations

import asyncio

import pytest

from kubelearn.api.errors import ApiError
from kubelearn.apiserver.flow import Flow


async def hold(flow: Flow, user: str, until: asyncio.Event) -> None:
    async with flow.admit(user):
        await until.wait()


async def test_one_user_cannot_take_all_seats() -> None:
    flow, end = Flow(seats=2, queue=1), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for _ in range(3):
            group.create_task(hold(flow, "greedy", end))
        await asyncio.sleep(0)
        with pytest.raises(ApiError) as refused:
            async with flow.admit("greedy"):
                pass
        assert (refused.value.code, refused.value.headers["Retry-After"]) == (429, "1")
        async with flow.admit("other"):
            end.set()
    async with flow.admit("greedy"):
        pass


async def test_who_waits_too_long_is_refused_and_leaves_no_trace() -> None:
    flow, end = Flow(seats=1, queue=5, wait_seconds=0.01), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(hold(flow, "greedy", end))
        await asyncio.sleep(0)
        with pytest.raises(ApiError, match="too many requests"):
            async with flow.admit("greedy"):
                pass
        end.set()
    async with asyncio.timeout(1), flow.admit("greedy"):
        pass

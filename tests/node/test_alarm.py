"""The pod worker's timer."""

from __future__ import annotations

import asyncio

from kubelearn.node.kubelet.alarm import Alarm


async def test_the_earliest_wish_holds() -> None:
    rung = asyncio.Event()
    alarm = Alarm(rung.set)
    alarm.within(0.01)
    alarm.within(60)
    async with asyncio.timeout(5):
        await rung.wait()


async def test_a_timer_that_rings_a_moment_early_is_set_again() -> None:
    """A pod waited for ever for a time that was nearly reached."""
    rung = asyncio.Event()
    alarm = Alarm(rung.set)
    alarm.within(0.02)
    assert alarm._timer
    alarm._timer.cancel()
    alarm._ring()
    assert rung.is_set()
    rung.clear()
    alarm.within(0.03)
    async with asyncio.timeout(5):
        await rung.wait()


async def test_a_cancelled_alarm_is_silent() -> None:
    rung = asyncio.Event()
    alarm = Alarm(rung.set)
    alarm.within(0.0)
    alarm.cancel()
    await asyncio.sleep(0.02)
    assert not rung.is_set()

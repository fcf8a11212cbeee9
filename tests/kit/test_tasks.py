import asyncio

import pytest

from kubelearn.kit.tasks import Tasks


async def test_a_task_that_fails_shows(caplog: pytest.LogCaptureFixture) -> None:
    failed: list[str] = []

    async def broken() -> None:
        raise ValueError("broken")

    async with Tasks("test", lambda name, error: failed.append(f"{name}: {error}")) as tasks:
        task = tasks.start(broken(), "one")
        await asyncio.wait({task})
        await asyncio.sleep(0)
    assert failed == ["test/one: broken"]
    assert "test/one" in caplog.text


async def test_closing_cancels_and_waits() -> None:
    ended = []

    async def waits() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    tasks = Tasks("test")
    tasks.start(waits(), "waits")
    await asyncio.sleep(0)
    await tasks.close()
    assert ended == [True]
    assert len(tasks) == 0

"""kill -9 under load: no answered write is lost, no revision is given twice."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import sys
from pathlib import Path

import orjson

from kubelearn.store.sqlite import SqliteStore

ROUNDS = 4
CHILD = Path(__file__).with_name("crash_child.py")


async def run_and_kill(database: Path, answered: Path, delay: float) -> None:
    child = await asyncio.create_subprocess_exec(
        sys.executable, str(CHILD), str(database), str(answered), stdout=asyncio.subprocess.PIPE
    )
    assert child.stdout is not None
    assert await asyncio.wait_for(child.stdout.readline(), 20) == b"writing\n"
    await asyncio.sleep(delay)
    with contextlib.suppress(ProcessLookupError):
        os.kill(child.pid, signal.SIGKILL)
    await child.wait()
    assert child.returncode == -signal.SIGKILL
    child._transport.close()  # type: ignore[attr-defined]


def answers(path: Path) -> list[tuple[int, str, bytes | None]]:
    """(revision, key, value) of every answer the child got; the last line may be cut off."""
    lines = path.read_bytes().split(b"\n")[:-1]
    return [(r, k, None if v is None else v.encode()) for r, k, v in map(orjson.loads, lines)]


async def test_kill_nine_loses_no_answered_write(tmp_path: Path) -> None:
    database, answered = tmp_path / "state.db", tmp_path / "answered"
    chance = random.Random(7)
    before = 0
    for _ in range(ROUNDS):
        await run_and_kill(database, answered, chance.uniform(0.02, 0.25))
        store = SqliteStore(database)
        await store.open()
        given = answers(answered)
        revisions = [revision for revision, _, _ in given]
        assert len(set(revisions)) == len(revisions)
        assert len(revisions) > before
        before = len(revisions)
        assert max(revisions) <= store.revision
        head: dict[str, tuple[int, bytes | None]] = {}
        for revision, key, value in sorted(given):
            head[key] = (revision, value)
        for key, (revision, value) in head.items():
            now = await store.get(key)
            if value is not None and (now is None or now.mod_revision != revision):
                newer = [e for e in await store.history(key) if e.kv.key == key and e.revision > revision]
                assert newer, f"{key} at {revision} is lost"
            elif value is not None:
                assert now is not None
                assert now.value == value
        await store.close()

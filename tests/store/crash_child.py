"""The writer that test_crash kills: many concurrent writes and deletions and a watch, each answer and each event noted
down at once. A note is a line: revision, key, value (null: deleted); the watch's go to a file of their own."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import orjson

from kubelearn.store.sqlite import SqliteStore


async def main(database: Path, notes: Path) -> None:
    store = SqliteStore(database, history=300)
    await store.open()
    answered = os.open(notes / "answered", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    watched = os.open(notes / "watched", os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    async def write(worker: int) -> None:
        count = 0
        while True:
            count += 1
            key = f"/w{worker}-{count % 5}"
            value = f"{worker}:{count}:{store.revision}"
            if count % 11 == 0:
                gone = await store.delete(key)
                if gone is not None:
                    os.write(answered, orjson.dumps([gone.mod_revision, key, None]) + b"\n")
            else:
                kv = await store.put(key, value.encode())
                os.write(answered, orjson.dumps([kv.mod_revision, key, value]) + b"\n")

    async def watch() -> None:
        async for event in store.watch("/", 0):
            value = event.kv.value.decode() if event.type == "PUT" else None
            os.write(watched, orjson.dumps([event.revision, event.kv.key, value]) + b"\n")

    print(store.revision, flush=True)
    await asyncio.gather(watch(), *(write(worker) for worker in range(16)))


asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))

"""The writer that test_crash kills: many concurrent writes and deletions, each answer noted down at once."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import orjson

from kubelearn.store.sqlite import SqliteStore


async def main(database: Path, answered: Path) -> None:
    store = SqliteStore(database, history=300)
    await store.open()
    note = os.open(answered, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    async def write(worker: int) -> None:
        count = 0
        while True:
            count += 1
            key = f"/w{worker}-{count % 5}"
            value = f"{worker}:{count}:{store.revision}"
            if count % 11 == 0:
                gone = await store.delete(key)
                if gone is not None:
                    os.write(note, orjson.dumps([gone.mod_revision, key, None]) + b"\n")
            else:
                kv = await store.put(key, value.encode())
                os.write(note, orjson.dumps([kv.mod_revision, key, value]) + b"\n")

    print("writing", flush=True)
    await asyncio.gather(*(write(worker) for worker in range(16)))


asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))

"""Any sequence of writes, compactions and reopenings, against a model that keeps every state whole."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable
from pathlib import Path
from typing import TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from kubelearn.store.interface import Compacted, Conflict, KeyValue, Store
from kubelearn.store.memory import MemoryStore
from kubelearn.store.sqlite import SqliteStore

T = TypeVar("T")
KEYS = st.sampled_from(["/a", "/a/b", "/b", "/é"])


class Model(RuleBasedStateMachine):
    """`states[r]` is key → (value, create, mod) at revision r."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = tempfile.TemporaryDirectory()
        self.stores: list[Store] = [MemoryStore(), self.sqlite()]
        for store in self.stores:
            self.do(store.open())
        self.revision = 1
        self.compacted = 0
        self.states: dict[int, dict[str, tuple[bytes, int, int]]] = {1: {}}

    def sqlite(self) -> SqliteStore:
        return SqliteStore(Path(self.folder.name) / "state.db")

    def do(self, awaitable: Awaitable[T]) -> T:
        async def run() -> T:
            return await awaitable

        return self.loop.run_until_complete(run())

    def next_state(self) -> dict[str, tuple[bytes, int, int]]:
        state = dict(self.states[self.revision])
        self.revision += 1
        self.states[self.revision] = state
        return state

    @rule(key=KEYS, value=st.binary(max_size=3), expect=st.sampled_from([None, 0, "now", 1]))
    def put(self, key: str, value: bytes, expect: int | str | None) -> None:
        now = self.states[self.revision].get(key)
        wanted = (now[2] if now else 0) if expect == "now" else expect
        assert not isinstance(wanted, str)
        fits = wanted is None or wanted == (now[2] if now else 0)
        for store in self.stores:
            try:
                self.do(store.put(key, value, expect=wanted))
                assert fits
            except Conflict as conflict:
                assert not fits
                assert (conflict.current is None) == (now is None)  # noqa: PT017  both answers are right ones
        if fits:
            state = self.next_state()
            state[key] = (value, now[1] if now else self.revision, self.revision)

    @rule(key=KEYS)
    def delete(self, key: str) -> None:
        gone = [self.do(store.delete(key)) for store in self.stores]
        was = key in self.states[self.revision]
        assert all((kv is not None) == was for kv in gone)
        if was:
            del self.next_state()[key]

    @rule(back=st.integers(0, 5))
    def compact(self, back: int) -> None:
        target = self.revision - back
        if target > self.compacted:
            for store in self.stores:
                self.do(store.compact(target))
            self.compacted = target

    @rule()
    def reopen(self) -> None:
        self.do(self.stores[1].close())
        self.stores[1] = self.sqlite()
        self.do(self.stores[1].open())

    @rule(back=st.integers(0, 8), prefix=st.sampled_from(["/", "/a", "/a/"]))
    def read_the_past(self, back: int, prefix: str) -> None:
        revision = max(1, self.revision - back)
        for store in self.stores:
            try:
                found = self.do(store.range(prefix, revision=revision))
            except Compacted:
                assert revision < self.compacted
            else:
                self.compare(found.items, self.states[revision], prefix)

    @staticmethod
    def compare(items: list[KeyValue], state: dict[str, tuple[bytes, int, int]], prefix: str) -> None:
        got = [(kv.key, (kv.value, kv.create_revision, kv.mod_revision)) for kv in items]
        assert got == sorted((k, v) for k, v in state.items() if k.startswith(prefix))

    @invariant()
    def histories_agree(self) -> None:
        memory, sqlite = (self.do(store.history("/")) for store in self.stores)
        assert memory == sqlite
        assert [e.revision for e in memory] == list(range(max(self.compacted, 1) + 1, self.revision + 1))
        assert all(store.revision == self.revision for store in self.stores)
        assert all(store.compacted_revision == self.compacted for store in self.stores)

    def teardown(self) -> None:
        for store in self.stores:
            self.do(store.close())
        self.loop.close()
        self.folder.cleanup()


TestModel = Model.TestCase
TestModel.settings = settings(
    max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)

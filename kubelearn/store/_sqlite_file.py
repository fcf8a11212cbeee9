"""The file itself: schema, transactions, and the map from SQLite's errors to `StoreError`.

Called by `sqlite.SqliteStore`, from its one thread only.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from kubelearn.store._mvcc import FIRST_REVISION
from kubelearn.store.interface import KeyValue, StoreError, StoreEvent

APPLICATION_ID = 0x6B6C726E  # "klrn"
SCHEMA = 1

_CREATE = """
CREATE TABLE log (revision INTEGER PRIMARY KEY, key TEXT NOT NULL, value BLOB, created INTEGER NOT NULL,
                  cause BLOB NOT NULL);
CREATE TABLE meta (name TEXT PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO meta VALUES ('compacted', 0);
"""

#: Rows in one INSERT; SQLite allows 32,766 parameters.
_ROWS = 1024
_PLACE = "(?,?,?,?,?),"
_PLACES = _PLACE * _ROWS

Row = tuple[int, str, bytes | None, int, bytes]


@dataclass(frozen=True, slots=True)
class State:
    """`base`: versions alive at `compacted`; `rows`: the log after it (value None: deleted)."""

    base: list[KeyValue]
    compacted: int
    rows: list[Row]

    def events(self) -> Iterator[StoreEvent]:
        head = {kv.key: kv for kv in self.base}
        for revision, key, value, created, cause in self.rows:
            previous = head.pop(key, None)
            if value is not None:
                kv = head[key] = KeyValue(key, value, created, revision, cause)
                yield StoreEvent("PUT", kv, previous)
            elif previous is not None:
                gone = KeyValue(key, previous.value, created, revision, cause)
                yield StoreEvent("DELETE", gone, previous)
            else:
                raise StoreError(f"revision {revision} deletes {key}, which is not there")


class SqliteFile:
    """`broken` is the first fault after which nobody knows what a retry would do (a full disk can be mended)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.broken: StoreError | None = None
        self._db: sqlite3.Connection | None = None

    def open(self) -> State:
        with self._mapped():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            db = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, timeout=1.0)
            try:
                state = self._prepare(db)
            except BaseException:
                db.close()
                raise
            self._db = db
            return state

    def _prepare(self, db: sqlite3.Connection) -> State:
        db.execute("PRAGMA locking_mode=EXCLUSIVE")
        version = db.execute("PRAGMA user_version").fetchone()[0]
        application = db.execute("PRAGMA application_id").fetchone()[0]
        empty = db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
        if not empty and (application != APPLICATION_ID or version != SCHEMA):
            raise StoreError(self._foreign(application, version))
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        if empty:
            marks = f"PRAGMA application_id={APPLICATION_ID}; PRAGMA user_version={SCHEMA};"
            db.executescript(f"BEGIN IMMEDIATE; {_CREATE} {marks} COMMIT;")
        else:
            db.executescript("BEGIN IMMEDIATE; COMMIT;")  # takes the lock for as long as the file is open
        return self._load(db)

    def _foreign(self, application: int, version: int) -> str:
        if application != APPLICATION_ID:
            return f"{self.path} is not a kubelearn database; move it away, a new one will be made"
        return (
            f"{self.path} has format {version}, this kubelearn reads format {SCHEMA}: "
            "use the version that wrote it, or remove the cluster and start anew"
        )

    def _load(self, db: sqlite3.Connection) -> State:
        mark = db.execute("SELECT number FROM meta WHERE name = 'compacted'").fetchone()
        if mark is None:
            raise StoreError(self._damaged("the mark of its last compaction is missing"))
        compacted: int = mark[0]
        base: list[KeyValue] = []
        rows: list[Row] = []
        for row in db.execute("SELECT revision, key, value, created, cause FROM log ORDER BY revision"):
            revision, key, value, created, cause = row
            if revision > compacted:
                rows.append(row)
            elif value is None:
                raise StoreError(self._damaged(f"revision {revision} should have been compacted"))
            else:
                base.append(KeyValue(key, value, created, revision, cause))
        first = max(FIRST_REVISION, compacted) + 1
        if rows and (rows[0][0] != first or rows[-1][0] != first + len(rows) - 1):
            raise StoreError(self._damaged("revisions are missing"))
        return State(base, compacted, rows)

    def append(self, events: Sequence[StoreEvent]) -> None:
        rows = [_row(event) for event in events]
        with self._transaction() as db:
            for start in range(0, len(rows), _ROWS):
                part = rows[start : start + _ROWS]
                # One statement: between two, this thread would have to win Python's lock back from a busy event loop.
                db.execute(f"INSERT INTO log VALUES {_PLACES[: len(_PLACE) * len(part) - 1]}", [*chain(*part)])

    def compact(self, revision: int, dropped: Sequence[int]) -> None:
        with self._transaction() as db:
            db.executemany("DELETE FROM log WHERE revision = ?", ((number,) for number in dropped))
            db.execute("UPDATE meta SET number = ? WHERE name = 'compacted'", (revision,))

    def close(self) -> None:
        if self._db is not None:
            with self._mapped():
                self._db.close()
            self._db = None

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        if self._db is None:
            raise StoreError("the store is not open")
        with self._mapped():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    @contextlib.contextmanager
    def _mapped(self) -> Iterator[None]:
        """SQLite's and the file system's errors as StoreError with the next step."""
        try:
            yield
        except sqlite3.Error as error:
            name = getattr(error, "sqlite_errorname", "")
            explained = StoreError(self._explain(name, error))
            if self._db is not None and name != "SQLITE_FULL":
                self.broken = self.broken or explained
            raise explained from error
        except OSError as error:
            why = f"cannot use {self.path}: {error.strerror}; check the folder and its rights"
            raise StoreError(why) from error

    def _explain(self, name: str, error: sqlite3.Error) -> str:
        if name == "SQLITE_FULL":
            return (
                f"the disk that holds {self.path} is full: free some space and try again; "
                "nothing that was answered is lost, reading goes on"
            )
        if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            return f"{self.path} is in use by another process: is the cluster already running?"
        if name.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
            return self._damaged(str(error))
        if name.startswith(("SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_PERM")):
            return f"cannot write {self.path} ({error}): check the folder, its rights and its file system"
        return f"{self.path}: {error}; restart the cluster, and if it comes again restore the file from a copy"

    def _damaged(self, why: str) -> str:
        return f"{self.path} is damaged ({why}): restore it from a copy, or remove the cluster and start anew"


def _row(event: StoreEvent) -> Row:
    kv = event.kv
    value = None if event.type == "DELETE" else kv.value
    return (kv.mod_revision, kv.key, value, kv.create_revision, kv.cause)

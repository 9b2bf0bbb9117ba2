"""The online store in an SQLite file, for one machine: its processes and threads read while others write.

A row is one row of a table, replaced by one statement. The file is in WAL mode, so that readers never wait for a
writer; every process opens it for itself, and one that finds another file at the path goes over to that one. Whoever
replaces the file removes `-wal` and `-shm` beside it first: SQLite would read them as the new file's.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING

from argosy.errors import ArgosyError, BadInput, Outage
from argosy.features.online.packed import BATCH, PackedRow, batches
from argosy.features.online.rows import Written

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

FORMAT = 1
PATIENCE_S = 30.0  # for other writers

_SCHEMA = (
    "CREATE TABLE rows (project TEXT, view TEXT, key BLOB, event_us INTEGER NOT NULL, created_us INTEGER NOT NULL, "
    "packed BLOB NOT NULL, PRIMARY KEY (project, view, key)) WITHOUT ROWID",
    "CREATE TABLE marks (project TEXT, view TEXT, at_us INTEGER NOT NULL, mark TEXT NOT NULL, "
    "PRIMARY KEY (project, view)) WITHOUT ROWID",
    "CREATE TABLE identities (project TEXT PRIMARY KEY, identity TEXT NOT NULL)",
    f"PRAGMA user_version = {FORMAT}",
)
_PUT = """
INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (project, view, key) DO UPDATE
SET event_us = excluded.event_us, created_us = excluded.created_us, packed = excluded.packed
WHERE (excluded.event_us, excluded.created_us) > (rows.event_us, rows.created_us)
OR (excluded.event_us, excluded.created_us) = (rows.event_us, rows.created_us) AND excluded.packed <> rows.packed
"""
_GET = "SELECT key, event_us, created_us, packed FROM rows WHERE project = ? AND view = ? AND key = ?"
_SCAN = "SELECT key, event_us, created_us, packed FROM rows WHERE project = ? AND view = ? AND key > ? LIMIT ?"
_DROP = "DELETE FROM rows WHERE project = ? AND view = ? AND substr(key, 1, ?) = ?"
_MARK = """
INSERT INTO marks VALUES (?, ?, ?, ?)
ON CONFLICT (project, view) DO UPDATE SET at_us = excluded.at_us, mark = excluded.mark
WHERE excluded.at_us >= marks.at_us
"""


class SqliteRows:
    """The rows of a project in an SQLite file, which is made if there is none."""

    def __init__(self, path: Path, project: str) -> None:
        self._project = project
        self._path = path
        self._reader, self._writer = _File(path), _File(path)

    def put(self, view: str, rows: Iterable[PackedRow]) -> Written:
        """Write rows, a transaction per batch."""
        offered = written = 0
        for batch in batches(rows):
            with self._writer.writing() as db:
                done = db.executemany(_PUT, [(self._project, view, *row) for row in batch])
            offered, written = offered + len(batch), written + done.rowcount
        return Written(written=written, superseded=offered - written)

    def get(self, wanted: Sequence[tuple[str, bytes]]) -> list[PackedRow | None]:
        """Return rows of one state of the file."""
        with self._reader.opened() as db:
            db.execute("BEGIN")
            try:
                found = [db.execute(_GET, (self._project, *each)).fetchone() for each in wanted]
            finally:
                db.execute("COMMIT")
        return [None if row is None else PackedRow(*row) for row in found]

    def scan(self, view: str, prefix: bytes) -> Iterator[PackedRow]:
        """Return the rows of a view, in the order of their keys."""
        after = b""
        while True:
            with self._reader.opened() as db:
                batch = db.execute(_SCAN, (self._project, view, after, BATCH)).fetchall()
            yield from (row for row in map(PackedRow._make, batch) if row.key.startswith(prefix))
            if len(batch) < BATCH:
                return
            after = batch[-1][0]

    def drop_before(self, view: str, prefix: bytes, event_us: int) -> int:
        """Delete older rows by one statement."""
        with self._writer.writing() as db:
            return db.execute(f"{_DROP} AND event_us < ?", (*self._of(view, prefix), event_us)).rowcount

    def drop_view(self, view: str, prefix: bytes) -> None:
        """Delete rows, mark and identity in one transaction."""
        with self._writer.writing() as db:
            db.execute(_DROP, self._of(view, prefix))
            db.execute("DELETE FROM marks WHERE project = ? AND view = ?", (self._project, view))
            db.execute("DELETE FROM identities WHERE project = ?", (self._project,))

    def mark(self, view: str, mark: Mapping[str, object], *, at_us: int) -> bool:
        """Note a mark, unless a later one is noted."""
        with self._writer.writing() as db:
            return db.execute(_MARK, (self._project, view, at_us, json.dumps(mark))).rowcount == 1

    def marks(self) -> dict[str, dict[str, object]]:
        """Return what is noted, by view."""
        with self._reader.opened() as db:
            found = db.execute("SELECT view, mark FROM marks WHERE project = ? ORDER BY view", (self._project,))
            return {view: json.loads(mark) for view, mark in found}

    def identity(self) -> str:
        """Name the file by a random id and its inode, which another copy of it does not have.

        An older copy that was written into the same file keeps the name; its marks tell that it is older.
        """
        with self._writer.writing() as db:
            db.execute("INSERT OR IGNORE INTO identities VALUES (?, ?)", (self._project, uuid.uuid4().hex))
            [(found,)] = db.execute("SELECT identity FROM identities WHERE project = ?", (self._project,))
            return f"{found}-{self._path.stat().st_ino:x}"

    def _of(self, view: str, prefix: bytes) -> tuple[str, str, int, bytes]:
        """Return the parameters that select a view's rows."""
        return self._project, view, len(prefix), prefix

    def close(self) -> None:
        """Close the file."""
        self._reader.close()
        self._writer.close()


class _File:
    """A connection to the file that stands at a path now, for one thread at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.RLock()
        self._db: sqlite3.Connection | None = None
        self._inode = 0

    @contextmanager
    def opened(self) -> Iterator[sqlite3.Connection]:
        """Give the connection to this thread alone; errors of SQLite become ours."""
        with self._lock:
            try:
                yield self._current()
            except (sqlite3.Error, OSError) as error:
                raise _trouble(self._path, error) from error

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Give the connection inside a transaction that no other process writes in."""
        with self.opened() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Close it; another use opens it again."""
        with self._lock:
            if self._db is not None:
                self._db.close()
            self._db = None

    def _current(self) -> sqlite3.Connection:
        """Return a connection to what is at the path."""
        try:
            inode = self._path.stat().st_ino
        except FileNotFoundError:
            inode = -1
        if self._db is None or inode != self._inode:
            self.close()
            self._db = _open(self._path)
            self._inode = self._path.stat().st_ino
        return self._db


def _open(path: Path) -> sqlite3.Connection:
    """Open the file, making it if there is none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Locks of our own say which thread uses it; transactions begin and end where we say.
    db = sqlite3.connect(path, timeout=PATIENCE_S, isolation_level=None, check_same_thread=False)
    try:
        _use_wal(db)
        db.execute("PRAGMA synchronous = NORMAL")
        _make_tables(db)
        _require_format(db, path)
    except BaseException:
        db.close()
        raise
    return db


def _make_tables(db: sqlite3.Connection) -> None:
    """Make the tables in a new file."""
    if _version(db):
        return
    db.execute("BEGIN IMMEDIATE")
    if not _version(db):  # nobody made them while we waited
        for statement in _SCHEMA:
            db.execute(statement)
    db.execute("COMMIT")


def _require_format(db: sqlite3.Connection, path: Path) -> None:
    """Refuse a file of another format."""
    if _version(db) != FORMAT:
        raise BadInput(f"{path}: an online store of format {_version(db)}; this code reads {FORMAT}: make it anew")


def _use_wal(db: sqlite3.Connection) -> None:
    """Turn the file to WAL; SQLite does not wait by itself when another process does the same."""
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.01)
        else:
            return


def _version(db: sqlite3.Connection) -> int:
    """Return the format that the file says it has; 0 for a new one."""
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def _trouble(path: Path, error: Exception) -> ArgosyError:
    """Say what an error of the file means."""
    if isinstance(error, sqlite3.OperationalError | OSError):
        return Outage(f"{path}: the online store does not answer ({error}); is its disk full, or a writer stuck?")
    return BadInput(f"{path}: no online store ({error}); name another file, or move this one away and materialize")

"""What is known of a file while its stat does not change, and of a remote object while its tag does not.

Hashing every stored byte and parsing every source file would make an unchanged run cost seconds. A stamp remembers
what was computed from a file together with the size, times and inode it had then.
"""

from __future__ import annotations

import fcntl
import json
import sqlite3
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from os import stat_result
    from pathlib import Path

# A write within one tick of the file system's clock leaves all times equal; what was looked at so soon after the last
# change is not trusted and is computed again once.
RACY_NS = 20_000_000


class Stamps:
    """A small table of facts by (purpose, path), valid for one exact stat."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        try:
            self._db = _open(path)
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError:
            # Not a database, as after a power cut. Losing the table costs time, never correctness.
            path.unlink()
            self._db = _open(path)

    def fact(self, purpose: str, path: Path, compute: Callable[[], Any]) -> Any:
        """Return a JSON fact of a file: the one known for its stat, else what `compute` says now.

        Raises:
            FileNotFoundError: There is no such file.

        """
        seen = time.time_ns()
        stat = path.stat()
        known = self._recall(purpose, path, stat)
        if known is not None:
            return known
        computed = compute()
        self._keep((purpose, str(path), _text(stat), seen, json.dumps(computed)))
        return computed

    def note_tag(self, name: str, tag: str) -> None:
        """Remember the tag that a remote object had when it held what its name says."""
        self._keep(("tag", name, tag, 0, "true"))

    def noted_tag(self, name: str) -> str | None:
        """Return the tag that a remote object had when it was last known to be sound."""
        with self._lock:
            row = self._db.execute("select stat from stamp where purpose = 'tag' and path = ?", (name,)).fetchone()
        return row[0] if row else None

    def forget(self, purpose: str, path: Path) -> None:
        """Drop what is known of a file for one purpose."""
        with self._lock:
            self._db.execute("delete from stamp where purpose = ? and path = ?", (purpose, str(path)))

    def _keep(self, row: tuple[str, str, str, int, str]) -> None:
        # A full disk costs the stamp, which costs time and nothing else.
        with self._lock, suppress(sqlite3.OperationalError):
            self._db.execute("insert or replace into stamp values (?, ?, ?, ?, ?)", row)

    def _recall(self, purpose: str, path: Path, stat: stat_result) -> Any | None:
        with self._lock:
            row = self._db.execute(
                "select stat, seen, fact from stamp where purpose = ? and path = ?", (purpose, str(path))
            ).fetchone()
        if row is None or row[0] != _text(stat) or row[1] - stat.st_ctime_ns < RACY_NS:
            return None
        return json.loads(row[2])

    def close(self) -> None:
        """Close the table."""
        self._db.close()


def _open(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
    db.execute("pragma synchronous=off")
    # Of two that make the table at once SQLite refuses one without waiting, whatever the timeout.
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        db.execute("pragma journal_mode=wal")
        db.execute(
            "create table if not exists stamp"
            " (purpose text, path text, stat text, seen integer, fact text, primary key (purpose, path)) without rowid"
        )
    return db


def _text(stat: stat_result) -> str:
    return f"{stat.st_size} {stat.st_mtime_ns} {stat.st_ctime_ns} {stat.st_ino}"

"""A fresh SQLite registry, complete or absent.

MLflow builds its schema by running all its migrations in the file, each with its own flushes; killed in
between, it leaves a file that it cannot repair. Here the migrations run in memory, which also halves their
time, and the result appears under its name in one step.
"""

from __future__ import annotations

import fcntl
import sqlite3
from contextlib import closing
from pathlib import Path

# The tracking store is not used here: a client of SQLite opens it, and what is imported now need not be then.
import mlflow.store.tracking.sqlalchemy_store  # noqa: F401
from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore

from argosy.errors import Mistake, Outage


def ensure_schema(file: str) -> None:
    """Make the database file exist with MLflow's schema; two at once make one.

    Raises:
        Mistake: The file is no SQLite database.
        Outage: The file or its folder cannot be opened.

    """
    path = Path(file)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            create(path)
        with closing(sqlite3.connect(path)) as database:
            database.execute("pragma schema_version")
    except (OSError, sqlite3.OperationalError) as error:
        raise Outage(f"registry sqlite:///{path}: cannot be opened ({error}); check path and rights") from error
    except sqlite3.DatabaseError as error:
        raise Mistake(f"registry sqlite:///{path}: {error}; name a file that MLflow may create") from error


def create(path: Path) -> None:
    """Create the database under a lock, which spares a twin the work."""
    draft = path.with_name(f"{path.name}.new")
    with path.with_name(f"{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if path.exists():
            return
        draft.unlink(missing_ok=True)
        write_schema(draft)
        try:
            # A link, unlike a rename, never replaces what an MLflow server may have put there meanwhile.
            path.hardlink_to(draft)
        except FileExistsError:
            return
        finally:
            draft.unlink()


def write_schema(path: Path) -> None:
    """Write an empty database with MLflow's schema to a new file."""
    store = SqlAlchemyStore("sqlite://")
    connection = store.engine.raw_connection()
    with closing(sqlite3.connect(path)) as target:
        connection.driver_connection.backup(target)
    connection.close()
    store.engine.dispose()

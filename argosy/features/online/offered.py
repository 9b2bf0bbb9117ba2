"""The rows of a view's source that a materialisation offers to the online store, read by DuckDB from Parquet.

The table `offered` holds the window's rows, instants as int64 microseconds, fields in the types of Feast.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb

from argosy.errors import BadInput
from argosy.features.instants import SECOND_US
from argosy.features.tables import quote, require_columns

if TYPE_CHECKING:
    from pathlib import Path

    from argosy.features.rules import View

INSTANT = "TIMESTAMP WITH TIME ZONE"
SQL_TYPES = {
    "Float32": "FLOAT", "Float64": "DOUBLE", "Int32": "INTEGER", "Int64": "BIGINT", "Bool": "BOOLEAN",
    "String": "VARCHAR", "Bytes": "BLOB",
}  # fmt: skip


@dataclass(frozen=True)
class Window:
    """Which of a view's rows are offered: alive as of an instant, and not seen before; microseconds since 1970 UTC.

    Args:
        at_us: The instant; what is known later is not offered.
        dead_us: Events up to this one are past their TTL, and the store may forget them; None where it may not.
        seen_us: Rows with an event, and where the view has the column a creation, up to this instant were offered
            before; None where none was.

    """

    at_us: int
    dead_us: int | None
    seen_us: int | None


@dataclass(frozen=True)
class Known:
    """What a source says of a view as of an instant.

    Args:
        offered: Rows in the window.
        entities: Entities that ever had a row.
        alive: Entities whose newest row is inside the TTL.
        newest_us: The newest event, microseconds since 1970 UTC; None without a row.

    """

    offered: int
    entities: int
    alive: int
    newest_us: int | None

    def report(self, at_us: int) -> dict[str, Any]:
        """Return the counts, the share that is alive, and the age of the newest row in seconds, as of an instant."""
        coverage = round(self.alive / self.entities, 6) if self.entities else 0.0
        freshness_s = None if self.newest_us is None else (at_us - self.newest_us) / SECOND_US
        counts = {"offered": self.offered, "entities": self.entities, "alive": self.alive}
        return {**counts, "coverage": coverage, "freshness_s": freshness_s}


def load(db: duckdb.DuckDBPyConnection, view: View, path: Path, window: Window) -> Known:
    """Make the table `offered` of a view's rows in a window, equal ones once.

    Args:
        db: A connection; a table `offered` in it is replaced.
        view: Its keys, timestamp, created column and fields are read.
        path: A Parquet file, or a folder of them.
        window: Which rows.

    Raises:
        BadInput: The source cannot be read, lacks a column, has an instant that is no `timestamp[us, UTC]` or a field
            of another type, or holds different rows for one key, event and created.

    """
    files = str(path / "*.parquet") if path.is_dir() else str(path)
    try:
        source = db.read_parquet(files)
        _require_types(source, view, path)
        known = _count(source, view, window.at_us)
        db.execute(f"CREATE OR REPLACE TEMP TABLE offered AS {_select(view, window)}", [files])
    except duckdb.Error as error:
        raise BadInput(f"{path}: view {view.name!r} cannot read it: {str(error).splitlines()[0]}") from error
    _require_one_row_each(db, view, path)
    [[rows]] = db.execute("SELECT count(*) FROM offered").fetchall()
    return Known(rows, *known)


def newest_rows(view: View) -> str:
    """Select the newest offered row of each entity: its keys, event, created and fields, oldest event first."""
    keys = ", ".join(quote(key) for key in view.keys)
    return f"""
        SELECT * FROM offered
        QUALIFY row_number() OVER (PARTITION BY {keys} ORDER BY __event DESC, __created DESC NULLS LAST) = 1
        ORDER BY __event, {keys}
    """  # noqa: S608 - identifiers are quoted


def _select(view: View, window: Window) -> str:
    """Select the rows of a window from the files of the parameter."""
    keys = [f"CAST({quote(k)} AS {SQL_TYPES[t]}) AS {quote(k)}" for k, t in zip(view.keys, view.key_types, strict=True)]
    event = f"epoch_us({quote(view.timestamp)})"
    created = f"epoch_us({quote(view.created)})" if view.created else "CAST(NULL AS BIGINT)"
    fields = [f"{_field(name, dtype)} AS {quote(name)}" for name, dtype in view.stored.items()]
    wanted = [_counts(view, window.at_us)]
    wanted += [] if window.dead_us is None else [f"{event} > {window.dead_us}"]
    if window.seen_us is not None:
        # A correction of an old event is new by its creation.
        wanted.append(f"({event} > {window.seen_us} OR coalesce({created} > {window.seen_us}, FALSE))")
    return f"""
        SELECT DISTINCT {", ".join([*keys, f"{event} AS __event", f"{created} AS __created", *fields])}
        FROM read_parquet(?) WHERE {" AND ".join(wanted)}
    """  # noqa: S608 - identifiers are quoted


def _counts(view: View, at_us: int) -> str:
    """Say whether a row has all its keys, and may be used as of an instant."""
    present = [f"{quote(key)} IS NOT NULL" for key in view.keys]
    event = f"epoch_us({quote(view.timestamp)})"
    if view.availability == "created":
        return " AND ".join([*present, f"{event} <= {at_us}", f"epoch_us({quote(view.created or '')}) <= {at_us}"])
    return " AND ".join([*present, f"{event} + {view.availability} <= {at_us}"])


def _field(name: str, dtype: str) -> str:
    """Write a field in its type; Feast keeps instants as whole seconds."""
    if dtype != "UnixTimestamp":
        return f"CAST({quote(name)} AS {SQL_TYPES[dtype]})"
    told = f"a part of a second in {name}, a UnixTimestamp, which Feast keeps in whole seconds; round it".replace(
        "'", "''"
    )
    return f"""
        CASE WHEN epoch_us({quote(name)}) % {SECOND_US} <> 0 THEN error('{told}')
             ELSE epoch_us({quote(name)}) // {SECOND_US} END
    """


def _count(source: duckdb.DuckDBPyRelation, view: View, at_us: int) -> tuple[int, int, int | None]:
    """Count entities known and alive by the instant, and find the newest event."""
    event = f"epoch_us({quote(view.timestamp)})"
    keys = ", ".join(quote(key) for key in view.keys)
    alive = "TRUE" if view.ttl_us is None else f"{at_us} - newest <= {view.ttl_us}"
    counted = f"""
        WITH entities AS (
            SELECT {keys}, max({event}) AS newest FROM source WHERE {_counts(view, at_us)} GROUP BY {keys}
        )
        SELECT count(*), count(*) FILTER ({alive}), max(newest) FROM entities
    """  # noqa: S608 - identifiers are quoted
    entities, living, newest = source.query("source", counted).fetchall()[0]
    return entities, living, newest


def _require_types(source: duckdb.DuckDBPyRelation, view: View, path: Path) -> None:
    """Refuse a source that lacks a column, or whose instants are not in UTC microseconds."""
    kinds = dict(zip(source.columns, map(str, source.types), strict=True))
    instants = [view.timestamp, *([view.created] if view.created else [])]
    instants += [name for name, dtype in view.stored.items() if dtype == "UnixTimestamp"]
    require_columns(kinds, {*view.keys, *instants, *view.stored}, path)
    for name in instants:
        if kinds[name] != INSTANT:
            raise BadInput(f"{path}: column {name!r} is {kinds[name]}; instants are timestamp[us, UTC]: cast it")


def _require_one_row_each(db: duckdb.DuckDBPyConnection, view: View, path: Path) -> None:
    """Refuse two different rows of one key, event and created, of which nobody knows the right one."""
    keys = ", ".join([*(quote(key) for key in view.keys), "__event", "__created"])
    clash = db.execute(f"SELECT {keys}, count(*) FROM offered GROUP BY {keys} HAVING count(*) > 1 LIMIT 1").fetchall()  # noqa: S608
    if clash:
        *key, count = clash[0]
        raise BadInput(
            f"{path}: {count} different rows for {[*view.keys, view.timestamp, view.created]} = {key}; a key has one "
            "row per instant: declare a created column that tells the newer one, or drop the wrong ones"
        )

"""Find, for each request, the row that counts at its instant: one as-of join in DuckDB, rows by their numbers.

Only keys and instants enter DuckDB. What comes out are row numbers, by which Arrow takes the fields, so that a field
keeps its type and every bit of its value whatever DuckDB knows of that type. Instants are int64 microseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from argosy.errors import BadInput
from argosy.features.tables import connect

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

NONE = -1


@dataclass(frozen=True)
class Rows:
    """The rows of a view.

    Args:
        where: What an error calls them.
        keys: By the request's name of each key.
        event: The instant of each row, never null.
        created: What orders rows of one event, an instant where `known_when_created`; None where nothing does.
        fields: What the rows say, of any type.
        known_when_created: Whether a row counts only from the instant it was created.
        known_after_us: How long after its event a row starts to count.

    """

    where: str
    keys: dict[str, pa.ChunkedArray]
    event: pa.ChunkedArray
    created: pa.ChunkedArray | None
    fields: pa.Table
    known_when_created: bool = False
    known_after_us: int = 0


@dataclass(frozen=True)
class Found:
    """What counts for each request: the number of its row and its event; `NONE` and 0 where there is no row."""

    row: NDArray[np.int64]
    event: NDArray[np.int64]


def instants(column: pa.ChunkedArray, where: str) -> pa.ChunkedArray:
    """Read timestamps as microseconds since 1970 UTC, rounded down; those without a zone are UTC.

    Raises:
        BadInput: The column is of another type.

    """
    kind = column.type
    if pa.types.is_date(kind):
        return column.cast(pa.timestamp("us")).cast(pa.int64())
    if not pa.types.is_timestamp(kind):
        raise BadInput(f"{where} is {kind}; an instant is a timestamp: cast it")
    if kind.unit == "ns":
        column = pc.floor_temporal(column, unit="microsecond")
    return column.cast(pa.timestamp("us", tz=kind.tz)).cast(pa.int64())


def find(at: pa.ChunkedArray, keys: dict[str, pa.ChunkedArray], rows: Rows) -> Found:
    """Find the newest row of each request's keys with an event at or before its instant.

    Of one event the newest created counts, and a null key matches nothing. Age is not judged here.

    Args:
        at: The instants of the requests; a null one finds nothing.
        keys: The keys of the requests, by name.
        rows: The rows to search.

    Raises:
        BadInput: Two rows are tied on keys, event and created and differ, or a key's types do not compare.

    """
    names = [f"k{number}" for number in range(len(rows.keys))]
    asked = [keys[name] for name in rows.keys]
    offered = [*rows.keys.values(), rows.event, *([rows.created] if rows.created is not None else [])]
    columns = [*names, "event", *(["created"] if rows.created is not None else [])]
    with connect() as db:
        db.register("requests", pa.table([*asked, at, _numbers(len(at))], names=[*names, "at", "request"]))
        db.register("offered", pa.table([*offered, _numbers(len(rows.event))], names=[*columns, "number"]))
        try:
            found = _join(db, names, rows)
        except (duckdb.ConversionException, duckdb.BinderException) as error:
            raise BadInput(f"{rows.where}: its keys do not compare with the request's: {_first(error)}") from error
    return _scatter(found, len(at))


def _join(db: duckdb.DuckDBPyConnection, names: Sequence[str], rows: Rows) -> dict[str, NDArray[np.int64]]:
    """Match each request with the row that counts, without those that have none."""
    if rows.known_when_created:
        db.execute(_known_rows(names, rows.known_after_us))
    else:
        db.execute(f"CREATE VIEW known AS SELECT *, event + {rows.known_after_us} AS known_at FROM offered")  # noqa: S608
    unique = _unique_rows(db, names, rows)
    on = " AND ".join([*(f"r.{name} = e.{name}" for name in names), "r.at >= e.known_at"])
    found: dict[str, NDArray[np.int64]] = db.sql(
        f"SELECT r.request, e.number, e.event FROM requests r ASOF JOIN ({unique}) e ON {on}"  # noqa: S608
    ).fetchnumpy()
    return found


def _known_rows(names: Sequence[str], known_after_us: int) -> str:
    """Give at each instant at which a row of a key became known the newest rows that are known by then.

    A row may come to light after a newer one; then it changes nothing. So what counts rises with `known_at`, and one
    inequality says what two would. Rows that are tied stay together, to be told apart or refused.
    """
    keys = f"PARTITION BY {', '.join(names)}" if names else ""
    same = " AND ".join(["k.rank = n.newest", *(f"k.{name} = n.{name}" for name in names)])
    columns = ", ".join([*names, "known_at"])
    return f"""
        CREATE TABLE known AS
        WITH ranked AS (SELECT *, greatest(event + {known_after_us}, created) AS known_at,
                               rank() OVER ({keys} ORDER BY event, created) AS rank
                        FROM offered WHERE created IS NOT NULL),
             newest AS (SELECT DISTINCT {columns}, max(rank) OVER ({keys} ORDER BY known_at) AS newest FROM ranked)
        SELECT k.* EXCLUDE (known_at), n.known_at FROM newest n JOIN ranked k ON {same}
    """  # noqa: S608 - names are this module's own


def _unique_rows(db: duckdb.DuckDBPyConnection, names: Sequence[str], rows: Rows) -> str:
    """Return a query for at most one row per key and instant.

    Raises:
        BadInput: Rows of one key, event and created differ.

    """
    place = ", ".join([*names, "known_at"])
    repeated = f"SELECT {place} FROM known GROUP BY {place} HAVING count(*) > 1"  # noqa: S608
    if not db.sql(f"{repeated} LIMIT 1").fetchall():
        return "SELECT * FROM known"
    newest = "event DESC" if rows.created is None else "event DESC, created DESC NULLS LAST"
    tied = f"SELECT * FROM known QUALIFY rank() OVER (PARTITION BY {place} ORDER BY {newest}) = 1"  # noqa: S608
    _require_equal(db, tied, names, rows)
    return f"SELECT * FROM ({tied}) QUALIFY row_number() OVER (PARTITION BY {place} ORDER BY number) = 1"  # noqa: S608


def _require_equal(db: duckdb.DuckDBPyConnection, tied: str, names: Sequence[str], rows: Rows) -> None:
    """Refuse rows that are tied and differ in a field."""
    place = ", ".join([*names, "event"])
    numbers = db.sql(f"SELECT number FROM ({tied}) QUALIFY count(*) OVER (PARTITION BY {place}) > 1")  # noqa: S608
    index = pa.array(np.unique(numbers.fetchnumpy()["number"]))
    labels = [f"field{number}" for number in range(rows.fields.num_columns)]
    db.register("fields", rows.fields.take(index).rename_columns(labels).append_column("number", index))
    places = f"SELECT {place}, {', '.join(labels)} FROM fields JOIN offered USING (number)"  # noqa: S608
    clash = db.sql(
        f"SELECT {place}, count(*) FROM (SELECT DISTINCT * FROM ({places})) GROUP BY {place} HAVING count(*) > 1 "  # noqa: S608
        "ORDER BY ALL LIMIT 1"
    ).fetchall()
    if clash:
        *key, event, count = clash[0]
        tie = "event" if rows.created is None else "event and created"
        raise BadInput(
            f"{rows.where}: {count} different rows of {dict(zip(rows.keys, key, strict=True))} with one {tie}, "
            f"{np.datetime64(event, 'us')}Z; declare a created column that tells the newer one, or drop the wrong ones"
        )


def _numbers(count: int) -> pa.Array:
    """Number rows from 0."""
    return pa.array(np.arange(count, dtype=np.int64))


def _scatter(found: dict[str, NDArray[np.int64]], count: int) -> Found:
    """Put each request's row at the request's place."""
    row, event = np.full(count, NONE, dtype=np.int64), np.zeros(count, dtype=np.int64)
    row[found["request"]] = found["number"]
    event[found["request"]] = found["event"]
    return Found(row, event)


def _first(error: Exception) -> str:
    """Return the first line of an error."""
    return str(error).splitlines()[0]

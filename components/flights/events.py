"""Build the event rows of each feature view's source, and the requests that features are retrieved for.

One row per event that enters a window, valued at the instant the event became known. `available_at` is that instant
and Feast's timestamp; `event_at` is when the newest event of the row happened. Nothing is written when an event leaves
a window: such a row would make a silent feed look fresh. Events of one key and instant are one row, because an as-of
join would otherwise return a window with only some of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from argosy.features.tables import INSTANT, connect, read_parquet, write_parquet
from components.flights import request
from components.flights.sources import SOURCES

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb

LATE_MIN = 15

_FEEDS = f"""
CREATE TABLE departures AS
SELECT flight_id, origin, dest, carrier, flight, tailnum, dep_at AS event_at, published_at AS available_at,
       dep_delay AS delay, CAST(dep_delay >= {LATE_MIN} AS INTEGER) AS late, sched_arr_at - sched_dep_at AS block
FROM flights WHERE dep_at IS NOT NULL;
CREATE TABLE arrivals AS
SELECT flight_id, origin, dest, carrier, flight, tailnum, arr_at AS event_at, arr_available_at AS available_at,
       arr_delay AS delay, CAST(arr_delay >= {LATE_MIN} AS INTEGER) AS late
FROM flights WHERE arr_at IS NOT NULL;
"""  # noqa: S608 - all text is this module's own


def build_events(*, clean: Path, events: Path) -> dict[str, int]:
    """Write `<source>.parquet` per view source and `requests/part-YYYY-MM.parquet`, and count their rows.

    Args:
        clean: The clean tables of `components.flights.clean`.
        events: Folder to write.

    """
    flights = _with_publication(read_parquet(clean / "flights"))
    with connect() as db:
        db.register("flights", flights)
        db.register("weather", read_parquet(clean / "weather"))
        db.register("planes", read_parquet(clean / "planes.parquet"))
        db.execute(_FEEDS)
        rows = {name: _write_source(db, query, events / f"{name}.parquet") for name, query in SOURCES.items()}
    rows["requests"] = _write_requests(flights, events / "requests")
    return rows


def _with_publication(flights: pa.Table) -> pa.Table:
    """Add when each departure may be known to others: `published_at`, null for a flight that never left."""
    known = pc.fill_null(flights["dep_available_at"], request.NEVER).to_numpy()
    held = request.published_at(known, flights["sched_dep_at"].to_numpy())
    return flights.append_column("published_at", pa.array(held, mask=held == request.NEVER))


def _write_source(db: duckdb.DuckDBPyConnection, query: str, path: Path) -> int:
    """Run a source's query and write its rows with instants as timestamps."""
    table = db.sql(query).to_arrow_table()
    write_parquet(_with_timestamps(table), path)
    return int(table.num_rows)


def _with_timestamps(table: pa.Table) -> pa.Table:
    """Turn the columns named `*_at` and t0 into timestamps."""
    for index, name in enumerate(table.column_names):
        if name == "t0" or name.endswith("_at"):
            table = table.set_column(index, name, table.column(index).cast(INSTANT))
    return table


def _write_requests(flights: pa.Table, folder: Path) -> int:
    """Write one request per flight, cancelled ones too, by New York month of the scheduled departure."""
    table = _with_timestamps(pa.table(_requests(flights)))
    table = table.sort_by([("t0", "ascending"), ("flight_id", "ascending")])
    months = pc.utf8_slice_codeunits(table["day"], 0, 7)
    for month in pc.unique(months).to_pylist():
        write_parquet(table.filter(pc.equal(months, month)), folder / f"part-{month}.parquet")
    return int(table.num_rows)


def _requests(flights: pa.Table) -> dict[str, Any]:
    """Return the columns of the entity frame: identity, label, keys, and the facts of the request itself."""
    t0 = flights["sched_dep_at"].to_numpy()
    published = pc.fill_null(flights["published_at"], request.NEVER).to_numpy()
    at_origin = _codes(flights["origin"])
    at_carrier_origin = _codes(pc.binary_join_element_wise(flights["carrier"], flights["origin"], "-"))
    block = (flights["sched_arr_at"].to_numpy() - t0) // request.MINUTE
    return {
        "flight_id": flights["flight_id"],
        "t0": flights["sched_dep_at"],
        "day": flights["day"],
        "y": pc.cast(pc.greater_equal(flights["arr_delay"], LATE_MIN), pa.int8()),
        "label_at": flights["arr_available_at"],
        **{key: flights[key] for key in ("origin", "dest", "carrier", "flight", "tailnum")},
        **{fact: pc.cast(flights[fact], pa.float32()) for fact in ("minute_of_day", "weekday", "distance")},
        "block_min": block.astype(np.float32),
        "crowd_origin": request.crowds(t0, at_origin).astype(np.float32),
        "crowd_carrier": request.crowds(t0, at_carrier_origin).astype(np.float32),
        "queue_origin": request.queue_lengths(t0, published, at_origin).astype(np.float32),
        "queue_carrier": request.queue_lengths(t0, published, at_carrier_origin).astype(np.float32),
    }


def _codes(column: pa.ChunkedArray) -> Any:
    """Number the distinct values of a column."""
    return column.combine_chunks().dictionary_encode().indices.to_numpy().astype(np.int64)

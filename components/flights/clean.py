"""Validate the raw flights data and write the clean tables.

Times are `timestamp[us, UTC]`. Text is `string`. "Null" says when a value may be missing; everything else never is.
A flight that has no label (cancelled, diverted, lost) has `arr_at`, `arr_available_at` and `arr_delay` null.

`clean/flights/part-YYYY-MM.parquet`, by New York month of the scheduled departure, sorted by (sched_dep_at, flight_id):

| column | type | unit, meaning | null |
|---|---|---|---|
| flight_id | string | `2013-01-31-UA-1545-EWR` (day, carrier, flight, origin); unique | never |
| day | string | `2013-01-31`, New York date of the scheduled departure | never |
| carrier, origin, dest | string | IATA codes | never |
| flight | int32 | flight number | never |
| tailnum | string | the tail that flew; its absence leaks the outcome (all such flights were cancelled) | 0.7 % |
| sched_dep_at, sched_arr_at | timestamp | from the published schedule: known before any departure | never |
| dep_at | timestamp | wheels off the gate | cancelled |
| arr_at | timestamp | at the gate | no label |
| dep_available_at | timestamp | dep_at + 10 min: when a model may know the departure | with dep_at |
| arr_available_at | timestamp | arr_at + 10 min: when a model may know the arrival and the label | with arr_at |
| dep_delay | int32 | minutes, negative = early; known at dep_available_at, never before | with dep_at |
| arr_delay | int32 | minutes, negative = early; known at arr_available_at, never before | with arr_at |
| distance | int32 | miles | never |
| minute_of_day | int16 | 0..1439, New York clock of the scheduled departure | never |
| weekday | int8 | 1 = Monday .. 7 = Sunday, New York | never |

`clean/weather/part-YYYY-MM.parquet`, by New York month of event_at, sorted by (event_at, origin), which is the key:

| column | type | unit | null |
|---|---|---|---|
| origin | string | EWR, JFK, LGA | never |
| event_at | timestamp | start of the hour that the row describes | never |
| available_at | timestamp | event_at + 60 min: the row holds the hour's last report | never |
| temp, dewp | double | degrees Fahrenheit | rarely |
| humid | double | percent | rarely |
| wind_dir | double | degrees; calm or variable wind has none | 2 % |
| wind_speed, wind_gust | double | miles per hour; no gust is null | rarely, 80 % |
| precip | double | inches in the hour | rarely |
| pressure | double | hectopascal at sea level | 10 % |
| visib | double | miles, at most 10 | rarely |

`clean/planes.parquet`, sorted by tailnum: tailnum string, year int32 (null 2 %), manufacturer, model, type,
engine string, engines int32, seats int32.

`clean/airports.parquet`, sorted by faa: faa, name string, lat, lon double, alt int32 (feet), tzone string (IANA zone;
null for 3). It lacks the Puerto Rican and Virgin Islands destinations (SJU, BQN, STT, PSE).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from argosy.arrow import without_pandas
from argosy.validation.findings import Finding, is_rejected, judge
from argosy.validation.parquet import damaged_files, read_folder, write_folder
from components.flights.clock import minute_of_day
from components.flights.ingestion import REFUSED, by_month, read_instant
from components.flights.validation import Checked, check_tables

if TYPE_CHECKING:
    from pathlib import Path


@without_pandas()
def validate(*, raw: Path, as_of: str, clean: Path, quarantine: Path) -> dict[str, Any]:
    """Check the raw tables and write the clean ones; write none if the batch is rejected.

    Args:
        raw: Folder written by `ingest`.
        as_of: UTC instant, ISO 8601; rows from after it are set aside.
        clean: Folder for the clean tables; stays empty on rejection.
        quarantine: Folder for rows set aside, one file per table, with a column `reasons`.

    Returns:
        The verdict with all findings, and the rows of each table in, set aside and out.
    """
    clean.mkdir(parents=True, exist_ok=True)
    quarantine.mkdir(parents=True, exist_ok=True)
    tables, findings = read_raw(raw)
    checked = check_tables(tables, as_of=read_instant(as_of)) if tables else Checked({}, {}, [])
    findings += checked.findings
    write_folder(quarantine, {f"{name}.parquet": part for name, part in checked.aside.items() if part.num_rows})
    written = {} if is_rejected(findings) else checked.sound
    if written:
        write_folder(clean, clean_tables(written))
    return {**judge(findings), "counts": {name: _counts(name, tables, checked.aside, written) for name in tables}}


def _counts(name: str, *stages: dict[str, pa.Table]) -> dict[str, int]:
    rows = [tables[name].num_rows if name in tables else 0 for tables in stages]
    return dict(zip(("raw", "quarantined", "clean"), rows, strict=True))


def read_raw(raw: Path) -> tuple[dict[str, pa.Table], list[Finding]]:
    """Read the raw folder; nothing is read from a refused delivery or a folder with damaged files."""
    refused = raw / REFUSED
    if refused.is_file():
        lines = json.loads(refused.read_text(encoding="utf-8"))
        return {}, [Finding("agreed columns", "raw", "", "REJECT", 0, 0, line) for line in lines]
    damage = damaged_files(raw)
    if damage:
        return {}, [Finding("damaged file", "raw", "", "REJECT", 0, 0, line) for line in damage]
    try:
        return read_folder(raw), []
    except (pa.ArrowInvalid, OSError) as error:
        message = f"cannot be read as Parquet ({error}); deliver the folder again"
        return {}, [Finding("damaged file", "raw", "", "REJECT", 0, 0, message)]


def clean_tables(tables: dict[str, pa.Table]) -> dict[str, pa.Table]:
    """Return the clean tables by file name, in the columns, types and order that this module documents."""
    flights, weather = clean_flights(tables["flights"]), clean_weather(tables["weather"])
    files = {f"flights/part-{month}.parquet": part for month, part in flights}
    files |= {f"weather/part-{month}.parquet": part for month, part in weather}
    planes = tables["planes"].drop_columns(["speed"]).sort_by("tailnum")
    for name in ("year", "engines", "seats"):
        planes = planes.set_column(planes.schema.get_field_index(name), name, planes[name].cast(pa.int32()))
    airports = tables["airports"].select(["faa", "name", "lat", "lon", "alt", "tzone"]).sort_by("faa")
    airports = airports.set_column(4, "alt", airports["alt"].cast(pa.int32()))
    return files | {"planes.parquet": planes, "airports.parquet": airports}


def clean_flights(table: pa.Table) -> list[tuple[str, pa.Table]]:
    """Return the clean flights by month."""
    minute = minute_of_day(table["sched_dep_time"].to_numpy()).astype(np.int16)
    weekday = pc.day_of_week(table["day"].cast(pa.date32()), count_from_zero=False, week_start=1)
    kept = ["flight_id", "day", "carrier", "origin", "dest", "flight", "tailnum", "sched_dep_at", "sched_arr_at"]
    kept += ["dep_at", "arr_at", "dep_available_at", "arr_available_at", "dep_delay", "arr_delay", "distance"]
    columns = {name: table[name].cast(pa.int32()) if table[name].type == pa.int64() else table[name] for name in kept}
    columns |= {"minute_of_day": pa.array(minute), "weekday": weekday.cast(pa.int8())}
    order = [("sched_dep_at", "ascending"), ("flight_id", "ascending")]
    return [(month, part.sort_by(order)) for month, part in by_month(pa.table(columns))]


def clean_weather(table: pa.Table) -> list[tuple[str, pa.Table]]:
    """Return the clean weather by month."""
    kept = ["origin", "event_at", "available_at"]
    kept += ["temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib"]
    order = [("event_at", "ascending"), ("origin", "ascending")]
    return [(month, part.sort_by(order).select(kept)) for month, part in by_month(table)]

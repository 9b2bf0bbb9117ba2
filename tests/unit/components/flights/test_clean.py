from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from components.flights import clean as documented
from components.flights.clean import clean_tables, validate
from components.flights.ingestion import ingest, write_raw
from tests.fakes.flights import raw_tables, real_tables, source_flight, source_plane, source_weather

if TYPE_CHECKING:
    from pathlib import Path

AS_OF = "2014-01-03T00:00:00Z"


def run(raw: Path, out: Path) -> dict:
    return validate(raw=raw, as_of=AS_OF, clean=out / "clean", quarantine=out / "quarantine")


@pytest.fixture(scope="module")
def january(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("january")
    write_raw(folder / "raw", real_tables())
    return folder


def test_a_real_month_is_accepted_and_its_verdict_is_json(january: Path, tmp_path: Path):
    verdict = run(january / "raw", tmp_path)

    assert json.loads(json.dumps(verdict)) == verdict
    assert (verdict["verdict"], verdict["ok"], verdict["reasons"]) == ("accepted", True, [])
    assert verdict["counts"]["flights"] == {"raw": 27004, "quarantined": 0, "clean": 27004}
    assert sorted(path.name for path in (tmp_path / "quarantine").iterdir()) == ["manifest.json"]


def test_the_same_raw_tables_give_the_same_clean_bytes(january: Path, tmp_path: Path):
    run(january / "raw", tmp_path / "one")
    run(january / "raw", tmp_path / "two")

    names = [path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*.*")]
    assert len(names) == 6
    assert all((tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes() for name in names)


def test_clean_tables_have_the_documented_columns_in_order():
    files = clean_tables(real_tables())

    flights, weather = files["flights/part-2013-01.parquet"], files["weather/part-2013-01.parquet"]
    listed = [line.split("|")[1] for line in (documented.__doc__ or "").splitlines() if line.startswith("| ")]
    names = [name.strip() for cell in listed for name in cell.split(",") if name.strip() != "column"]
    assert names == [*flights.column_names, *weather.column_names]


def test_columns_that_only_describe_the_outcome_do_not_reach_the_clean_tables():
    flights = clean_tables(real_tables())["flights/part-2013-01.parquet"]

    assert not {"air_time", "arr_time", "dep_time"} & set(flights.column_names)


def test_clean_flights_are_sorted_by_departure_and_name():
    flights = clean_tables(real_tables())["flights/part-2013-01.parquet"]

    order = [("sched_dep_at", "ascending"), ("flight_id", "ascending")]
    assert flights.equals(flights.sort_by(order))
    assert pc.count_distinct(flights["flight_id"]).as_py() == flights.num_rows


def test_minute_of_day_and_weekday_are_those_of_new_york(tmp_path: Path):
    raw = raw_tables(
        tmp_path,
        flights=[source_flight(sched_dep_time=2130, sched_arr_time=30)],
        weather=[source_weather()],
        planes=[source_plane()],
    )

    flights = clean_tables(raw)["flights/part-2013-01.parquet"]

    # 2 January 2013 was a Wednesday; in UTC the flight leaves on Thursday.
    assert flights["minute_of_day"].to_pylist() == [21 * 60 + 30]
    assert flights["weekday"].to_pylist() == [3]


def test_instants_are_microseconds_in_utc():
    files = clean_tables(real_tables())

    for table in files.values():
        for field in table.schema:
            if pa.types.is_timestamp(field.type):
                assert field.type == pa.timestamp("us", tz="UTC")


def test_rows_set_aside_keep_their_reasons(tmp_path: Path):
    tables = real_tables()
    flights = tables["flights"]
    distance = pa.array([1, 99999, *flights["distance"].to_pylist()[2:]])
    tables["flights"] = flights.set_column(flights.schema.get_field_index("distance"), "distance", distance)
    write_raw(tmp_path / "raw", tables)

    verdict = run(tmp_path / "raw", tmp_path)

    aside = pq.read_table(tmp_path / "quarantine" / "flights.parquet")
    assert verdict["ok"]
    assert verdict["counts"]["flights"] == {"raw": 27004, "quarantined": 2, "clean": 27002}
    assert aside["reasons"].to_pylist() == ["distance is outside 10 .. 5500"] * 2
    assert aside["flight_id"].to_pylist() == flights["flight_id"].to_pylist()[:2]


@pytest.mark.slow
def test_the_real_year_is_accepted_with_what_is_known_about_it(tmp_path: Path):
    ingest(as_of=AS_OF, profile="year", out=tmp_path / "raw")

    verdict = run(tmp_path / "raw", tmp_path)

    assert verdict["ok"]
    assert verdict["counts"]["flights"]["clean"] == 336_776
    assert verdict["counts"]["weather"]["clean"] == 26_115
    found = {(f["check"], f["table"], f["column"]): (f["action"], f["rows"]) for f in verdict["findings"]}
    assert found == {
        ("impossible value", "weather", "wind_speed"): ("NULL", 1),
        ("nulls", "flights", "tailnum"): ("WARN", 2512),
        ("nulls", "flights", "arr_delay"): ("WARN", 9430),
        ("tail in two places", "flights", "tailnum"): ("WARN", 127),
        ("categories", "flights", "dest"): ("WARN", 130),
        ("feed", "weather", ""): ("WARN", 88),
    }
    weather = pq.read_table(tmp_path / "clean" / "weather" / "part-2013-02.parquet")
    assert pc.max(weather["wind_speed"]).as_py() < 150

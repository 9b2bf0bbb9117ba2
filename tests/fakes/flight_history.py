"""Flights as a list of rows, and every feature computed from them by reading the rows, one cell at a time.

Nothing here shares code with the event rows or with retrieval: windows are sums over lists, as-of is a maximum.
"""

from __future__ import annotations

import math
import random
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tests.fakes.features import INSTANT, rows_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

Row = dict[str, Any]

MINUTE = 60_000_000
HOUR = 60 * MINUTE
FIRST_DAY = 1_357_016_400_000_000  # 2013-01-01 in New York

# feature: feed, keys, window in hours, what, at least so many events, TTL in hours
WINDOWS = {
    "origin_dep_delay": ("dep", ("origin",), 2, "delay", 1, 2),
    "origin_dep_count": ("dep", ("origin",), 2, "count", 1, 2),
    "carrier_origin_dep_delay": ("dep", ("carrier", "origin"), 3, "delay", 1, 2),
    "origin_arr_delay": ("arr", ("origin",), 3, "delay", 1, 3),
    "origin_arr_late": ("arr", ("origin",), 3, "late", 1, 3),
    "dest_arr_delay": ("arr", ("dest",), 6, "delay", 1, 6),
    "dest_arr_count": ("arr", ("dest",), 6, "count", 1, 6),
    "carrier_late_24h": ("arr", ("carrier",), 24, "late", 1, 48),
    "carrier_late_7d": ("arr", ("carrier",), 7 * 24, "late", 1, 48),
    "route_late_14d": ("arr", ("origin", "dest"), 14 * 24, "late", 5, 48),
    "flight_late_28d": ("arr", ("carrier", "flight"), 28 * 24, "late", 3, 7 * 24),
}
AGES = {
    "origin_dep_age_s": ("dep", ("origin",), 2),
    "carrier_origin_dep_age_s": ("dep", ("carrier", "origin"), 2),
    "origin_arr_age_s": ("arr", ("origin",), 3),
    "dest_arr_age_s": ("arr", ("dest",), 6),
    "carrier_arr_age_s": ("arr", ("carrier",), 48),
    "route_age_s": ("arr", ("origin", "dest"), 48),
    "flight_number_age_s": ("arr", ("carrier", "flight"), 7 * 24),
    "tail_departure_age_s": ("dep", ("tailnum",), 24),
    "tail_arrival_age_s": ("arr", ("tailnum",), 24),
}
WEATHER = ("temp", "dewp", "humid", "wind_speed", "wind_gust", "precip", "pressure", "visib")
TAIL = ("tail_dep_delay", "tail_arr_delay", "slack_min", "tail_same_dest")
REQUEST = ("block_min", "crowd_origin", "crowd_carrier", "queue_origin", "queue_carrier")


class History:
    """The rows of the clean tables, and features read off them."""

    def __init__(self, clean: Path) -> None:
        self.flights = [row for file in sorted((clean / "flights").iterdir()) for row in rows_of(file)]
        self.weather = defaultdict(list)
        for file in sorted((clean / "weather").iterdir()):
            for row in rows_of(file):
                self.weather[row["origin"]].append(row)
        self._index: dict[Any, dict[Any, list[Row]]] = {}

    def features(self) -> dict[str, Callable[[Row], float | None]]:
        """Return a function from a flight to its value, per feature."""
        cells: dict[str, Callable[[Row], float | None]] = {}
        cells |= {name: lambda f, s=spec: self._window(f, *s) for name, spec in WINDOWS.items()}
        cells |= {name: lambda f, s=spec: self._age(f, *s) for name, spec in AGES.items()}
        cells |= {name: lambda f, n=name: self._weather(f, n) for name in (*WEATHER, *_DERIVED)}
        cells |= {name: lambda f, n=name: self._tail(f, n) for name in TAIL}
        cells |= {name: lambda f, n=name: self._request(f, n) for name in REQUEST}
        return cells

    def _events(self, feed: str, keys: tuple[str, ...], flight: Row) -> list[Row]:
        """List the events of a flight's key that are known at its scheduled departure."""
        if (feed, keys) not in self._index:
            index = self._index[feed, keys] = defaultdict(list)
            for row in self.flights:
                if row[f"{feed}_at"] is not None:
                    known = row["arr_available_at"] if feed == "arr" else departure_known_at(row)
                    event = {"row": row, "known": known, "at": row[f"{feed}_at"], "delay": row[f"{feed}_delay"]}
                    index[tuple(row[key] for key in keys)].append(event)
        mine = tuple(flight[key] for key in keys)
        found = [] if None in mine else self._index[feed, keys][mine]
        return [event for event in found if event["known"] <= flight["sched_dep_at"]]

    def _age(self, flight: Row, feed: str, keys: tuple[str, ...], ttl_h: float) -> float | None:
        """Return the age of the newest known event, None beyond the TTL."""
        known = [event["known"] for event in self._events(feed, keys, flight)]
        age = flight["sched_dep_at"] - max(known) if known else math.inf
        return age / 1e6 if age <= ttl_h * HOUR else None

    def _window(
        self, flight: Row, feed: str, keys: tuple[str, ...], hours: int, what: str, least: int, ttl_h: int
    ) -> float | None:
        """Value a window as of the newest known event."""
        if self._age(flight, feed, keys, ttl_h) is None:
            return None
        events = self._events(feed, keys, flight)
        newest = max(event["known"] for event in events)
        delays = [event["delay"] for event in events if newest - hours * HOUR < event["known"] <= newest]
        if what == "count":
            return len(delays)
        values = delays if what == "delay" else [int(delay >= 15) for delay in delays]
        return sum(values) / len(values) if len(values) >= least else None

    def _weather(self, flight: Row, name: str) -> float | None:
        """Return the newest known hour's value, None beyond two hours."""
        t0 = flight["sched_dep_at"]
        known = [row for row in self.weather[flight["origin"]] if row["available_at"] <= t0]
        if not known or t0 - max(row["available_at"] for row in known) > 2 * HOUR:
            return None
        last = max(known, key=lambda row: row["available_at"])
        return _DERIVED[name](last, known, t0) if name in _DERIVED else last[name]

    def _tail(self, flight: Row, name: str) -> float | None:
        """Return what the aircraft's last known leg from New York says."""
        feed = "arr" if name == "tail_arr_delay" else "dep"
        if self._age(flight, feed, ("tailnum",), 24) is None:
            return None
        events = self._events(feed, ("tailnum",), flight)
        last = min(events, key=lambda e: (-e["known"], -e["at"], e["row"]["flight_id"]))
        leg = last["row"]
        if name == "tail_same_dest":
            return float(leg["dest"] == flight["dest"])
        if name == "slack_min":
            block = leg["sched_arr_at"] - leg["sched_dep_at"]
            return (flight["sched_dep_at"] - (leg["dep_at"] + 2 * block + HOUR)) / MINUTE
        return float(last["delay"])

    def _request(self, flight: Row, name: str) -> float | None:
        """Return what the schedule says at the scheduled departure."""
        t0 = flight["sched_dep_at"]
        if name == "block_min":
            return (flight["sched_arr_at"] - t0) / MINUTE
        mine = [row for row in self.flights if row["origin"] == flight["origin"]]
        if name.endswith("carrier"):
            mine = [row for row in mine if row["carrier"] == flight["carrier"]]
        if name.startswith("crowd"):
            return len([row for row in mine if abs(row["sched_dep_at"] - t0) <= 30 * MINUTE])
        if self._age(flight, "dep", ("origin",), 2) is None:
            return None
        due = [row for row in mine if t0 - 3 * HOUR <= row["sched_dep_at"] < t0]
        return len([row for row in due if departure_known_at(row) > t0])


_DERIVED = {
    "weather_age_s": lambda last, _, t0: (t0 - last["available_at"]) / 1e6,
    "wind_dir_sin": lambda last, *_: None if last["wind_dir"] is None else math.sin(math.radians(last["wind_dir"])),
    "wind_dir_cos": lambda last, *_: None if last["wind_dir"] is None else math.cos(math.radians(last["wind_dir"])),
    "precip_3h": lambda last, known, _: _sum(
        row["precip"] for row in known if row["available_at"] > last["available_at"] - 3 * HOUR
    ),
}


def departure_known_at(flight: Row) -> float:
    """Say when a departure is published: never before its scheduled departure has passed."""
    known = flight["dep_available_at"]
    return math.inf if known is None else max(known, flight["sched_dep_at"] + MINUTE)


def same(found: float | None, expected: float | None) -> bool:
    """Compare a cell with a value of double precision."""
    if found is None or expected is None:
        return found is expected
    return found == float(np.float32(expected)) or math.isclose(found, expected, rel_tol=1e-6, abs_tol=1e-6)


def a_flight(**changes: Any) -> Row:
    """Return a clean flight: UA 1 from EWR to IAH, scheduled at 08:00 on 1 January, 4 h long, on time."""
    sched = changes.get("sched_dep_at", FIRST_DAY + 8 * HOUR)
    row = {
        "flight_id": "f1", "day": "2013-01-01", "carrier": "UA", "origin": "EWR", "dest": "IAH", "flight": 1,
        "tailnum": "N1", "sched_dep_at": sched, "sched_arr_at": sched + 4 * HOUR, "dep_delay": 0, "arr_delay": 0,
        "distance": 1400, "minute_of_day": 480, "weekday": 2,
    } | changes  # fmt: skip
    for feed in ("dep", "arr"):
        delay = row[f"{feed}_delay"]
        at = None if delay is None else row[f"sched_{feed}_at"] + delay * MINUTE
        row |= {f"{feed}_at": at, f"{feed}_available_at": at and at + 10 * MINUTE}
    return row


def random_flights(seed: int, count: int) -> list[Row]:
    """Return flights of three crowded days, with early departures, cancellations, lost flights and shared instants."""
    rng = random.Random(seed)
    flights = []
    for number in range(count):
        day = rng.randrange(3)
        dep_delay = rng.choice([None, -45, -20, -11, -10, -9, 0, 5, 15, 30, 190])
        arr_delay = None if dep_delay is None or rng.random() < 0.05 else dep_delay + rng.choice([-10, 0, 14, 15, 40])
        flights.append(
            a_flight(
                flight_id=f"f{number:04}",
                day=f"2013-01-{day + 1:02}",
                carrier=rng.choice(["UA", "AA"]),
                origin=rng.choice(["EWR", "JFK"]),
                dest=rng.choice(["IAH", "LAX"]),
                flight=rng.randrange(1, 6),
                tailnum=None if dep_delay is None else f"N{rng.randrange(8)}",
                sched_dep_at=FIRST_DAY + day * 24 * HOUR + rng.randrange(6 * 60, 22 * 60, 10) * MINUTE,
                dep_delay=dep_delay,
                arr_delay=arr_delay,
            )
        )
    return flights


def hourly_weather(hours: int) -> list[Row]:
    """Return hourly weather of two airports with a gap of five hours."""
    rows = []
    for hour in (hour for hour in range(hours) if hour not in range(30, 35)):
        event_at = FIRST_DAY + hour * HOUR
        for shift, origin in enumerate(("EWR", "JFK")):
            values = {name: float(hour % 7 + shift) for name in WEATHER} | {"precip": hour % 5 / 100}
            wind = {"wind_gust": None, "wind_dir": None if hour % 4 == 0 else 10.0 * hour}
            rows.append({"origin": origin, "event_at": event_at, "available_at": event_at + HOUR, **values, **wind})
    return rows


def write_clean(folder: Path, flights: Iterable[Row], weather: Iterable[Row]) -> Path:
    """Write clean tables of these rows, with a register of two aircraft."""
    planes = [
        {"tailnum": f"N{n}", "year": 2000 + n, "manufacturer": "BOEING", "seats": 100, "engines": 2} for n in range(2)
    ]
    _write(
        folder / "flights" / "part-2013-01.parquet", sorted(flights, key=lambda f: (f["sched_dep_at"], f["flight_id"]))
    )
    _write(folder / "weather" / "part-2013-01.parquet", sorted(weather, key=lambda w: (w["event_at"], w["origin"])))
    _write(folder / "planes.parquet", planes)
    return folder


def blank_after(flights: Iterable[Row], weather: Iterable[Row], instant: int) -> tuple[list[Row], list[Row]]:
    """Return the rows with all that became known after an instant taken out."""
    known = []
    for row in flights:
        kept = dict(row)
        for feed in ("dep", "arr"):
            if (row[f"{feed}_available_at"] or 0) > instant:
                kept |= {f"{feed}_at": None, f"{feed}_available_at": None, f"{feed}_delay": None}
        known.append(kept)
    return known, [row for row in weather if row["available_at"] <= instant]


def _write(path: Path, rows: list[Row]) -> None:
    """Write rows with the types of the clean tables."""
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = {name: _column(name, [row[name] for row in rows]) for name in rows[0]}
    pq.write_table(pa.table(columns), path)


def _column(name: str, values: list[Any]) -> pa.Array:
    """Give a column its clean type."""
    if name.endswith("_at"):
        return pa.array(values, pa.int64()).cast(INSTANT)
    whole = all(value is None or isinstance(value, int) for value in values)
    text = name == "tailnum" or any(isinstance(value, str) for value in values)
    return pa.array(values, pa.string() if text else pa.int32() if whole and name not in WEATHER else pa.float64())


def _sum(values: Iterable[float | None]) -> float | None:
    """Add up what is not missing; nothing gives nothing."""
    present = [value for value in values if value is not None]
    return sum(present) if present else None

"""The queries behind the feature views' sources, over the feeds `departures` and `arrivals` and the clean tables.

Times are int64 microseconds. A window is (t - W, t] on availability; delays are whole minutes, so that sums are exact
in any order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

HOUR = 3_600_000_000
LATE_MIN = 15

# The plane registry is a snapshot without dates; it counts as known before the first flight of the data.
REGISTRY_AT = 1_356_998_400_000_000
# Makers of fewer planes are one category, so that a model does not learn single aircraft.
MAKER_PLANES = 20


@dataclass(frozen=True)
class Window:
    """A feature of the events that became known in the last hours.

    Args:
        what: `delay` is their mean delay in minutes, `late` the share that was late, `count` their number.
        hours: Length of the window.
        at_least: Below so many events a mean or share is null.

    """

    what: Literal["delay", "late", "count"]
    hours: int
    at_least: int = 1

    def value(self) -> str:
        """Write the feature's SQL over the named window."""
        number = f"sum(count) OVER last_{self.hours}h"
        if self.what == "count":
            return f"CAST({number} AS FLOAT)"
        share = f"CAST(sum({self.what}) OVER last_{self.hours}h AS DOUBLE) / {number}"
        return f"CAST(CASE WHEN {number} >= {self.at_least} THEN {share} END AS FLOAT)"


def _windows(feed: str, *keys: str, **features: Window) -> str:
    """Value windows over a feed at each of its events, one row per key and instant."""
    names = ", ".join(keys)
    columns = ", ".join(f"{window.value()} AS {name}" for name, window in features.items())
    spans = ", ".join(
        f"last_{hours}h AS (PARTITION BY {names} ORDER BY available_at RANGE {hours * HOUR - 1} PRECEDING)"
        for hours in sorted({window.hours for window in features.values()})
    )
    return f"""
        WITH instants AS (
            SELECT {names}, available_at, max(event_at) AS event_at,
                   count(*) AS count, sum(delay) AS delay, sum(late) AS late
            FROM {feed} GROUP BY {names}, available_at
        )
        SELECT {names}, event_at, available_at, {columns} FROM instants WINDOW {spans} ORDER BY {names}, available_at
    """  # noqa: S608 - all text is this module's own


def _latest(feed: str, key: str, **features: str) -> str:
    """Describe each event of a key by itself; of several at one instant, the one that happened last."""
    columns = ", ".join(f"{text} AS {name}" for name, text in features.items())
    return f"""
        SELECT {key}, event_at, available_at, {columns} FROM {feed} WHERE {key} IS NOT NULL
        QUALIFY row_number() OVER (PARTITION BY {key}, available_at ORDER BY event_at DESC, flight_id) = 1
        ORDER BY {key}, available_at
    """  # noqa: S608 - all text is this module's own


_READINGS = ", ".join(
    f"CAST({name} AS FLOAT) AS {name}"
    for name in ("temp", "dewp", "humid", "wind_speed", "wind_gust", "precip", "pressure", "visib")
)
_WEATHER = f"""
    SELECT origin, event_at, available_at,
           {_READINGS},
           CAST(sin(radians(wind_dir)) AS FLOAT) AS wind_dir_sin,
           CAST(cos(radians(wind_dir)) AS FLOAT) AS wind_dir_cos,
           CAST(sum(CAST(round(precip * 100) AS BIGINT)) OVER (
               PARTITION BY origin ORDER BY available_at RANGE {3 * HOUR - 1} PRECEDING
           ) / 100.0 AS FLOAT) AS precip_3h
    FROM weather ORDER BY origin, available_at
"""  # noqa: S608 - all text is this module's own

_PLANES = f"""
    SELECT tailnum, CAST({REGISTRY_AT} AS BIGINT) AS event_at, CAST({REGISTRY_AT} AS BIGINT) AS available_at,
           CAST(year AS FLOAT) AS plane_year, CAST(seats AS FLOAT) AS plane_seats,
           CAST(engines AS FLOAT) AS plane_engines,
           CASE WHEN count(*) OVER (PARTITION BY manufacturer) >= {MAKER_PLANES} THEN manufacturer ELSE 'OTHER' END
               AS plane_maker
    FROM planes ORDER BY tailnum
"""  # noqa: S608 - all text is this module's own

SOURCES = {
    "weather": _WEATHER,
    "origin_dep": _windows(
        "departures", "origin", origin_dep_delay=Window("delay", 2), origin_dep_count=Window("count", 2)
    ),
    "carrier_origin_dep": _windows("departures", "carrier", "origin", carrier_origin_dep_delay=Window("delay", 3)),
    "origin_arr": _windows(
        "arrivals", "origin", origin_arr_delay=Window("delay", 3), origin_arr_late=Window("late", 3)
    ),
    "dest_arr": _windows("arrivals", "dest", dest_arr_delay=Window("delay", 6), dest_arr_count=Window("count", 6)),
    "carrier_arr": _windows(
        "arrivals", "carrier", carrier_late_24h=Window("late", 24), carrier_late_7d=Window("late", 7 * 24)
    ),
    "route": _windows("arrivals", "origin", "dest", route_late_14d=Window("late", 14 * 24, at_least=5)),
    "flight_number": _windows("arrivals", "carrier", "flight", flight_late_28d=Window("late", 28 * 24, at_least=3)),
    "tail_departure": _latest(
        "departures",
        "tailnum",
        tail_dep_delay="CAST(delay AS FLOAT)",
        tail_dest="dest",
        ready_at=f"event_at + 2 * block + {HOUR}",
    ),
    "tail_arrival": _latest("arrivals", "tailnum", tail_arr_delay="CAST(delay AS FLOAT)"),
    "planes": _PLANES,
}

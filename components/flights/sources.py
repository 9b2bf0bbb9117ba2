"""The queries behind the feature views' sources, over the feeds `departures` and `arrivals` and the clean tables.

Times are int64 microseconds. A window is (t - W, t] on availability; delays are whole minutes, so that sums are exact
in any order.
"""

from __future__ import annotations

HOUR = 3_600_000_000
LATE_MIN = 15

# The plane registry is a snapshot without dates; it counts as known before the first flight of the data.
REGISTRY_AT = 1_356_998_400_000_000
# Makers of fewer planes are one category, so that a model does not learn single aircraft.
MAKER_PLANES = 20


def _mean(total: str, hours: int, *, at_least: int = 1) -> str:
    """Average a total over the events of the last hours; null below `at_least` events."""
    window = f"(PARTITION BY %(keys)s ORDER BY available_at RANGE BETWEEN {hours * HOUR - 1} PRECEDING AND CURRENT ROW)"
    share = f"CAST(sum({total}) OVER {window} AS DOUBLE) / sum(n) OVER {window}"
    return f"CAST(CASE WHEN sum(n) OVER {window} >= {at_least} THEN {share} END AS FLOAT)"


def _count(hours: int) -> str:
    """Count the events of the last hours."""
    window = f"(PARTITION BY %(keys)s ORDER BY available_at RANGE BETWEEN {hours * HOUR - 1} PRECEDING AND CURRENT ROW)"
    return f"CAST(sum(n) OVER {window} AS FLOAT)"


def _windows(feed: str, *keys: str, **features: str) -> str:
    """Value windows over a feed at each of its events, one row per key and instant."""
    names = ", ".join(keys)
    columns = ", ".join(f"{text % {'keys': names}} AS {name}" for name, text in features.items())
    return f"""
        WITH instants AS (
            SELECT {names}, available_at, max(event_at) AS event_at,
                   count(*) AS n, sum(delay) AS delay, sum(late) AS late
            FROM {feed} GROUP BY {names}, available_at
        )
        SELECT {names}, event_at, available_at, {columns} FROM instants ORDER BY {names}, available_at
    """  # noqa: S608 - all text is this module's own


def _latest(feed: str, key: str, **features: str) -> str:
    """Describe each event of a key by itself; of several at one instant, the one that happened last."""
    columns = ", ".join(f"{text} AS {name}" for name, text in features.items())
    return f"""
        SELECT {key}, event_at, available_at, {columns} FROM {feed} WHERE {key} IS NOT NULL
        QUALIFY row_number() OVER (PARTITION BY {key}, available_at ORDER BY event_at DESC, flight_id) = 1
        ORDER BY {key}, available_at
    """  # noqa: S608 - all text is this module's own


_WEATHER = f"""
    SELECT origin, event_at, available_at,
           {
    ", ".join(
        f"CAST({name} AS FLOAT) AS {name}"
        for name in ("temp", "dewp", "humid", "wind_speed", "wind_gust", "precip", "pressure", "visib")
    )
},
           CAST(sin(radians(wind_dir)) AS FLOAT) AS wind_dir_sin,
           CAST(cos(radians(wind_dir)) AS FLOAT) AS wind_dir_cos,
           CAST(sum(CAST(round(precip * 100) AS BIGINT)) OVER (
               PARTITION BY origin ORDER BY available_at RANGE BETWEEN {3 * HOUR - 1} PRECEDING AND CURRENT ROW
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
    "origin_dep": _windows("departures", "origin", origin_dep_delay=_mean("delay", 2), origin_dep_count=_count(2)),
    "carrier_origin_dep": _windows(
        "departures",
        "carrier",
        "origin",
        carrier_origin_dep_delay=_mean("delay", 3),
    ),
    "origin_arr": _windows("arrivals", "origin", origin_arr_delay=_mean("delay", 3), origin_arr_late=_mean("late", 3)),
    "dest_arr": _windows("arrivals", "dest", dest_arr_delay=_mean("delay", 6), dest_arr_count=_count(6)),
    "carrier_arr": _windows(
        "arrivals", "carrier", carrier_late_24h=_mean("late", 24), carrier_late_7d=_mean("late", 7 * 24)
    ),
    "route": _windows("arrivals", "origin", "dest", route_late_14d=_mean("late", 14 * 24, at_least=5)),
    "flight_number": _windows("arrivals", "carrier", "flight", flight_late_28d=_mean("late", 28 * 24, at_least=3)),
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

"""The SQL of retrieval, written from the compiled rules.

Tables: `requests` (with its row number), `offered` (a view's source), and per view a result of one row per request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from argosy.features.rules import IDENTITY, UNITS_US, RequestFeature, Rules, View, ViewFeature
from argosy.features.tables import quote

if TYPE_CHECKING:
    from collections.abc import Iterable

ROW, PART, AGE, STATUS, KNOWN = "__row", "__part", "__age", "__status", "__known"
USABLE = ("PRESENT", "NULL_VALUE")
QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "max": 1.0}


def result_of(view: View) -> str:
    """Name the table of a view's result."""
    return quote(f"result of {view.name}")


def load_requests(rules: Rules, columns: Iterable[str], *, part: str, before: int, first: bool) -> str:
    """Append a part's requests in the order of time and id, numbered after the rows before them."""
    into = "CREATE TABLE requests AS" if first else "INSERT INTO requests BY NAME"
    label = part.replace("'", "''")
    # Numbered as they come: a window with an order of its own would sort them a second time.
    return f"""
        {into} SELECT *, '{label}' AS {PART}, {before} + row_number() OVER () AS {ROW}
        FROM (SELECT {_names(columns)} FROM asked ORDER BY t0, {quote(rules.id)})
    """  # noqa: S608 - identifiers and text are quoted


def repeated_request(rules: Rules) -> str:
    """Find an id that stands more than once."""
    return f"SELECT {quote(rules.id)}, count(*) FROM requests GROUP BY ALL HAVING count(*) > 1 ORDER BY ALL LIMIT 1"  # noqa: S608


def other_requests(rules: Rules) -> str:
    """Count the requests, the rows of the frame `made`, and those of the frame that are for another request."""
    same = f"r.{quote(rules.id)} IS NOT DISTINCT FROM m.{quote(rules.id)}"
    return f"""
        SELECT count(r.{ROW}), (SELECT count(*) FROM made), count(*) FILTER (NOT ({same}))
        FROM requests r POSITIONAL JOIN made m
    """  # noqa: S608 - identifiers are quoted


def identity(view: View) -> list[str]:
    """Name the columns that tell a view's rows apart."""
    created = [view.created] if view.created and view.availability == "created" else []
    return [*view.keys, view.timestamp, *created]


def repeated_rows(view: View, rows: str) -> str:
    """Find a key and instant with more than one row."""
    keys = _names(identity(view))
    return f"SELECT {keys}, count(*) FROM {rows} GROUP BY ALL HAVING count(*) > 1 ORDER BY ALL LIMIT 1"  # noqa: S608


def newest_rows(view: View) -> str:
    """Keep, of several rows of one key and instant, the newest created; equal rows become one.

    Where rows are available as they are created, an earlier one of an instant counts until the later one comes: of
    these only equal rows become one.
    """
    keys = _names((*view.keys, view.timestamp))
    columns = _names((*identity(view), *(feature.field for feature in view.features)))
    distinct = f"SELECT DISTINCT {columns} FROM offered"  # noqa: S608
    if view.created is None or view.availability == "created":
        return distinct
    return f"{distinct} QUALIFY rank() OVER (PARTITION BY {keys} ORDER BY {quote(view.created)} DESC NULLS LAST) = 1"


def known_rows(view: View, rows: str, *, lag_us: int = 0) -> str:
    """Add to each row the instant from which on it counts.

    Where rows are available as they are created, one that comes after a newer one never counts: it is left out. What
    is left of a key is newer by (event, created) the later it is known, as an as-of join needs it.

    Args:
        view: The view.
        rows: A query for its rows, one per key and instant.
        lag_us: How long after its timestamp a row reaches a store at the earliest, microseconds.

    """
    event = quote(view.timestamp)
    after = lag_us if view.availability == "created" else max(lag_us, view.availability)
    known = f"{event} + {after}" if after else event
    if view.availability != "created":
        return f"SELECT *, {known} AS {KNOWN} FROM ({rows})"  # noqa: S608 - identifiers are quoted
    created = quote(view.created or "")
    keys, newest = _names(view.keys), f"row({event}, {created})"
    return f"""
        SELECT *, greatest({known}, {created}) AS {KNOWN} FROM ({rows})
        WHERE {event} IS NOT NULL AND {created} IS NOT NULL
        QUALIFY {newest} = max({newest}) OVER (PARTITION BY {keys} ORDER BY {KNOWN})
    """  # noqa: S608 - identifiers are quoted


def as_of_join(view: View, rows: str) -> str:
    """Join to each request the newest of the view's rows that counts by then, and value it under the TTL."""
    event = f"e.{quote(view.timestamp)}"
    alive = "TRUE" if view.ttl_us is None else f"r.t0 - {event} <= {view.ttl_us}"
    values = ", ".join(f"CASE WHEN {alive} THEN {_value(f)} END AS {quote(f.name)}" for f in view.features)
    empty = " AND ".join(f"e.{quote(feature.field)} IS NULL" for feature in view.features)
    return f"""
        CREATE TABLE {result_of(view)} AS
        SELECT r.{ROW}, r.t0 - {event} AS {AGE},
               CASE WHEN {event} IS NULL THEN 'NOT_FOUND'
                    WHEN NOT ({alive}) THEN 'OUTSIDE_MAX_AGE'
                    WHEN {empty} THEN 'NULL_VALUE'
                    ELSE 'PRESENT' END AS {STATUS},
               {values}
        FROM {asof(view, known_rows(view, rows))}
        ORDER BY r.{ROW}
    """  # noqa: S608 - identifiers are quoted


def asof(view: View, known: str) -> str:
    """Join to each request `r` the row `e` of its keys that was known last."""
    on = " AND ".join(f"r.{quote(key)} = e.{quote(key)}" for key in view.keys)
    return f"requests r ASOF LEFT JOIN ({known}) e ON {on} AND r.t0 >= e.{KNOWN}"


def ages(view: View, *, lag_us: int) -> str:
    """List, ascending, the age of the row that counts for each request which finds one, were rows so much later."""
    rows = f"SELECT DISTINCT {_names(identity(view))} FROM offered"  # noqa: S608 - identifiers are quoted
    age = f"r.t0 - e.{quote(view.timestamp)}"
    joined = asof(view, known_rows(view, rows, lag_us=lag_us))
    return f"SELECT {age} AS {AGE} FROM {joined} WHERE {age} IS NOT NULL ORDER BY {AGE}"  # noqa: S608


def newest_instant(view: View) -> str:
    """Find the newest timestamp of what is offered."""
    return f"SELECT max({quote(view.timestamp)}) FROM offered"  # noqa: S608 - identifiers are quoted


def beyond(field: str, most: int) -> str:
    """Count the rows whose whole number lies beyond a limit, on either side, and give one."""
    outside = f"{quote(field)} NOT BETWEEN {-most} AND {most}"
    return f"SELECT count(*), max({quote(field)}) FROM offered WHERE {outside}"  # noqa: S608 - identifiers are quoted


def rows_out_of_place(view: View) -> str:
    """Count the result's rows, and those that do not stand beside their request."""
    return f"""
        SELECT count(v.{ROW}), count(*) FILTER (r.{ROW} IS DISTINCT FROM v.{ROW})
        FROM requests r POSITIONAL JOIN {result_of(view)} v
    """  # noqa: S608 - identifiers are quoted


def frame(rules: Rules) -> str:
    """Put identity, features, statuses and ages beside each other, columns in the order of the rules."""
    columns = [f"r.{quote(name)}" for name in (rules.id, *IDENTITY)]
    columns += [_brought(feature, rules) for feature in rules.request]
    for view in rules.views:
        columns += [f"{result_of(view)}.{quote(feature.name)}" for feature in view.features]
        columns += [_age_feature(view)] if view.age_feature else []
    for view in rules.views:
        columns += [f"{result_of(view)}.{STATUS} AS {quote(view.name + '__status')}"]
        columns += [f"{_seconds(view)} AS {quote(view.name + '__age_s')}"]
    beside = " ".join(f"POSITIONAL JOIN {result_of(view)}" for view in rules.views)
    return f"SELECT {', '.join(columns)} FROM requests r {beside}"  # noqa: S608


def coverage(view: View) -> str:
    """Count requests per part and status."""
    return f"""
        SELECT r.{PART}, v.{STATUS}, count(*) FROM requests r POSITIONAL JOIN {result_of(view)} v
        GROUP BY ALL ORDER BY ALL
    """  # noqa: S608 - identifiers are quoted


def age_quantiles(view: View, quantiles: Iterable[float]) -> str:
    """Take quantiles of the age of what was found, expired rows included, in seconds."""
    wanted = ", ".join(f"quantile_disc({AGE}, {q}) / 1e6" for q in quantiles)
    return f"SELECT {wanted} FROM {result_of(view)} WHERE {AGE} IS NOT NULL"  # noqa: S608


def _value(feature: ViewFeature) -> str:
    """Write one feature of a row `e` for a request `r`."""
    field = f"e.{quote(feature.field)}"
    if feature.since:
        # An online store holds whole seconds of an instant, so only they count here.
        field = f"{field} // {UNITS_US['s']} * {UNITS_US['s']}"
        return f"CAST(CAST(r.t0 - {field} AS DOUBLE) / {UNITS_US[feature.since]} AS FLOAT)"
    if feature.equals:
        return f"CAST({field} = r.{quote(feature.equals)} AS FLOAT)"
    return f"CAST({field} AS {_sql_type(feature)})"


def _brought(feature: RequestFeature, rules: Rules) -> str:
    """Write one feature that the request brings, null where its view's row is not usable."""
    value = f"CAST(r.{quote(feature.name)} AS {_sql_type(feature)})"
    if feature.expires_with:
        view = next(view for view in rules.views if view.name == feature.expires_with)
        value = f"CASE WHEN {result_of(view)}.{STATUS} IN {USABLE!r} THEN {value} END"
    return f"{value} AS {quote(feature.name)}"


def _age_feature(view: View) -> str:
    """Write the age as a feature: null with its row, so it never exceeds the TTL."""
    usable = f"{result_of(view)}.{STATUS} IN {USABLE!r}"
    return f"CASE WHEN {usable} THEN {_seconds(view)} END AS {quote(view.age_feature or '')}"


def _seconds(view: View) -> str:
    """Write a view's age in seconds."""
    return f"CAST({result_of(view)}.{AGE} / 1e6 AS FLOAT)"


def _sql_type(feature: ViewFeature | RequestFeature) -> str:
    """Name the type of a feature's column."""
    return "FLOAT" if feature.type == "number" else "VARCHAR"


def _names(names: Iterable[str]) -> str:
    """Quote and join identifiers, each once."""
    return ", ".join(quote(name) for name in dict.fromkeys(names))

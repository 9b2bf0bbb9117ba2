"""The SQL of the replay: which row a request may have been served from, and where what was served differs.

A row that became known less than the serving lag before T may have been missing online. So the served row is expected
to be one of those that were newest at some instant of [T - lag, T]; a request that was served another is compared with
the newest at T.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from argosy.features.offline import queries
from argosy.features.offline.queries import KNOWN, ROW
from argosy.features.replay.logged import EVENT, SERVED, STATUS
from argosy.features.tables import quote

if TYPE_CHECKING:
    from argosy.features.rules import Rules, View

STALE, LATE, UNKNOWN, VALUE, OTHER_STATUS = "stale row", "late data", "unknown row", "value", "status"
# Of requests by key few see the newest rows of a feed; so many lags after T are looked at, too.
SOON = 4
QUARTER_US = 900_000_000
WIDEST_SHIFT_US = 14 * 4 * QUARTER_US


def trail_of(view: View) -> str:
    """Name the table of a view's rows: what was served, what could be, and how they differ."""
    return quote(f"trail of {view.name}")


def trail(view: View, rows: str, lag_us: int) -> str:
    """Find the newest row at T and at T - lag, whether the served row is known, and the row to expect.

    `front` is the newest event of the view that any request saw until soon after T: where it is newer than a row that
    a request missed, the feed went on without that row.

    Args:
        view: The view.
        rows: A query for its rows, one per key and instant.
        lag_us: How long after its event a row may reach the online store.

    """
    event, known = quote(view.timestamp), queries.known_rows(view, rows)
    late = queries.known_rows(view, rows, lag_us=lag_us)
    forgotten = "" if view.forgets_us is None else f" OR t0 - least > {view.forgets_us}"
    served, on = f"s.{quote(EVENT + view.name)}", _on(view)
    # Of several rows of one instant, which differ by created alone, any makes the instant known.
    names = ", ".join(quote(name) for name in (*view.keys, view.timestamp))
    instants = f"(SELECT DISTINCT {names} FROM ({rows}))"  # noqa: S608 - identifiers are quoted
    return f"""
        CREATE TABLE {trail_of(view)} AS
        WITH newest AS (SELECT r.{ROW}, e.{event} AS event FROM {queries.asof(view, known)}),
             least AS (SELECT r.{ROW}, e.{event} AS event FROM {queries.asof(view, late)}),
             found AS (
                 SELECT r.{ROW}, r.t0, {served} AS served, s.{quote(STATUS + view.name)} AS status,
                        newest.event AS newest, least.event AS least, e.{event} IS NOT NULL AS known
                 FROM requests r POSITIONAL JOIN served s
                 JOIN newest ON newest.{ROW} = r.{ROW} JOIN least ON least.{ROW} = r.{ROW}
                 LEFT JOIN {instants} e ON {on} AND e.{event} = {served}
             ),
             judged AS (
                 SELECT *, CASE WHEN served IS NULL THEN least IS NULL{forgotten}
                                ELSE known AND (least IS NULL OR served >= least) AND served <= newest END AS possible
                 FROM found
             )
        SELECT *, CASE WHEN possible THEN served ELSE newest END AS expected,
               max(served) OVER (ORDER BY t0 RANGE BETWEEN UNBOUNDED PRECEDING AND {SOON * lag_us} FOLLOWING) AS front
        FROM judged ORDER BY {ROW}
    """  # noqa: S608 - identifiers are quoted


def expected_rows(view: View, rows: str) -> str:
    """Select the row that each request is expected to be served from, under its request's number."""
    event = quote(view.timestamp)
    fields = ", ".join(f"e.{quote(name)}" for name in dict.fromkeys(each.field for each in view.features))
    newest = f"e.{quote(view.created)} DESC" if view.created and view.availability == "created" else f"e.{event}"
    return f"""
        SELECT t.{ROW}, e.{event}, {fields}
        FROM {trail_of(view)} t JOIN requests r ON r.{ROW} = t.{ROW}
        JOIN ({queries.known_rows(view, rows)}) e ON {_on(view)} AND e.{event} = t.expected AND e.{KNOWN} <= r.t0
        QUALIFY row_number() OVER (PARTITION BY t.{ROW} ORDER BY {newest}) = 1
    """  # noqa: S608 - identifiers are quoted


def expected_frame(rules: Rules) -> str:
    """Make the table `expected`: the features and statuses that should have been served, NaN as null."""
    numbers = {each["name"] for each in rules.listing() if each["type"] == "number"}
    columns = [
        f"CASE WHEN isnan({quote(name)}) THEN NULL ELSE {quote(name)} END AS {quote(name)}"
        if name in numbers
        else quote(name)
        for name in (each["name"] for each in rules.listing())
    ]
    statuses = [quote(f"{view.name}__status") for view in rules.views]
    return f"CREATE TABLE expected AS SELECT {', '.join([*columns, *statuses])} FROM ({queries.frame(rules)})"  # noqa: S608


def differing(rules: Rules) -> str:
    """Make the table `differs`: for each request and feature, whether what was served is not what is expected."""
    columns = [
        f"{served_value(each['name'], each['type'])} IS DISTINCT FROM x.{quote(each['name'])} AS {quote(each['name'])}"
        for each in rules.listing()
    ]
    return f"""
        CREATE TABLE differs AS SELECT r.{ROW}, {", ".join(columns)}
        FROM requests r POSITIONAL JOIN served s POSITIONAL JOIN expected x
    """  # noqa: S608 - identifiers are quoted


def kinds(view: View, features: list[str]) -> str:
    """Make the table of each request's difference in a view: how many cells, and of which kind; null for none."""
    cells = " + ".join(f"d.{quote(name)}::INTEGER" for name in features)
    return f"""
        CREATE TABLE {quote("kinds of " + view.name)} AS
        SELECT t.{ROW}, t.served, t.expected, t.newest, coalesce(t.least, t.newest) AS least, t.status,
               x.{quote(view.name + "__status")} AS wanted, {cells} AS cells,
               CASE WHEN served IS NOT NULL AND NOT known THEN '{UNKNOWN}'
                    WHEN NOT possible AND front >= coalesce(t.least, t.newest) THEN '{LATE}'
                    WHEN NOT possible THEN '{STALE}'
                    WHEN {cells} > 0 THEN '{VALUE}'
                    WHEN status <> wanted THEN '{OTHER_STATUS}' END AS kind
        FROM {trail_of(view)} t JOIN differs d ON d.{ROW} = t.{ROW} POSITIONAL JOIN expected x
    """  # noqa: S608 - identifiers are quoted


def shifts(view: View, rows: str, limit: int) -> str:
    """Count, for each shift by quarters of an hour, the differing requests whose served row is the one so much later.

    What was served is compared with that row's fields; of a row that was too old to be served, nothing is left to
    compare, and the shift has to lead to one that could have been.
    """
    event = quote(view.timestamp)
    plain = [each for each in view.features if not each.since and not each.equals]
    fields = [f"CAST(e.{quote(each.field)} AS {_sql_type(each.type)})" for each in plain]
    cells = [served_value(each.name, each.type) for each in plain]
    same = " AND ".join(f"{cell} IS NOT DISTINCT FROM {field}" for cell, field in zip(cells, fields, strict=True))
    return f"""
        WITH sample AS (
            SELECT * FROM {quote("kinds of " + view.name)}
            WHERE kind IS NOT NULL AND kind <> '{OTHER_STATUS}' AND served IS NOT NULL ORDER BY {ROW} LIMIT {limit}
        ), reached AS (
            SELECT DISTINCT k.{ROW}, e.{event} - k.served AS shift
            FROM sample k JOIN requests r ON r.{ROW} = k.{ROW} JOIN served s ON s.{ROW} = k.{ROW}
            JOIN ({rows}) e ON {_on(view)}
            WHERE abs(e.{event} - k.served) <= {WIDEST_SHIFT_US} AND (e.{event} - k.served) % {QUARTER_US} = 0
              AND CASE WHEN k.status = 'PRESENT' THEN {same or "FALSE"} ELSE e.{event} BETWEEN k.least AND k.newest END
        )
        SELECT shift, count(*), (SELECT count(*) FROM sample) FROM reached
        GROUP BY shift ORDER BY 2 DESC, abs(shift), shift
    """  # noqa: S608 - identifiers are quoted


def pairs(name: str, kind: str, view: View, limit: int) -> str:
    """Select what was expected and served of a feature, where the row is the right one, differing cells first."""
    return f"""
        SELECT x.{quote(name)}, {served_value(name, kind)}
        FROM {quote("kinds of " + view.name)} k POSITIONAL JOIN expected x POSITIONAL JOIN served s
        POSITIONAL JOIN differs d
        WHERE k.kind IS NULL OR k.kind IN ('{VALUE}', '{OTHER_STATUS}')
        ORDER BY d.{quote(name)} DESC, k.{ROW} LIMIT {limit}
    """  # noqa: S608 - identifiers are quoted


def served_value(name: str, kind: str) -> str:
    """Write what was served of a feature, in the type of a frame's column."""
    return f"CAST(s.{quote(SERVED + name)} AS {_sql_type(kind)})"


def _sql_type(kind: str) -> str:
    return "FLOAT" if kind == "number" else "VARCHAR"


def _on(view: View) -> str:
    return " AND ".join(f"r.{quote(key)} = e.{quote(key)}" for key in view.keys)

"""Check what was served against what training would see: the logged requests are joined again, cell by cell.

Each request is joined as of the instant that it was served at, by the code that makes frames. What may differ is what
may be late: a row that became known less than the view's serving lag before. Everything else that differs is a skew,
and is named: a stale row, late data, a row that the events do not have, a shift by a time zone, another unit, a default
for a null, a skipped transformation, another status.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from argosy.features.instants import datetime_at
from argosy.features.offline import queries
from argosy.features.offline.retrieval import unique_rows
from argosy.features.replay import queries as replay_queries
from argosy.features.replay.differences import name_differences
from argosy.features.replay.logged import load_log
from argosy.features.replay.queries import OTHER_STATUS, VALUE
from argosy.features.replay.report import Report, judge_replay, list_findings, share_of
from argosy.features.rules import Rules, View, read_rules
from argosy.features.tables import connect, quote, read_parquet

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb

THRESHOLD = 0.001
TIME_ZONE = "time zone"
REQUEST = "request"
# So large a share of a view's differing rows has to be explained by one shift.
SHARE_OF_SHIFT = 0.8
SAMPLE = 20_000
EXAMPLES = 5


def replay(*, served: Path, events: Path, features: Path, threshold: float = THRESHOLD) -> Report:
    """Join the requests of a served log again and compare each cell.

    Args:
        served: Folder of the log's segments.
        events: Folder with `<source>.parquet` per view.
        features: The compiled rules.
        threshold: Largest share of a view's cells that may differ.

    Returns:
        `requests`, `others` (records of other features), `cells`, `false_cells`, `share`, `views` (per view its lag,
        rows and cells that differ, by kind, and examples), `features` (per feature that differs its cells, by kind),
        `findings` and `verdict`.

    Raises:
        BadInput: The log or the events are not of this service.

    """
    rules = read_rules(features)
    with connect() as db:
        count, others = load_log(db, served, rules)
        report: Report = {"requests": count, "others": others, "views": {}, "features": {}}
        if count:
            report |= _compare(db, rules, events, count)
    cells = count * len(rules.listing())
    false_cells = sum(view["false_cells"] for view in report["views"].values())
    report |= {"cells": cells, "false_cells": false_cells, "share": share_of(false_cells, cells)}
    return report | {"findings": list_findings(report), "verdict": judge_replay(report, threshold)}


def _compare(db: duckdb.DuckDBPyConnection, rules: Rules, events: Path, count: int) -> Report:
    """Join every view, compare every cell, and name what differs."""
    for view in rules.views:
        _join(db, view, events)
    db.execute(replay_queries.expected_frame(rules))
    db.execute(replay_queries.differing(rules))
    views: Report = {}
    features: Report = {}
    for view in rules.views:
        own = _own_features(rules, view)
        db.execute(replay_queries.kinds(view, list(own)))
        shift = _shift(db, view)
        found = {name: _differences(db, view, name, kind, shift=shift) for name, kind in own.items()}
        features |= {name: {"view": view.name, **each} for name, each in found.items() if each["false_cells"]}
        views[view.name] = _view_report(db, view, shift, found, cells=count * len(own))
    views[REQUEST] = _request_report(db, rules, count)
    return {"views": views, "features": features}


def _join(db: duckdb.DuckDBPyConnection, view: View, events: Path) -> None:
    """Make the view's tables: its rows, the trail of what was served, and the result of the rows to expect."""
    path = events / f"{view.source}.parquet"
    db.register("offered", read_parquet(path))
    # Kept under a name of its own: the next view's rows are `offered`, too.
    db.execute(f"CREATE TABLE {_rows_of(view)} AS {unique_rows(db, view, path)}")
    rows = f"SELECT * FROM {_rows_of(view)}"  # noqa: S608 - identifiers are quoted
    db.execute(replay_queries.trail(view, rows, view.serving_lag_us or 0))
    # Each request has its own row to expect, so the row's key is the request.
    chosen = replace(view, keys=[queries.ROW], key_types=["Int64"], availability=0)
    db.execute(queries.as_of_join(chosen, replay_queries.expected_rows(view, rows)))


def _own_features(rules: Rules, view: View) -> dict[str, str]:
    """Type the features that a view yields, and those of the request that expire with it."""
    brought = {each.name for each in rules.request if each.expires_with == view.name}
    listed = {each["name"]: each["type"] for each in rules.listing() if each["view"] == view.name}
    return dict(sorted(listed.items(), key=lambda each: each[0] in brought))


def _shift(db: duckdb.DuckDBPyConnection, view: View) -> int | None:
    """Return the shift of the served rows' instants, microseconds, if one explains nearly all that differs."""
    rows = f"SELECT * FROM {_rows_of(view)}"  # noqa: S608 - identifiers are quoted
    found = db.sql(replay_queries.shifts(view, rows, SAMPLE)).fetchall()
    if not found:
        return None
    shift, count, total = found[0]
    unshifted = max((each[1] for each in found if each[0] == 0), default=0)
    return int(shift) if count >= SHARE_OF_SHIFT * total and count > unshifted else None


def _differences(db: duckdb.DuckDBPyConnection, view: View, name: str, kind: str, *, shift: int | None) -> Report:
    """Count a feature's differing cells and name those that come from the right row."""
    [(cells,)] = db.sql(f"SELECT count(*) FILTER ({quote(name)}) FROM differs").fetchall()  # noqa: S608
    if shift is not None:
        return {"false_cells": cells, "kinds": {TIME_ZONE: cells} if cells else {}, "notes": []}
    named = name_differences(db.sql(replay_queries.pairs(name, kind, view, SAMPLE)).fetchall()) if cells else []
    return {
        "false_cells": cells,
        "kinds": {each.kind: each.cells for each in named},
        "notes": [f"{each.kind}: {each.note}" for each in named if each.note],
    }


def _view_report(
    db: duckdb.DuckDBPyConnection, view: View, shift: int | None, found: dict[str, Report], *, cells: int
) -> Report:
    """Count what differs in a view, rows by kind, with a few examples of each."""
    table = quote(f"kinds of {view.name}")
    rows = db.sql(f"SELECT kind, count(*), sum(cells)::BIGINT FROM {table} WHERE kind IS NOT NULL GROUP BY ALL")  # noqa: S608
    kinds: dict[str, int] = {}
    false_cells = 0
    for kind, count, differing in sorted(rows.fetchall()):
        false_cells += differing
        shifted = shift is not None and kind != OTHER_STATUS
        named = [TIME_ZONE] if shifted else _value_kinds(found) if kind == VALUE else [kind]
        for name in named:
            kinds[name] = kinds.get(name, 0) + count
    return {
        "lag_s": None if view.serving_lag_us is None else view.serving_lag_us / 1e6,
        "cells": cells,
        "false_cells": false_cells,
        "share": share_of(false_cells, cells),
        "kinds": kinds,
        "shift_s": None if shift is None else shift / 1e6,
        "examples": _examples(db, view),
    }


def _request_report(db: duckdb.DuckDBPyConnection, rules: Rules, count: int) -> Report:
    """Count the cells that a request brought itself and that were not served as they came."""
    own = [quote(each.name) for each in rules.request if each.expires_with is None]
    differing = " + ".join(f"count(*) FILTER ({name})" for name in own) or "0"
    [(false_cells,)] = db.sql(f"SELECT {differing} FROM differs").fetchall()  # noqa: S608 - identifiers are quoted
    cells, kinds = count * len(own), {VALUE: false_cells} if false_cells else {}
    share = share_of(false_cells, cells)
    return {
        "lag_s": None, "cells": cells, "false_cells": false_cells, "share": share, "kinds": kinds, "shift_s": None,
        "examples": [],
    }  # fmt: skip


def _value_kinds(found: dict[str, Report]) -> list[str]:
    """Name the kinds of difference of a view's features, the most frequent first."""
    counts: dict[str, int] = {}
    for each in found.values():
        for kind, count in each["kinds"].items():
            counts[kind] = counts.get(kind, 0) + count
    return sorted(counts, key=lambda kind: -counts[kind]) or [VALUE]


def _examples(db: duckdb.DuckDBPyConnection, view: View) -> list[Report]:
    """Return the first requests of each kind of difference: who asked, when, and which rows are meant."""
    keys = ", ".join(f"r.{quote(key)}" for key in view.keys)
    found = db.sql(
        f"SELECT k.kind, s.request_id, r.t0, k.served, k.expected, k.status, k.wanted, k.cells, {keys} "  # noqa: S608
        f"FROM {quote('kinds of ' + view.name)} k JOIN requests r USING ({queries.ROW}) "
        f"JOIN served s USING ({queries.ROW}) WHERE k.kind IS NOT NULL "
        f"QUALIFY row_number() OVER (PARTITION BY k.kind ORDER BY {queries.ROW}) <= {EXAMPLES} ORDER BY k.kind, r.t0"
    ).fetchall()
    return [
        {
            "kind": kind,
            "request_id": request_id,
            "at": _instant(at),
            "key": dict(zip(view.keys, key, strict=True)),
            "served": {"event": _instant(served), "status": status},
            "expected": {"event": _instant(expected), "status": wanted},
            "cells": cells,
        }
        for kind, request_id, at, served, expected, status, wanted, cells, *key in found
    ]


def _instant(at_us: int | None) -> str | None:
    return None if at_us is None else datetime_at(at_us).isoformat()


def _rows_of(view: View) -> str:
    return quote(f"rows of {view.name}")

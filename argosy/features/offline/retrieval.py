"""Retrieve features as of each request: one as-of join per view, under its time to live.

A row is visible at T iff `timestamp <= T` and `T - timestamp <= ttl`, in microseconds, both inclusive. The newest row
counts; of one instant, the newest created. What counts may start later than its timestamp: a view's availability says
when. An expired row never gives way to an older one, and a null stays null.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import duckdb

from argosy.errors import BadInput
from argosy.features.carried import FILE, carry
from argosy.features.offline import queries
from argosy.features.rules import IDENTITY, Rules, View, read_rules
from argosy.features.tables import connect, read_parquet, require_columns, write_parquet

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa


def retrieve(*, requests: Path, events: Path, features: Path, frame: Path) -> dict[str, Any]:
    """Write the frame of a service: one row per request, with its features, statuses and ages.

    Args:
        requests: Folder of `part-*.parquet` with t0, day, y, label_at, the id, the keys and the request's features.
        events: Folder with `<source>.parquet` per view.
        features: The compiled rules.
        frame: Folder to write: one part per part of requests, `schema.json`, and the rules that a model carries.

    Returns:
        `rows`, before and after; and per view its coverage, overall and per part, the counts of its statuses, and
        quantiles of its rows' age beside the TTL.

    Raises:
        BadInput: A table lacks a column or contradicts itself, or a view that must not miss or expire does.

    """
    rules = read_rules(features)
    with connect() as db:
        parts = _load_requests(db, requests, rules)
        views = {view.name: _retrieve_view(db, view, events) for view in rules.views}
        table = db.sql(queries.frame(rules)).to_arrow_table()
        _require_same_requests(db, table, rules)
    _write_frame(table, parts, rules, frame)
    return {"rows": {"requests": sum(parts.values()), "frame": table.num_rows}, "views": views}


def _load_requests(db: duckdb.DuckDBPyConnection, folder: Path, rules: Rules) -> dict[str, int]:
    """Number the requests by part, time and id, and count each part's."""
    files = sorted(folder.glob("part-*.parquet"))
    if not files:
        raise BadInput(f"{folder}: no part-*.parquet; expected the requests to retrieve features for")
    needed = {rules.id, *IDENTITY, *(feature.name for feature in rules.request)}
    needed |= {key for view in rules.views for key in view.keys}
    needed |= {feature.equals for view in rules.views for feature in view.features if feature.equals}
    parts: dict[str, int] = {}
    for file in files:
        table = read_parquet(file)
        require_columns(table.column_names, needed, file)
        part = file.stem.removeprefix("part-")
        db.register("asked", table)
        db.execute(queries.load_requests(rules, sorted(needed), part=part, before=sum(parts.values()), first=not parts))
        parts[part] = table.num_rows
    repeated = db.sql(queries.repeated_request(rules)).fetchall()
    if repeated:
        raise BadInput(
            f"{folder}: {rules.id} {repeated[0][0]!r} stands {repeated[0][1]} times; each request has its own"
        )
    return parts


def _retrieve_view(db: duckdb.DuckDBPyConnection, view: View, events: Path) -> dict[str, Any]:
    """Join one view to the requests and describe its coverage."""
    path = events / f"{view.source}.parquet"
    offered = read_parquet(path)
    created = [view.created] if view.created else []
    require_columns(
        offered.column_names, {*view.keys, view.timestamp, *created, *(f.field for f in view.features)}, path
    )
    db.register("offered", offered)
    try:
        db.execute(queries.as_of_join(view, unique_rows(db, view, path)))
    except duckdb.Error as error:
        raise BadInput(f"{path}: view {view.name!r} cannot read it: {str(error).splitlines()[0]}") from error
    rows, misplaced = db.sql(queries.rows_out_of_place(view)).fetchall()[0]
    if misplaced:
        raise BadInput(f"view {view.name!r}: {rows} rows for the requests, {misplaced} of them not at their request")
    report = _coverage(db, view)
    _require_policy(view, report["statuses"])
    return report


def unique_rows(db: duckdb.DuckDBPyConnection, view: View, path: Path) -> str:
    """Return a query for the view's rows, one per key and instant, so that a join can repeat no request."""
    if not db.sql(queries.repeated_rows(view, "offered")).fetchall():
        return "SELECT * FROM offered"
    newest = queries.newest_rows(view)
    clash = db.sql(queries.repeated_rows(view, f"({newest})")).fetchall()
    if clash:
        *key, count = clash[0]
        raise BadInput(
            f"{path}: {count} different rows for {queries.identity(view)} = {key}; a key has one row per "
            "instant: declare a created column that tells the newer one, or drop the wrong ones"
        )
    return newest


def _require_policy(view: View, statuses: dict[str, int]) -> None:
    """Refuse rows that a view's rules say must not expire or be missing."""
    for policy, status, what in (
        (view.on_expired, "OUTSIDE_MAX_AGE", "expired"),
        (view.on_missing, "NOT_FOUND", "missing"),
    ):
        if policy == "fail" and statuses.get(status):
            raise BadInput(
                f"view {view.name!r}: {statuses[status]} requests find its row {what}, and its rule is 'fail'; "
                "repair the feed or change the rule"
            )


def _require_same_requests(db: duckdb.DuckDBPyConnection, table: pa.Table, rules: Rules) -> None:
    """Refuse a frame whose ids, in their order, are not the requests'."""
    db.register("made", table.select([rules.id]))
    asked, made, other = db.sql(queries.other_requests(rules)).fetchall()[0]
    if other or asked != made:
        raise BadInput(f"{asked} requests went in, {made} rows came out, {other} of them for another request")


def _coverage(db: duckdb.DuckDBPyConnection, view: View) -> dict[str, Any]:
    """Say how often a view had a usable row, and how old its rows were."""
    counts = db.sql(queries.coverage(view)).fetchall()
    totals: dict[str, int] = {}
    statuses: dict[str, int] = {}
    usable: dict[str, int] = {}
    for part, status, count in counts:
        totals[part] = totals.get(part, 0) + count
        statuses[status] = statuses.get(status, 0) + count
        usable[part] = usable.get(part, 0) + (count if status in queries.USABLE else 0)
    ages = db.sql(queries.age_quantiles(view, queries.QUANTILES.values())).fetchall()[0]
    coverage = sum(usable.values()) / max(1, sum(totals.values()))
    return {
        "ttl_s": None if view.ttl_us is None else view.ttl_us / 1e6,
        "age_s": dict(zip(queries.QUANTILES, ages, strict=True)),
        "statuses": dict(sorted(statuses.items())),
        "coverage": round(coverage, 6),
        "min_coverage": view.min_coverage,
        "covered": coverage >= view.min_coverage,
        "by_part": {part: round(usable[part] / total, 6) for part, total in totals.items()},
    }


def _write_frame(table: pa.Table, parts: dict[str, int], rules: Rules, frame: Path) -> None:
    """Write one file per part of the requests, the schema, and the half of the rules that serving needs."""
    start = 0
    for part, rows in parts.items():
        write_parquet(table.slice(start, rows), frame / f"part-{part}.parquet", instants=("t0", "label_at"))
        start += rows
    groups = [asdict(group) for group in rules.groups]
    schema = {"features": rules.listing(), "groups": groups, "label": "y", "id": rules.id}
    (frame / "schema.json").write_text(json.dumps(schema, indent=1) + "\n")
    (frame / FILE).write_text(carry(rules).to_json())

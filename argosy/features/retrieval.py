"""Retrieve features as of each request: one as-of join per view, under its time to live.

A row is visible at T iff `timestamp <= T` and `T - timestamp <= ttl`, in microseconds, both inclusive. The newest row
counts; of one instant, the newest created. An expired row never gives way to an older one, and a null stays null.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from argosy.errors import BadInput
from argosy.features.rules import UNITS_US, Rules, View, ViewFeature, read_rules
from argosy.features.tables import INSTANT, connect, read_parquet, write_parquet

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb

ROW = "__row"
PART = "__part"
QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "max": 1.0}
USABLE = ("PRESENT", "NULL_VALUE")


def retrieve(*, requests: Path, events: Path, features: Path, frame: Path) -> dict[str, Any]:
    """Write the frame of a service: one row per request, with its features, statuses and ages.

    Args:
        requests: Folder of `part-*.parquet` with t0, day, y, label_at, the id, the keys and the request's features.
        events: Folder with `<source>.parquet` per view.
        features: The compiled rules.
        frame: Folder to write: one part per part of requests, and `schema.json`.

    Returns:
        Per view its coverage, overall and per part, counts of statuses, and quantiles of age against the TTL.

    Raises:
        BadInput: A source lacks a column, contradicts itself, or an expired row must fail.

    """
    rules = read_rules(features)
    asked = _read_requests(requests)
    with connect() as db:
        db.register("requests", asked)
        joined = {view.name: _join(db, view, read_parquet(events / f"{view.source}.parquet")) for view in rules.views}
    table = _frame(asked, joined, rules)
    _write(table, asked[PART], rules, frame)
    report = {view.name: _coverage(view, joined[view.name], asked[PART]) for view in rules.views}
    return {"rows": {"requests": asked.num_rows, "frame": table.num_rows}, "views": report}


def _read_requests(folder: Path) -> pa.Table:
    """Read all parts of the requests, with their row number and the name of their part."""
    parts = []
    for path in sorted(folder.glob("part-*.parquet")):
        part = read_parquet(path)
        name = pa.array([path.stem.removeprefix("part-")] * part.num_rows, pa.string())
        parts.append(part.append_column(PART, name))
    if not parts:
        raise BadInput(f"{folder}: no part-*.parquet; expected the requests to retrieve features for")
    table = pa.concat_tables(parts)
    return table.append_column(ROW, pa.array(np.arange(table.num_rows)))


def _join(db: duckdb.DuckDBPyConnection, view: View, rows: pa.Table) -> pa.Table:
    """Join a view's rows to the requests; one row out per request, in the requests' order."""
    db.register("offered", rows)
    source = _unique(db, view)
    on = " AND ".join(f"r.{_q(key)} = e.{_q(key)}" for key in view.keys)
    ttl = "TRUE" if view.ttl_us is None else f"age <= {view.ttl_us}"
    columns = ", ".join(
        f"CASE WHEN {ttl} THEN {_value(feature)} END AS {_q(feature.name)}" for feature in view.features
    )
    nothing = " AND ".join(f"e.{_q(feature.field)} IS NULL" for feature in view.features)
    query = f"""
        SELECT r.{ROW}, r.t0 - e.{_q(view.timestamp)} AS age,
               CASE WHEN age IS NULL THEN 'NOT_FOUND' WHEN NOT ({ttl}) THEN 'OUTSIDE_MAX_AGE'
                    WHEN {nothing} THEN 'NULL_VALUE' ELSE 'PRESENT' END AS status,
               {columns}
        FROM requests r ASOF LEFT JOIN ({source}) e ON {on} AND r.t0 >= e.{_q(view.timestamp)}
        ORDER BY r.{ROW}
    """  # noqa: S608 - identifiers are quoted
    table = db.sql(query).to_arrow_table()
    _require_same_rows(table, db.sql("SELECT count(*) FROM requests").fetchall()[0][0], view)
    return table


def _value(feature: ViewFeature) -> str:
    """Write the SQL of one feature."""
    field = f"e.{_q(feature.field)}"
    if feature.since:
        return f"CAST(CAST(r.t0 - {field} AS DOUBLE) / {UNITS_US[feature.since]} AS FLOAT)"
    if feature.equals:
        return f"CAST({field} = r.{_q(feature.equals)} AS FLOAT)"
    return f"CAST({field} AS {'FLOAT' if feature.type == 'number' else 'VARCHAR'})"


def _unique(db: duckdb.DuckDBPyConnection, view: View) -> str:
    """Return a query for the view's rows, one per key and instant.

    Raises:
        BadInput: Two rows of one key and instant differ and nothing says which is newer.

    """
    keys = ", ".join(_q(name) for name in (*view.keys, view.timestamp))
    columns = ", ".join(dict.fromkeys([keys, *(_q(feature.field) for feature in view.features)]))
    newest = f"SELECT DISTINCT {columns} FROM offered"  # noqa: S608
    if view.created:
        rank = f"rank() OVER (PARTITION BY {keys} ORDER BY {_q(view.created)} DESC NULLS LAST)"
        newest = f"SELECT DISTINCT {columns} FROM offered QUALIFY {rank} = 1"  # noqa: S608
    repeated = f"SELECT {keys}, count(*) FROM %s GROUP BY ALL HAVING count(*) > 1 ORDER BY ALL LIMIT 1"  # noqa: S608
    if not db.sql(repeated % "offered").fetchall():
        return f"SELECT {columns} FROM offered"  # noqa: S608
    clash = db.sql(repeated % f"({newest})").fetchall()
    if clash:
        raise BadInput(
            f"{view.source}.parquet: {clash[0][-1]} different rows for {keys} = {clash[0][:-1]}; "
            "one key has one row per instant: declare a created column or drop the wrong ones"
        )
    return newest


def _require_same_rows(table: pa.Table, expected: int, view: View) -> None:
    """Refuse a join that lost, repeated or reordered requests."""
    rows = table[ROW].to_numpy()
    if len(rows) != expected or not np.array_equal(rows, np.arange(expected)):
        raise BadInput(f"view {view.name!r}: {expected} requests went into the join, {len(rows)} other rows came out")


def _frame(asked: pa.Table, joined: dict[str, pa.Table], rules: Rules) -> pa.Table:
    """Put identity, features, statuses and ages together, in the order of the rules."""
    columns: dict[str, Any] = {rules.id: asked[rules.id]}
    columns |= {name: asked[name] for name in ("t0", "day", "y", "label_at")}
    columns |= {name: columns[name].cast(INSTANT) for name in ("t0", "label_at")}
    for brought in rules.request:
        value = asked[brought.name].cast(pa.float32() if brought.type == "number" else pa.string())
        if brought.expires_with:
            usable = pc.is_in(joined[brought.expires_with]["status"], pa.array(USABLE))
            value = pc.if_else(usable, value, pa.scalar(None, value.type))
        columns[brought.name] = value
    for view in rules.views:
        table = joined[view.name]
        columns |= {feature.name: table[feature.name] for feature in view.features}
        if view.age_feature:
            usable = pc.is_in(table["status"], pa.array(USABLE))
            columns[view.age_feature] = pc.if_else(usable, _seconds(table["age"]), pa.scalar(None, pa.float32()))
    for view in rules.views:
        columns[f"{view.name}__status"] = joined[view.name]["status"]
        columns[f"{view.name}__age_s"] = _seconds(joined[view.name]["age"])
    return pa.table(columns)


def _seconds(age: pa.ChunkedArray) -> pa.ChunkedArray:
    """Turn microseconds into seconds."""
    return pc.divide(age.cast(pa.float64()), 1e6).cast(pa.float32())


def _write(table: pa.Table, parts: pa.ChunkedArray, rules: Rules, frame: Path) -> None:
    """Write one file per part, sorted by time and id, and the schema."""
    frame.mkdir(parents=True, exist_ok=True)
    for part in pc.unique(parts).to_pylist():
        rows = table.filter(pc.equal(parts, part)).sort_by([("t0", "ascending"), (rules.id, "ascending")])
        write_parquet(rows, frame / f"part-{part}.parquet")
    groups = [{"name": g.name, "ttl_s": g.ttl_s, "droppable": g.droppable} for g in rules.groups]
    schema = {"features": rules.listing(), "groups": groups, "label": "y", "id": rules.id}
    (frame / "schema.json").write_text(json.dumps(schema, indent=1) + "\n")


def _coverage(view: View, joined: pa.Table, parts: pa.ChunkedArray) -> dict[str, Any]:
    """Summarise how often a view had a usable row, and how old rows were."""
    usable = pc.is_in(joined["status"], pa.array(USABLE)).to_numpy()
    names = parts.to_numpy()
    ages = joined["age"].drop_null().to_numpy() / 1e6
    counts = {row["values"]: row["counts"] for row in pc.value_counts(joined["status"]).to_pylist()}
    return {
        "ttl_s": None if view.ttl_us is None else view.ttl_us / 1e6,
        "coverage": round(float(usable.mean()), 6),
        "min_coverage": view.min_coverage,
        "by_part": {str(p): round(float(usable[names == p].mean()), 6) for p in pc.unique(parts).to_pylist()},
        "statuses": dict(sorted(counts.items())),
        "age_s": {name: float(np.quantile(ages, q, method="higher")) for name, q in QUANTILES.items()}
        if len(ages)
        else {},
    }


def _q(name: str) -> str:
    """Quote an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'

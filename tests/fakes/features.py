"""Small feature views, requests and sources for retrieval, and the rule of visibility in plain Python."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from argosy.features.offline.retrieval import retrieve
from argosy.features.rules import Group, RequestFeature, Rules, View, ViewFeature

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

INSTANT = pa.timestamp("us", tz="UTC")
SECOND = 1_000_000
T0 = 1_357_000_000 * SECOND

Row = dict[str, Any]

_TYPES = {
    "id": pa.string(), "t0": INSTANT, "day": pa.string(), "y": pa.int8(), "label_at": INSTANT, "k": pa.string(),
    "k2": pa.int32(), "v": pa.float64(), "w": pa.string(), "at": INSTANT, "known_at": INSTANT, "created": INSTANT,
    "size": pa.float32(), "big": pa.int64(), "length": pa.float64(), "queue": pa.float32(),
    "n": pa.int64(), "gone": pa.int64(),
}  # fmt: skip


def a_view(**changes: Any) -> View:
    """Return a view `temps` keyed by k, with the number v, known at `known_at`, for 60 s."""
    view = {
        "name": "temps", "source": "temps", "timestamp": "known_at", "created": None, "keys": ["k"],
        "ttl_us": 60 * SECOND, "group": "weather", "on_expired": "null", "on_missing": "null", "online": True,
        "max_lateness_s": 1, "materialize_every_s": 1, "run_budget_s": 1, "min_coverage": 0.5,
        "age_feature": "temps_age_s", "features": [a_feature()],
    }  # fmt: skip
    view |= changes
    made = {
        "key_types": ["Int32" if key == "k2" else "String" for key in view["keys"]],
        "stored": {feature.field: feature.dtype for feature in view["features"]},
    }
    return View(**{**made, **view})


def a_feature(**changes: Any) -> ViewFeature:
    """Return the feature v, a number as it stands in the row."""
    feature = {"name": "v", "field": "v", "dtype": "Float32", "type": "number", "description": "a value"}
    return ViewFeature(**{**feature, **changes})


def rules_with(*views: View, request: Sequence[RequestFeature] = ()) -> Rules:
    """Return the rules of a service with these views."""
    groups = [Group(name, None, droppable=True) for name in dict.fromkeys(view.group for view in views)]
    return Rules(service="test", id="id", request=list(request), views=list(views), groups=groups)


def a_request(**changes: Any) -> Row:
    """Return a request about key `a` at T0."""
    row = {"id": "r1", "t0": T0, "day": "2013-01-01", "y": 1, "label_at": T0 + SECOND, "k": "a", "k2": 1}
    return {**row, **changes}


def a_row(**changes: Any) -> Row:
    """Return a source row of key `a` with v = 1, known at T0."""
    return {"k": "a", "k2": 1, "known_at": T0, "at": T0, "created": T0, "v": 1.0, "w": "x", "big": 1, **changes}


def write_rows(path: Path, rows: Iterable[Row], columns: Sequence[str] = ()) -> None:
    """Write rows as Parquet; without rows, with these columns."""
    rows = list(rows)
    names = list(rows[0]) if rows else columns
    arrays = [
        pa.array([row[name] for row in rows], pa.int64() if _TYPES[name] == INSTANT else _TYPES[name]) for name in names
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table([array.cast(_TYPES[name]) for array, name in zip(arrays, names, strict=True)], names), path)


def retrieve_rows(
    folder: Path, rules: Rules, *, requests: dict[str, list[Row]], sources: dict[str, list[Row]]
) -> tuple[dict[str, list[Row]], dict[str, Any]]:
    """Run retrieval on rows; return the frame's rows per part, instants as integers, and the report."""
    for part, rows in requests.items():
        write_rows(folder / "requests" / f"part-{part}.parquet", rows)
    for name, rows in sources.items():
        write_rows(folder / "events" / f"{name}.parquet", rows, list(a_row()))
    (folder / "features.json").write_text(rules.to_json())
    report = retrieve(
        requests=folder / "requests",
        events=folder / "events",
        features=folder / "features.json",
        frame=folder / "frame",
    )
    return {
        file.stem.removeprefix("part-"): rows_of(file) for file in sorted((folder / "frame").glob("*.parquet"))
    }, report


def rows_of(path: Path) -> list[Row]:
    """Read a Parquet file as rows, instants as integers."""
    table = pq.ParquetFile(path).read()
    for index, field in enumerate(table.schema):
        if field.type == INSTANT:
            table = table.set_column(index, field.name, table.column(index).cast(pa.int64()))
    return [dict(row) for row in table.to_pylist()]


def visible(view: View, rows: Iterable[Row], request: Row) -> tuple[str, int | None, Row | None]:
    """Apply the rule by reading every row: status, age in microseconds, and the row that may be used."""
    known = [
        row
        for row in rows
        if _same_keys(view, row, request)
        and row[view.timestamp] <= request["t0"]
        and is_available(view, row, request["t0"])
    ]
    if not known:
        return "NOT_FOUND", None, None
    newest = max(row[view.timestamp] for row in known)
    last = [row for row in known if row[view.timestamp] == newest]
    row = max(last, key=lambda each: each[view.created]) if view.created else last[0]
    age = request["t0"] - newest
    if view.ttl_us is not None and age > view.ttl_us:
        return "OUTSIDE_MAX_AGE", age, None
    empty = all(row[feature.field] is None for feature in view.features)
    return "NULL_VALUE" if empty else "PRESENT", age, row


def is_available(view: View, row: Row, at: int) -> bool:
    """Say whether a row may be used at an instant, as far as its view's availability goes."""
    if view.availability == "created":
        return row[view.created] is not None and row[view.created] <= at
    return row[view.timestamp] + view.availability <= at


def seconds(age: int | None) -> float | None:
    """Return microseconds as seconds in a float32 column's precision."""
    return None if age is None else float(np.float32(age / 1e6))


def described(view: View) -> dict[str, Any]:
    """Return a view as `definitions` would describe it."""
    found = asdict(view)
    tags = {"group": view.group, "max_lateness": "1s", "materialize_every": "1s", "run_budget": "1s"}
    fields = [{"name": f.field, "dtype": "Float32", "description": "a value", "tags": {}} for f in view.features]
    names = ("name", "source", "timestamp", "created", "keys", "stored", "ttl_us", "online", "owner")
    key_types = [kind.upper() for kind in view.key_types]
    return {**{name: found[name] for name in names}, "key_types": key_types, "tags": tags, "fields": fields}


def _same_keys(view: View, row: Row, request: Row) -> bool:
    """Compare keys; a null equals nothing."""
    return all(row[key] is not None and row[key] == request[key] for key in view.keys)

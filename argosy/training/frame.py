"""Read a feature frame: the rows of a window whose labels were known in time, and their matrix."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from argosy.errors import BadInput

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from argosy.training.plan import Window

RANGE_TOLERANCE = 0.5
SIGNIFICANT_DIGITS = 6
PRIOR_ROWS = 50


def read_schema(frame: Path) -> dict[str, Any]:
    """Read a frame's `schema.json`: its features in column order, and their groups."""
    path = frame / "schema.json"
    if not path.is_file():
        raise BadInput(f"{frame}: no schema.json in it; needed is a frame folder as retrieval writes it")
    schema: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return schema


def read_labelled(frame: Path, window: Window, *, known_by: int | None = None, every: int = 1) -> pa.Table:
    """Return the labelled rows of a window, in the frame's order.

    Args:
        frame: The frame folder.
        window: Local days.
        known_by: Leave out rows whose label came later than this (UTC microseconds); None keeps all.
        every: Keep every n-th row.

    Raises:
        BadInput: The window has no labelled row, or only one of the two labels.

    """
    names = [feature["name"] for feature in read_schema(frame)["features"]]
    table = read_window(frame, window, columns=["t0", "day", "y", "label_at", *names])
    keep = pc.is_valid(table["y"])
    if known_by is not None:
        in_time = pc.less_equal(table["label_at"].cast(pa.int64()), known_by)
        keep = pc.and_(keep, pc.fill_null(in_time, False))
    table = table.filter(keep)
    if every > 1:
        table = table.take(pa.array(np.arange(0, table.num_rows, every)))
    if len(pc.unique(table["y"])) < 2:
        raise BadInput(f"{frame}: [{window.start}, {window.end}) has {table.num_rows} labelled rows; needs both labels")
    return table


def read_window(frame: Path, window: Window, *, columns: list[str]) -> pa.Table:
    """Return the rows of a window of local days, in the frame's order."""
    first, last = window.start[:7], window.end[:7]
    parts = [part for part in sorted(frame.glob("part-*.parquet")) if first <= part.stem[5:12] <= last]
    if not parts:
        raise BadInput(f"{frame}: no part between {first} and {last}; needed is a frame that covers the window")
    table = pa.concat_tables([pq.ParquetFile(part).read(columns=columns) for part in parts])
    inside = pc.and_(pc.greater_equal(table["day"], window.start), pc.less(table["day"], window.end))
    return table.filter(inside)


def first_instant(frame: Path, *, day: str) -> int | None:
    """Return the earliest t0 on or after a local day, UTC microseconds; None where the frame ends before."""
    for part in sorted(frame.glob("part-*.parquet")):
        if part.stem[5:12] < day[:7]:
            continue
        table = pq.ParquetFile(part).read(columns=["t0", "day"])
        later = table.filter(pc.greater_equal(table["day"], day))
        if later.num_rows:
            return int(pc.min(later["t0"].cast(pa.int64())).as_py())
    return None


def labels_of(table: pa.Table) -> NDArray[np.float32]:
    """Return the labels of labelled rows, shape (n_rows,), 0 or 1."""
    labels: NDArray[np.float32] = table["y"].cast(pa.float32()).to_numpy()
    return labels


def describe_features(table: pa.Table, schema: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the signature's features: types, groups, ranges and categories as training saw them.

    A number's range is the training range, wider by half its span on both sides: what lies beyond is a wrong
    unit rather than a new season. A column without a value has no range. Categories are listed by their
    label's rate, so that a tree parts the late ones from the punctual ones with one cut.
    """
    return [_described(feature, table) for feature in schema["features"]]


def _described(feature: dict[str, Any], table: pa.Table) -> dict[str, Any]:
    entry = {"name": feature["name"], "type": feature["type"], "group": feature["group"], "nullable": True}
    column = table[feature["name"]]
    if feature["type"] == "category":
        return entry | {"categories": rank_categories(column, labels_of(table))}
    extremes = pc.min_max(column).as_py()
    low, high = _widened(extremes["min"], extremes["max"])
    return entry | {"min": low, "max": high}


def rank_categories(column: pa.ChunkedArray, labels: NDArray[np.float32]) -> list[str]:
    """Return a column's categories by rising rate of the label, rates of rare ones drawn to the mean.

    The order uses training labels only. The mean weighs as much as `PRIOR_ROWS` rows; ties go by name.
    """
    encoded = column.combine_chunks().dictionary_encode()
    valid = encoded.is_valid().to_numpy(zero_copy_only=False)
    codes = encoded.indices.drop_null().to_numpy()
    names = encoded.dictionary.to_pylist()
    late = np.bincount(codes, weights=labels[valid], minlength=len(names))
    seen = np.bincount(codes, minlength=len(names))
    rates = (late + PRIOR_ROWS * labels.mean(dtype=np.float64)) / (seen + PRIOR_ROWS)
    return [name for _, name in sorted(zip(rates.tolist(), names, strict=True))]


def _widened(low: float | None, high: float | None) -> tuple[float | None, float | None]:
    if low is None or high is None:
        return None, None
    margin = RANGE_TOLERANCE * ((high - low) or max(abs(high), 1.0))
    return _rounded(low - margin), _rounded(high + margin)


def _rounded(value: float) -> float:
    return float(f"{value:.{SIGNIFICANT_DIGITS}g}")


def example_row(table: pa.Table, features: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the first row with the fewest nulls, numbers in their shortest form."""
    nulls = np.zeros(table.num_rows, dtype=np.int64)
    for feature in features:
        nulls += table[feature["name"]].is_null().to_numpy()
    (row,) = table.slice(int(nulls.argmin()), 1).to_pylist()
    return {name: _shortest(row[name]) for name in (feature["name"] for feature in features)}


def _shortest(value: Any) -> Any:
    return float(str(np.float32(value))) if isinstance(value, float) else value

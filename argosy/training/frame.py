"""Read a feature frame: the rows of a window whose labels were known in time, and their matrix."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from argosy.errors import BadInput
from argosy.serving.runtime import category_rows, column_values, encode_table

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from argosy.training.plan import Window

RANGE_TOLERANCE = 1.0
SIGNIFICANT_DIGITS = 6
PRIOR_ROWS = 50
LAST_DAY = "9999-12-31"


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
    _, keep = column_values(table["y"], np.int8)
    if known_by is not None:
        label_at, has_time = column_values(table["label_at"].cast(pa.int64()), np.int64)
        keep &= has_time & (label_at <= known_by)
    chosen = np.zeros_like(keep)
    chosen[np.flatnonzero(keep)[::every]] = True
    table = table.filter(as_mask(chosen))
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
    return table.filter(as_mask(within(table["day"], window.start, window.end)))


def within(column: pa.ChunkedArray, start: str, end: str) -> NDArray[np.bool_]:
    """Say for each text whether it lies in [start, end)."""
    texts, rows = category_rows(column)
    return np.array([start <= text < end for text in texts], dtype=np.bool_)[rows]


def as_mask(keep: NDArray[np.bool_]) -> pa.Array:
    """Return a boolean array for `filter`, without pandas, which `pa.array` imports."""
    bits = pa.py_buffer(np.packbits(keep, bitorder="little").tobytes())
    return pa.Array.from_buffers(pa.bool_(), len(keep), [None, bits])


def first_instant(frame: Path, *, day: str) -> int | None:
    """Return the earliest t0 on or after a local day, UTC microseconds; None where the frame ends before."""
    for part in sorted(frame.glob("part-*.parquet")):
        if part.stem[5:12] < day[:7]:
            continue
        table = pq.ParquetFile(part).read(columns=["t0", "day"])
        instants, _ = column_values(table["t0"].cast(pa.int64()), np.int64)
        later = instants[within(table["day"], day, LAST_DAY)]
        if len(later):
            return int(later.min())
    return None


def labels_of(table: pa.Table) -> NDArray[np.float32]:
    """Return the labels of labelled rows, shape (n_rows,), 0 or 1."""
    labels, _ = column_values(table["y"].cast(pa.float32()), np.float32)
    return labels


def describe_features(table: pa.Table, schema: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the signature's features: types, groups, ranges and categories as training saw them.

    A number's range is the training range, wider by its span on both sides: what lies beyond is a broken
    feed rather than a new season. A column without a value has no range. Categories are listed by their
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
    names, rows = category_rows(column)
    present = rows >= 0
    late = np.bincount(rows[present], weights=labels[present], minlength=len(names))
    seen = np.bincount(rows[present], minlength=len(names))
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
    nulls = np.isnan(encode_table(table, features)).sum(axis=1)
    fullest = int(nulls.argmin())
    return {f["name"]: _shortest(table[f["name"]][fullest].as_py()) for f in features}


def _shortest(value: Any) -> Any:
    return float(str(np.float32(value))) if isinstance(value, float) else value

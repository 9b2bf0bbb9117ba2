"""Check a frame's features against its labels before anything is trained on them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from argosy.arrow import without_pandas
from argosy.errors import BadInput
from argosy.validation.findings import judge
from argosy.validation.labels import check_leaks

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

DAY, LABEL = "day", "y"


@without_pandas()
def check_features(*, frame: Path, start: str, end: str, ceiling: float = 0.80) -> dict[str, Any]:
    """Block training on features that know the outcome, judged on the labelled rows of a window.

    A number, ages included, is judged by its values, and every feature by where it is null: what is only filled in
    afterwards gives itself away by its gaps. The values of a category are not judged.

    Args:
        frame: Holds `schema.json`, which lists the features, and `part-YYYY-MM.parquet`.
        start: First day that is trained on, like "2013-01-01".
        end: The day after the last.
        ceiling: Largest AUC, inclusive, that one honest feature may reach alone.

    Returns:
        `verdict` (accepted or rejected), `ok`, `reasons` and `findings`.

    Raises:
        BadInput: A feature has no column or is not of its type, or the window lacks one of the two labels.
    """
    features = read_features(frame)
    table = read_labelled(frame, [feature["name"] for feature in features], start=start, end=end)
    columns = evidence(table, features, at=frame)
    label = table[LABEL].to_numpy().astype(np.float32)
    return judge(check_leaks(columns, label, known_in_time=columns, table="frame", ceiling=ceiling))


def read_features(frame: Path) -> list[dict[str, Any]]:
    """Return the features that a frame's schema lists; others of its columns are no features."""
    path = frame / "schema.json"
    try:
        features: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["features"]
    except (OSError, ValueError, KeyError) as error:
        raise BadInput(f"{path}: not a readable frame schema ({error}); retrieve the frame again") from error
    return features


def read_labelled(frame: Path, names: Sequence[str], *, start: str, end: str) -> pa.Table:
    """Return the label and the columns of the labelled rows whose day lies in [start, end)."""
    window = f"{frame}: [{start}, {end})"
    months = {part.stem.removeprefix("part-"): part for part in sorted(frame.glob("part-*.parquet"))}
    parts = [part for month, part in months.items() if start[:7] <= month and f"{month}-01" < end]
    if not parts:
        raise BadInput(f"{window} has no rows; the frame has {', '.join(months) or 'no part'}")
    table = pa.concat_tables([_read_part(part, [DAY, LABEL, *names]) for part in parts])
    inside = pc.and_(pc.greater_equal(table[DAY], start), pc.less(table[DAY], end))
    table = table.filter(pc.and_(inside, table[LABEL].is_valid()))
    if len(pc.unique(table[LABEL])) < 2:
        raise BadInput(f"{window} has {table.num_rows} labelled rows; both labels are needed to judge features")
    return table


def _read_part(part: Path, names: Sequence[str]) -> pa.Table:
    file = pq.ParquetFile(part)
    absent = [name for name in names if name not in file.schema_arrow.names]
    if absent:
        raise BadInput(f"{part}: no column for {absent}, which the frame's schema needs; retrieve the frame again")
    return file.read(columns=list(names))


def evidence(table: pa.Table, features: Sequence[dict[str, Any]], *, at: Path) -> dict[str, NDArray[np.float32]]:
    """Return what a model can read of each feature: its numbers, and where it is null."""
    columns = {}
    for feature in features:
        name, column = feature["name"], table[feature["name"]]
        if feature["type"] == "number":
            if not (pa.types.is_floating(column.type) or pa.types.is_integer(column.type)):
                raise BadInput(f"{at}: {name} is {column.type}, and schema.json says that it is a number")
            columns[name] = column.to_numpy().astype(np.float32, copy=False)
        if column.null_count:
            columns[f"{name} is null"] = column.is_null().to_numpy().astype(np.float32)
    return columns

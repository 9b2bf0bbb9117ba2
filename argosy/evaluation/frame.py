"""Read the parts of a frame: rows of entities with features, label and New York day.

A frame folder holds `part-YYYY-MM.parquet` and `schema.json`. Its first column names the row. `schema.json`
may say `"block"`, the column whose values are resampled together (`day` unless said, because rows of one
day err together); naming the row's own column there means that rows are independent.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

import pyarrow.compute as pc
import pyarrow.parquet as pq

from argosy.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    import pyarrow as pa

Result = TypeVar("Result")

PARTS_AT_A_TIME = 2
SCHEMA = "schema.json"
TIME, DAY, LABEL = "t0", "day", "y"


def read_schema(frame: Path) -> dict[str, Any]:
    """Read `schema.json`: features in order, groups, label.

    Raises:
        BadInput: It is missing or not JSON.

    """
    path = frame / SCHEMA
    try:
        schema: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadInput(f"{path}: not a readable frame schema ({error})") from error
    return schema


def parts_between(frame: Path, start: str, end: str) -> list[Path]:
    """Return the parts of the months from `start` to `end`, days like "2013-08-01", both inclusive.

    Raises:
        BadInput: There is none.

    """
    parts = sorted(frame.glob("part-*.parquet"))
    wanted = [part for part in parts if start[:7] <= month_of(part) <= end[:7]]
    if not wanted:
        months = f"{month_of(parts[0])} to {month_of(parts[-1])}" if parts else "no part at all"
        raise BadInput(f"{frame}: no rows from {start} to {end}; the frame has {months}")
    return wanted


def month_of(part: Path) -> str:
    """Return the month of a part file, like "2013-08"."""
    return part.stem.removeprefix("part-")


def row_column(part: Path) -> str:
    """Return the name of the column that names the row."""
    name: str = pq.read_schema(part).names[0]
    return name


def read_rows(part: Path, columns: Iterable[str], start: str, end: str) -> pa.Table:
    """Read columns of the rows of a part whose day lies in [start, end]; each column once, `day` always.

    Raises:
        BadInput: A column is not there.

    """
    wanted = list(dict.fromkeys([*columns, DAY]))
    names = pq.read_schema(part).names
    absent = [name for name in wanted if name not in names]
    if absent:
        raise BadInput(f"{part}: no column {', '.join(map(repr, absent))}; it has {', '.join(names):.300}")
    table = pq.ParquetFile(part).read(columns=wanted)
    days = table.column(DAY)
    inside = pc.and_(pc.greater_equal(days, start), pc.less_equal(days, end))
    return table if pc.all(inside).as_py() else table.filter(inside)


def map_parts(work: Callable[[Path], Result], parts: Sequence[Path]) -> list[Result]:
    """Return the result of each part, in order, two at a time.

    A session of one thread may be called from many, and its sums do not depend on how many there are; threads of
    its own would change the last digits of a score, and burn twice the time on a busy machine.
    """
    with ThreadPoolExecutor(max_workers=PARTS_AT_A_TIME) as pool:
        return list(pool.map(work, parts))

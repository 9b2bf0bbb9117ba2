"""What a table must look like, as values: types, ranges, null budgets, categories, bands."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Band:
    """Quartiles of a column over a reference period."""

    lower: float
    median: float
    upper: float


@dataclass(frozen=True)
class Column:
    """What is agreed about one column.

    Attributes:
        max_null: Largest share of nulls, 0..1. With 0 a row that has none is set aside.
        low: Smallest possible value, inclusive; for single impossible values, not for unlikely ones.
        high: Largest possible value, inclusive.
        outside: What becomes of a value outside: it is nulled, or its row is set aside.
        sentinels: Codes that mean "missing".
        pattern: Regular expression that each text matches; other rows are set aside.
        known: Categories of the reference period.
        band: Quartiles of the reference period; catches a change of unit.
    """

    name: str
    type: pa.DataType
    max_null: float = 0.0
    low: float | None = None
    high: float | None = None
    outside: Literal["NULL", "QUARANTINE"] = "QUARANTINE"
    sentinels: tuple[float, ...] = ()
    pattern: str | None = None
    known: frozenset[str] | None = None
    band: Band | None = None


@dataclass(frozen=True)
class Contract:
    """What is agreed about one table.

    Attributes:
        key: Columns that identify a row.
        lags: For each event time its availability time: (event column, availability column).
    """

    table: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    lags: tuple[tuple[str, str], ...] = field(default=())

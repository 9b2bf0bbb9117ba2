"""Check single values: impossible ones become null or set their row aside; nulls stay within a budget."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from argosy.validation.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from argosy.validation.contract import Column, Contract
    from argosy.validation.shape import Mask


def null_impossible(table: pa.Table, contract: Contract) -> tuple[pa.Table, list[Finding]]:
    """Set to null what cannot be a magnitude: NaN, infinity, codes for "missing", values out of range."""
    findings: list[Finding] = []
    for index, column in enumerate(contract.columns):
        if not _is_measured(column):
            continue
        for check, bad, allowed in _impossible(table[column.name], column):
            rows = int(bad.sum())
            if rows:
                examples = pc.unique(table[column.name].filter(pa.array(bad))).to_pylist()[:3]
                message = f"got {rows} values such as {examples}, allowed {allowed}; set to null"
                findings.append(Finding(check, contract.table, column.name, "NULL", rows, table.num_rows, message))
                kept = pc.if_else(pa.array(~bad), table[column.name], None)
                table = table.set_column(index, column.name, kept)
    return table, findings


def _is_measured(column: Column) -> bool:
    return pa.types.is_floating(column.type) or bool(column.sentinels) or column.outside == "NULL"


def _impossible(values: pa.ChunkedArray, column: Column) -> list[tuple[str, Mask, str]]:
    known = values.is_valid().to_numpy()
    numbers = as_floats(values)
    infinite = known & ~np.isfinite(numbers)
    sentinel = np.isin(numbers, column.sentinels)
    found = [
        ("not finite", infinite, "finite numbers"),
        ("sentinel", sentinel, f"no code out of {list(column.sentinels)}"),
    ]
    if column.outside == "NULL":
        beyond = is_outside(numbers, column) & ~infinite & ~sentinel
        found.append(("impossible value", beyond, allowed_range(column)))
    return found


def as_floats(values: pa.ChunkedArray) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return numbers as float64 with NaN for null."""
    return np.asarray(pc.fill_null(values.cast(pa.float64(), safe=False), float("nan")).to_numpy(), dtype=np.float64)


def is_outside(numbers: np.ndarray[tuple[int], np.dtype[np.float64]], column: Column) -> Mask:
    """Say which values lie outside the column's range; NaN does not."""
    low = -np.inf if column.low is None else column.low
    high = np.inf if column.high is None else column.high
    return (numbers < low) | (numbers > high)


def allowed_range(column: Column) -> str:
    """Write a column's range for people."""
    return f"{column.low} .. {column.high}"


def find_faulty_rows(table: pa.Table, contract: Contract) -> tuple[list[Finding], dict[str, Mask]]:
    """Find rows without a required value, or with one out of range where that sets the row aside."""
    findings: list[Finding] = []
    faults: dict[str, Mask] = {}
    for column in contract.columns:
        for reason, bad in _row_faults(table[column.name], column):
            rows = int(bad.sum())
            faults[f"{column.name} {reason}"] = bad
            message = f"{reason} in {rows} rows; the rows are set aside"
            findings.append(Finding("faulty value", contract.table, column.name, "QUARANTINE", rows, len(bad), message))
    return findings, faults


def _row_faults(values: pa.ChunkedArray, column: Column) -> Iterator[tuple[str, Mask]]:
    if column.max_null == 0 and values.null_count:
        yield "is missing", pc.is_null(values).to_numpy()
    if column.pattern:
        strange = pc.invert(pc.fill_null(pc.match_substring_regex(values, column.pattern), True)).to_numpy()
        if strange.any():
            yield f"is not like {column.pattern}", strange
    if column.outside == "QUARANTINE" and (column.low is not None or column.high is not None):
        outside = is_outside(as_floats(values), column)
        if outside.any():
            yield f"is outside {allowed_range(column)}", outside


def record_nulls(table: pa.Table, contract: Contract, columns: Collection[str]) -> list[Finding]:
    """Record how much is missing in columns whose nulls mean something."""
    return [
        Finding("nulls", contract.table, name, "WARN", nulls, table.num_rows, f"{nulls} rows have none; they stay")
        for name in columns
        if (nulls := table[name].null_count)
    ]


def check_null_budgets(table: pa.Table, contract: Contract, *, at: str) -> list[Finding]:
    """Refuse columns with more nulls than agreed."""
    findings = []
    for column in contract.columns:
        nulls = table[column.name].null_count
        if column.max_null and nulls > column.max_null * table.num_rows:
            message = (
                f"{nulls / table.num_rows:.1%} of {at} is null, allowed {column.max_null:.1%}; "
                "find out where the values were lost and deliver them"
            )
            findings.append(
                Finding("null budget", contract.table, column.name, "REJECT", nulls, table.num_rows, message)
            )
    return findings

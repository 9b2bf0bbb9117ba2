"""Check a table's columns and types, and turn mixed columns into numbers and faulty rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from argosy.validation.delivery import missing_column
from argosy.validation.findings import Finding

if TYPE_CHECKING:
    from argosy.validation.contract import Column, Contract

Mask = npt.NDArray[np.bool_]
WHOLE = r"^-?(0|[1-9]\d{0,17})$"
REAL = r"^-?\d+(\.\d+)?([eE][-+]?\d+)?$"
# A column of another type has no plain numbers, or nothing but; a mixed one has a few strangers.
MIXED_LIMIT = 0.01


def check_columns(table: pa.Table, contract: Contract) -> list[Finding]:
    """Find missing, additional and empty columns, and columns of another type."""
    names = [column.name for column in contract.columns]
    unknown = [name for name in table.column_names if name not in names]
    findings = []
    for column in contract.columns:
        problem = _column_problem(table, column, unknown)
        if problem:
            check = "type" if column.name in table.column_names else "missing column"
            findings.append(
                Finding(check, contract.table, column.name, "REJECT", table.num_rows, table.num_rows, problem)
            )
    advice = "not agreed on and not used; add it to the contract to use it"
    findings += [
        Finding("extra column", contract.table, name, "WARN", table.num_rows, table.num_rows, advice)
        for name in unknown
    ]
    if not table.num_rows:
        empty = "got 0 rows, expected some; deliver the data, the last good version stays"
        findings.append(Finding("empty", contract.table, "", "REJECT", 0, 0, empty))
    return findings


def _column_problem(table: pa.Table, column: Column, unknown: list[str]) -> str | None:
    if column.name not in table.column_names:
        return missing_column(column.name, unknown)
    got = table[column.name].type
    if got == column.type or pa.types.is_null(got) or is_mixed(table, column):
        return None
    return f"got type {got}, expected {column.type}; deliver it in this type, it is not converted"


def is_mixed(table: pa.Table, column: Column) -> bool:
    """Say whether a number column came as text only because a few values are no numbers."""
    values = table[column.name]
    if not pa.types.is_string(values.type) or not _is_number(column.type):
        return False
    strangers = float(pc.sum(_is_stranger(values, column)).as_py() or 0)
    return 0 < strangers <= MIXED_LIMIT * len(values)


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _is_stranger(values: pa.ChunkedArray, column: Column) -> pa.ChunkedArray:
    number = WHOLE if pa.types.is_integer(column.type) else REAL
    return pc.fill_null(pc.invert(pc.match_substring_regex(values, number)), False)


def settle_types(table: pa.Table, contract: Contract) -> tuple[pa.Table, list[Finding], dict[str, Mask]]:
    """Give mixed columns their type; a row whose value is no number gets a fault.

    Returns:
        The agreed columns in the contract's order, findings, and faulty rows by reason.
    """
    findings: list[Finding] = []
    faults: dict[str, Mask] = {}
    columns = {}
    for column in contract.columns:
        values = table[column.name]
        if is_mixed(table, column):
            strange = _is_stranger(values, column)
            faults[f"{column.name} is not a number"] = strange.to_numpy()
            findings.append(_mixed_finding(contract.table, column, values, strange))
            values = pc.if_else(strange, None, values)
        columns[column.name] = values.cast(column.type)
    return pa.table(columns), findings, faults


def _mixed_finding(table: str, column: Column, values: pa.ChunkedArray, strange: pa.ChunkedArray) -> Finding:
    examples = pc.unique(values.filter(strange)).to_pylist()[:3]
    rows = int(pc.sum(strange).as_py())
    message = f"got {rows} values that are no {column.type}, such as {examples}; their rows are set aside"
    return Finding("mixed types", table, column.name, "QUARANTINE", rows, len(values), message)

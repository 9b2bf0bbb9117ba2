"""Check instants: nothing from the future, nothing known before it happened, lateness on record."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from argosy.validation.findings import Finding

if TYPE_CHECKING:
    from argosy.validation.contract import Contract
    from argosy.validation.shape import Mask

# Clocks of two machines may differ by this much.
CLOCK_TOLERANCE = timedelta(minutes=5)


def find_future(table: pa.Table, contract: Contract, *, as_of: datetime) -> tuple[list[Finding], dict[str, Mask]]:
    """Find rows with an instant after `as_of`; a point-in-time join must never see them."""
    limit = as_of + CLOCK_TOLERANCE
    findings = []
    faults = {}
    for column in contract.columns:
        if not pa.types.is_timestamp(column.type):
            continue
        late = pc.fill_null(pc.greater(table[column.name], pa.scalar(limit, column.type)), False).to_numpy()
        if late.any():
            faults[f"{column.name} is after as_of"] = late
            # As text, because Python has no instants after the year 9999.
            latest = pc.max(table[column.name]).cast(pa.string()).as_py()
            message = f"got {latest}, allowed up to {limit.isoformat()} (as_of + 5 min); the rows are set aside"
            findings.append(
                Finding("future", contract.table, column.name, "QUARANTINE", int(late.sum()), table.num_rows, message)
            )
    return findings, faults


def check_availability(table: pa.Table, contract: Contract, *, lag: timedelta) -> list[Finding]:
    """Refuse a source that knew values before their event; record values that came later than the usual lag."""
    findings = []
    for event, available in contract.lags:
        early = _count(pc.less(table[available], table[event]))
        if early:
            message = (
                f"{early} rows are available before their {event}, which no source can be; "
                "correct its clock or its columns, and do not train on it"
            )
            findings.append(
                Finding("known too early", contract.table, available, "REJECT", early, table.num_rows, message)
            )
        late = _count(pc.greater(table[available], pc.add(table[event], pa.scalar(lag))))
        if late:
            message = f"{late} rows came more than {lag} after their {event}; they count from when they came"
            findings.append(Finding("late", contract.table, available, "WARN", late, table.num_rows, message))
    return findings


def _count(mask: pa.ChunkedArray) -> int:
    return int(pc.sum(mask).as_py() or 0)

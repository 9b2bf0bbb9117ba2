"""Find repeated rows, and set faulty rows aside with their reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from argosy.validation.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from argosy.validation.shape import Mask

_ROW = "__row"


def drop_repeats(table: pa.Table, name: str, *, key: Sequence[str]) -> tuple[pa.Table, list[Finding]]:
    """Keep the first of rows that are equal in every column: a delivery that came twice counts once."""
    again = find_conflicts(table, key)
    if not again.any():
        return table, []
    candidates = _numbered(table).filter(pa.array(again))
    first = candidates.group_by(table.column_names).aggregate([(_ROW, "min")])[f"{_ROW}_min"]
    kept = ~again
    kept[first.to_numpy()] = True
    repeats = int((~kept).sum())
    if not repeats:
        return table, []
    message = f"{repeats} rows came again with the same content; each counts once"
    return table.filter(pa.array(kept)), [Finding("repeated rows", name, "", "WARN", repeats, len(kept), message)]


def find_conflicts(table: pa.Table, key: Sequence[str]) -> Mask:
    """Return all rows whose key occurs more than once; after `drop_repeats` their content differs."""
    conflicting = np.zeros(table.num_rows, dtype=np.bool_)
    groups = table.select(list(key)).group_by(list(key)).aggregate([([], "count_all")])
    if groups.num_rows < table.num_rows:
        numbered = _numbered(table.select(list(key))).group_by(list(key)).aggregate([(_ROW, "list"), (_ROW, "count")])
        places = numbered.filter(pc.greater(numbered[f"{_ROW}_count"], 1))[f"{_ROW}_list"]
        conflicting[pc.list_flatten(places).to_numpy()] = True
    return conflicting


def _numbered(table: pa.Table) -> pa.Table:
    return table.append_column(_ROW, pa.array(np.arange(table.num_rows)))


def conflict_finding(conflicting: Mask, name: str, key: Sequence[str]) -> list[Finding]:
    """Report rows with the same key and other content; without a correction feed neither is right."""
    rows = int(conflicting.sum())
    if not rows:
        return []
    message = f"{rows} rows share their ({', '.join(key)}) with a row of other content; all are set aside"
    return [Finding("conflicting rows", name, "", "QUARANTINE", rows, len(conflicting), message)]


def set_aside(
    table: pa.Table, name: str, faults: Mapping[str, Mask], *, limit: float
) -> tuple[pa.Table, pa.Table, list[Finding]]:
    """Split a table into its sound rows and the others, which get a column `reasons`.

    Args:
        table: The rows, of any columns.
        name: Name of the table, for the finding.
        faults: Faulty rows by reason, shape (n_rows,) each.
        limit: Largest share of faulty rows, inclusive, with which the sound ones may be used.
    """
    bad = np.zeros(table.num_rows, dtype=np.bool_)
    reasons = np.full(table.num_rows, "", dtype=object)
    for reason, rows in faults.items():
        reasons[rows & bad] += "; "
        reasons[rows] += reason
        bad |= rows
    aside = table.filter(pa.array(bad)).append_column("reasons", pa.array(reasons[bad], pa.string()))
    findings = []
    if bad.sum() > limit * len(bad):
        counts = ", ".join(f"{reason} ({int(rows.sum())})" for reason, rows in faults.items() if rows.any())
        message = f"{bad.mean():.2%} of the rows are faulty, allowed {limit:.0%}: {counts}; correct the source"
        findings.append(Finding("quarantine limit", name, "", "REJECT", int(bad.sum()), len(bad), message))
    return table.filter(pa.array(~bad)), aside, findings

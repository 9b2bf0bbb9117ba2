"""Check a table as a whole against a reference period: volumes, categories, match rates, quartiles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from argosy.validation.cells import as_floats
from argosy.validation.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Mapping

    from argosy.validation.contract import Band, Contract

UNSEEN_LIMIT = 0.01
EXPLOSION = 2
RATIO_LIMIT = 3
SHIFT_LIMIT = 4
MATCH_TOLERANCE = 0.05


def check_volumes(counts: Mapping[str, int], limits: Mapping[str, tuple[int, int]], table: str) -> list[Finding]:
    """Refuse segments with fewer or more rows than ever seen, and segments that are absent.

    Args:
        counts: Rows by segment, such as "2013-01-31 EWR".
        limits: Smallest and largest number of rows, inclusive, of every segment that must be there.
        table: Name of the table.
    """
    odd = [
        f"{segment}: {counts.get(segment, 0)} rows, allowed {low} .. {high}"
        for segment, (low, high) in limits.items()
        if not low <= counts.get(segment, 0) <= high
    ]
    if not odd:
        return []
    message = f"{len(odd)} of {len(limits)} segments have an odd volume, {'; '.join(odd[:5])}; deliver them again"
    return [Finding("volume", table, "", "REJECT", len(odd), len(limits), message)]


def check_categories(table: pa.Table, contract: Contract) -> list[Finding]:
    """Refuse category columns that exploded or changed their codes; record single unseen categories."""
    findings = []
    for column in contract.columns:
        if column.known is None:
            continue
        values = table[column.name].drop_null()
        unseen = values.filter(pc.invert(pc.is_in(values, value_set=pa.array(sorted(column.known)))))
        if not len(unseen):
            continue
        names = sorted(pc.unique(unseen).to_pylist())
        distinct = pc.count_distinct(values).as_py()
        got = f"{len(unseen)} rows ({len(unseen) / len(values):.2%}) hold {len(names)} unseen values: {names[:5]}"
        if len(unseen) > UNSEEN_LIMIT * len(values) or distinct > EXPLOSION * len(column.known):
            action, rule = "REJECT", f"allowed {UNSEEN_LIMIT:.0%} and {EXPLOSION * len(column.known)} values"
            advice = "restore the codes, or review the reference"
        else:
            action, rule, advice = "WARN", "few enough", "a model sees them as unknown"
        findings.append(
            Finding(
                "categories",
                contract.table,
                column.name,
                "REJECT" if action == "REJECT" else "WARN",
                len(unseen),
                table.num_rows,
                f"{got}; {rule}; {advice}",
            )
        )
    return findings


def check_match(*, matched: int, total: int, reference: float, place: tuple[str, str], at: str) -> list[Finding]:
    """Refuse a key whose share of matches in another table left the reference by five points.

    Args:
        matched: Rows with a partner.
        total: Rows.
        reference: Share of rows with a partner in the reference period.
        place: Table and key column.
        at: The rows and the other table, for people: "2013-01 in planes".
    """
    rate = matched / total if total else 0.0
    if round(abs(rate - reference), 9) <= MATCH_TOLERANCE:
        return []
    low, high = reference - MATCH_TOLERANCE, min(1.0, reference + MATCH_TOLERANCE)
    message = (
        f"{rate:.1%} of {at} match, allowed {low:.1%} .. {high:.1%}; "
        "compare the format of the key on both sides, then deliver again"
    )
    return [Finding("match rate", *place, "REJECT", total - matched, total, message)]


def check_bands(table: pa.Table, contract: Contract, *, at: str) -> list[Finding]:
    """Refuse columns whose quartiles tell of another unit."""
    findings = []
    for column in contract.columns:
        numbers = as_floats(table[column.name]) if column.band else np.empty(0)
        numbers = numbers[np.isfinite(numbers)]
        problem = band_problem(numbers, column.band) if column.band and len(numbers) else None
        if problem:
            message = f"{problem} in {at}; it looks like another unit, deliver the agreed one"
            findings.append(
                Finding("unit", contract.table, column.name, "REJECT", len(numbers), table.num_rows, message)
            )
    return findings


def band_problem(numbers: np.ndarray[tuple[int], np.dtype[np.float64]], band: Band) -> str | None:
    """Say how quartiles left their band: median by a factor of 3 or 4 spreads, or a spread 3 times as wide.

    A narrower spread is no fault: one season lies inside the reference's.
    """
    lower, median, upper = (float(value) for value in np.quantile(numbers, [0.25, 0.5, 0.75]))
    spread = band.upper - band.lower
    if abs(median - band.median) > SHIFT_LIMIT * spread:
        low, high = band.median - SHIFT_LIMIT * spread, band.median + SHIFT_LIMIT * spread
        return f"the median is {median:.6g}, allowed {low:.6g} .. {high:.6g}"
    if band.lower > 0 and not band.median / RATIO_LIMIT <= median <= band.median * RATIO_LIMIT:
        return f"the median is {median:.6g}, allowed {band.median / RATIO_LIMIT:.6g} .. {band.median * RATIO_LIMIT:.6g}"
    if upper - lower > RATIO_LIMIT * spread:
        return f"the quartiles are {upper - lower:.6g} apart, allowed {RATIO_LIMIT * spread:.6g}"
    return None

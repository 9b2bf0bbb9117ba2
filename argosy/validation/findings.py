"""Findings and the verdict over them: what a check saw, and what is done about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Action = Literal["REJECT", "BLOCK", "QUARANTINE", "NULL", "WARN"]
"""REJECT: refuse the batch. BLOCK: neither train nor promote on it. QUARANTINE: set rows aside and go on.
NULL: set the value to null and go on. WARN: go on."""

STOPS = ("REJECT", "BLOCK")


@dataclass(frozen=True)
class Finding:
    """What one check saw in one table.

    Attributes:
        column: The column concerned; empty if it is the table as a whole.
        rows: Number of rows concerned, out of `total`.
        message: What was got, what is allowed, what to do; without the place.
    """

    check: str
    table: str
    column: str
    action: Action
    rows: int
    total: int
    message: str

    @property
    def place(self) -> str:
        """Return `table.column`, or the table."""
        return f"{self.table}.{self.column}" if self.column else self.table

    def as_json(self) -> dict[str, Any]:
        """Return plain JSON values; `share` is of the rows of the table."""
        return {
            "check": self.check,
            "table": self.table,
            "column": self.column,
            "action": self.action,
            "rows": self.rows,
            "share": round(self.rows / self.total, 6) if self.total else 0.0,
            "message": f"{self.place}: {self.message}",
        }


def is_rejected(findings: Iterable[Finding]) -> bool:
    """Say whether any finding stops the batch."""
    return any(finding.action in STOPS for finding in findings)


def judge(findings: Sequence[Finding]) -> dict[str, Any]:
    """Turn findings into the verdict on a batch; the gravest come first, otherwise in the order given."""
    gravest = ("REJECT", "BLOCK", "QUARANTINE", "NULL", "WARN")
    ordered = sorted(findings, key=lambda finding: gravest.index(finding.action))
    rejected = is_rejected(findings)
    return {
        "verdict": "rejected" if rejected else "accepted",
        "ok": not rejected,
        "reasons": [f"{f.action} {f.place}: {f.message}" for f in ordered if f.action in STOPS],
        "findings": [finding.as_json() for finding in ordered],
    }

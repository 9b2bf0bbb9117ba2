"""Judge whether the rows of each view would be there in time, were its requests served online.

Training joins what was known at a request; serving has what had reached the online store by then, a serving lag later.
So coverage is measured twice: as training has it, and counting only rows whose timestamp is a whole lag ago or more,
which is the worst that the view's schedule allows. The second has to reach the view's `min_coverage`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from argosy.errors import BadInput
from argosy.features.definitions.schedule import SCHEDULE, duration_text, lag_text, readable_s, ttl_text
from argosy.features.instants import SECOND_US, datetime_at
from argosy.features.offline import queries
from argosy.features.rules import View, read_rules
from argosy.features.tables import connect, read_parquet

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb
    from numpy.typing import NDArray

HOUR, DAY = 3600, 86_400
CURVE_S = (900, 1800, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 3 * DAY, 7 * DAY, 30 * DAY)
EXACT = 2**53  # above it a double skips whole numbers


@dataclass(frozen=True)
class Ages:
    """Ages of the rows that requests find, ascending, microseconds; and how many requests there are."""

    found: NDArray[np.int64]
    requests: int

    def covered_by(self, ttl_us: int | None) -> float:
        """Return the share of requests whose row is not older than a TTL."""
        inside = len(self.found) if ttl_us is None else int(np.searchsorted(self.found, ttl_us, side="right"))
        return inside / self.requests

    def smallest_ttl_us(self, goal: float) -> int | None:
        """Return the shortest TTL that covers a share of the requests; None where not so many find a row at all."""
        needed = max(1, math.ceil(goal * self.requests - 1e-9))
        return int(self.found[needed - 1]) if needed <= len(self.found) else None

    def quantile_s(self, share: float) -> float | None:
        """Return a quantile of the ages that occurs, in seconds; None where nothing is found."""
        place = max(0, math.ceil(share * len(self.found) - 1e-9) - 1)
        return int(self.found[place]) / SECOND_US if len(self.found) else None


def check_coverage(*, events: Path, features: Path, start: str, end: str) -> dict[str, Any]:
    """Refuse views whose rows, under their schedule, would be there for too few of the requests of a window.

    Args:
        events: Folder with `<source>.parquet` per view, and `requests/part-*.parquet` with t0, day and the keys.
        features: The compiled rules.
        start: First day that counts, like "2013-01-01".
        end: The day after the last.

    Returns:
        `verdict` (accepted or rejected), `ok`, `reasons`, and `coverage`: the number of requests, and per view `lag_s`,
        its `coverage` without and `with_lag`, the least it asks for, quantiles of the ages that it would be served at,
        and the `curve`: both shares by TTL.

    Raises:
        BadInput: A table lacks a column, or the window has no requests.

    """
    rules = read_rules(features)
    with connect() as db:
        requests = _load_requests(db, events / "requests", [key for v in rules.views for key in v.keys], (start, end))
        judged = [_judge_view(db, view, events, requests) for view in rules.views]
    reasons = [line for lines, _ in judged for line in lines]
    views = {view.name: found for view, (_, found) in zip(rules.views, judged, strict=True)}
    return {
        "verdict": "rejected" if reasons else "accepted",
        "ok": not reasons,
        "reasons": reasons,
        "coverage": {"start": start, "end": end, "requests": requests, "views": views},
    }


def _load_requests(db: duckdb.DuckDBPyConnection, folder: Path, keys: list[str], window: tuple[str, str]) -> int:
    """Make the table `requests` of those of a window, and count them."""
    db.register("asked", read_parquet(folder, {"t0", "day", *keys}))
    db.execute("CREATE TABLE requests AS SELECT * FROM asked WHERE day >= ? AND day < ?", window)
    count = int(db.sql("SELECT count(*) FROM requests").fetchall()[0][0])
    if not count:
        raise BadInput(f"{folder}: no request has a day in [{window[0]}, {window[1]}); name a window that has some")
    return count


def _judge_view(
    db: duckdb.DuckDBPyConnection, view: View, events: Path, requests: int
) -> tuple[list[str], dict[str, Any]]:
    """Return what is wrong with a view, and what was measured of it."""
    whole = [each.field for each in view.features if each.dtype == "Int64" and not each.equals]
    db.register("offered", read_parquet(events / f"{view.source}.parquet", {*queries.identity(view), *whole}))
    lag_us = view.serving_lag_us or 0
    trained, served = (_ages(db, view, lag, requests) for lag in (0, lag_us))
    [[newest]] = db.sql(queries.newest_instant(view)).fetchall()
    reasons = [line for field in whole if (line := _inexact(db, field))]
    reasons += _shortfall(view, trained, served)
    marks = sorted({*CURVE_S, *([view.ttl_us / SECOND_US] if view.ttl_us else [])})
    return [f"feature view {view.name!r}: {line}" for line in reasons], {
        "ttl_s": None if view.ttl_us is None else view.ttl_us / SECOND_US,
        "lag_s": None if view.serving_lag_us is None else lag_us / SECOND_US,
        "coverage": round(trained.covered_by(view.ttl_us), 6),
        "with_lag": round(served.covered_by(view.ttl_us), 6),
        "min_coverage": view.min_coverage,
        "newest": None if newest is None else datetime_at(newest).isoformat(),
        "age_s": {name: served.quantile_s(share) for name, share in queries.QUANTILES.items()},
        "curve": [
            {
                "ttl_s": ttl_s,
                "coverage": round(trained.covered_by(int(ttl_s * SECOND_US)), 6),
                "with_lag": round(served.covered_by(int(ttl_s * SECOND_US)), 6),
            }
            for ttl_s in marks
        ],
    }


def _ages(db: duckdb.DuckDBPyConnection, view: View, lag_us: int, requests: int) -> Ages:
    """Return the ages of what the requests would find a lag after it is known."""
    return Ages(db.sql(queries.ages(view, lag_us=lag_us)).fetchnumpy()[queries.AGE], requests)


def _shortfall(view: View, trained: Ages, served: Ages) -> list[str]:
    """Say that a view covers too few requests, and what would cover enough."""
    covered, goal = served.covered_by(view.ttl_us), view.min_coverage
    if covered >= goal:
        return []
    lag_us = view.serving_lag_us or 0
    spans = dict(zip(SCHEDULE, (view.max_lateness_s, view.materialize_every_s, view.run_budget_s), strict=True))
    parts = lag_text({name: span for name, span in spans.items() if span})
    lag = f"served {duration_text(lag_us // SECOND_US)} after they are known ({parts}), " if lag_us else ""
    ttl = f"inside its ttl of {duration_text(view.ttl_us // SECOND_US)}" if view.ttl_us else "there"
    enough = served.smallest_ttl_us(goal)
    if enough is None:
        change = f"no ttl does, for {_percent(served.covered_by(None))} find a row at all; repair the feed or its keys"
    else:
        ttl_s = readable_s(max(math.ceil(enough / SECOND_US), lag_us // SECOND_US + 1))
        change = f"{ttl_text(ttl_s)} covers {_percent(served.covered_by(ttl_s * SECOND_US))}"
        change += f", and no lag at all {_percent(trained.covered_by(view.ttl_us))}" if lag_us else ""
    return [
        f"{lag}rows are {ttl} for {_percent(covered)} of {served.requests:,} requests, its min_coverage asks for "
        f"{_percent(goal)}: {change}"
    ]


def _inexact(db: duckdb.DuckDBPyConnection, field: str) -> str | None:
    """Name a field of whole numbers that features, which are floating, would change."""
    count, example = db.sql(queries.beyond(field, EXACT)).fetchall()[0]
    if not count:
        return None
    return (
        f"field {field!r}: {count} rows hold a whole number beyond 2^53, such as {example}, which a feature would "
        "change; make it a String, or leave it out of the view"
    )


def _percent(share: float) -> str:
    """Write a share, rounded down: what is just too little never reads as enough."""
    return f"{math.floor(share * 10_000 + 1e-9) / 100:g} %"

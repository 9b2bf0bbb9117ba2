"""Bring the newest rows of each view into the online store, up to an instant.

A view's window starts where the last materialisation ended, less the lateness that its feed may have, and never before
what its TTL still shows; a first one starts there. Of each entity the newest row of the window is offered, and the
store keeps the newer of two, so a window that overlaps, a repetition and a run that was killed change nothing. Last, a
mark says until when the view is complete; it moves forward alone.
"""

from __future__ import annotations

import logging
from bisect import bisect_right
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from argosy.features.instants import SECOND_US, instant_text
from argosy.features.online import offered
from argosy.features.online.connect import named_online, open_online
from argosy.features.online.marks import began_us, mark_of, online_view, read_work
from argosy.features.online.offered import Window
from argosy.features.online.rows import OnlineRow
from argosy.features.rules import read_rules
from argosy.features.tables import connect

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import duckdb

    from argosy.features.online.marks import Work
    from argosy.features.online.rows import OnlineStore
    from argosy.features.rules import View

BATCH_ROWS = 5_000

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Offer:
    """A view, where its rows are, and until when it is complete; None where it has to be brought from the start."""

    view: View
    path: Path
    began_us: int | None


def materialize(*, events: Path, features: Path, online: OnlineStore, work: Work) -> dict[str, Any]:
    """Write what became known of each online view, drop what nobody may see any more, and mark it done.

    Args:
        events: Folder with `<source>.parquet` per view.
        features: The compiled rules.
        online: Where the rows go.
        work: The instant, the source, and how far to look back.

    Returns:
        `at`, and per view `ttl_s`, `seen_us` (what was looked at before), `offered`, `written`, `late` (written, and no
        newer than the last mark), `dropped`, `entities` (known by the instant), `alive` (of these, inside the TTL),
        `coverage` (their share), `freshness_s` (age of the newest row; None without one).

    Raises:
        BadInput: A source cannot be read, contradicts itself, or holds what its view's types do not.
        Outage: The store does not answer; what was written stays, and no mark was moved.

    """
    marks = online.marks()
    views: dict[str, Any] = {}
    with connect() as db:
        for view in read_rules(features).views:
            if view.online:
                log.info("materialise %s", view.name)
                path = events / f"{view.source}.parquet"
                offer = _Offer(view, path, began_us(view, marks.get(view.name)))
                views[view.name] = _materialize_view(db, offer, online, work)
    return {"at": instant_text(work.at_us), "views": views}


def _materialize_view(db: duckdb.DuckDBPyConnection, offer: _Offer, online: OnlineStore, work: Work) -> dict[str, Any]:
    """Bring one view up to the instant."""
    view, began, target = offer.view, offer.began_us, online_view(offer.view)
    window = window_of(view, began, work)
    known = offered.load(db, view, offer.path, window)
    written = late = 0
    for rows in _batches(db, view, began):
        count = online.write(target, rows).written
        written += count
        late += count if began is not None and rows[0].event_us <= began else 0
    dropped = 0 if view.forgets_us is None else online.drop_before(target, work.at_us - view.forgets_us)
    report = {"ttl_s": None if view.ttl_us is None else view.ttl_us / SECOND_US, "seen_us": window.seen_us}
    report |= {"written": written, "late": late, "dropped": dropped, **known.report(work.at_us)}
    online.mark(view.name, {**mark_of(view, work), **report}, at_us=work.at_us)
    return report


def window_of(view: View, began_us: int | None, work: Work) -> Window:
    """Say which rows a materialisation has to look at.

    It looks back before the last one by the lateness that the feed may have, and by how long rows are held back; what
    is later than that needs `since_us`.

    Args:
        view: With its TTL, lateness and availability.
        began_us: Until when the view is complete already; None if it is not begun.
        work: The instant, and how far to go back.

    """
    dead = None if view.forgets_us is None else work.at_us - view.forgets_us - 1
    if began_us is None:
        return Window(work.at_us, dead, None)
    held_back = view.availability if isinstance(view.availability, int) else 0
    seen = min(began_us, work.at_us) - (view.max_lateness_s or 0) * SECOND_US - held_back
    return Window(work.at_us, dead, seen if work.since_us is None else min(seen, work.since_us))


def _batches(db: duckdb.DuckDBPyConnection, view: View, began_us: int | None) -> Iterator[list[OnlineRow]]:
    """Read the offered rows, oldest event first; a batch is late as a whole or not at all."""
    cursor = db.execute(offered.newest_rows(view))
    names = list(view.stored)
    width = len(view.keys)
    while found := cursor.fetchmany(BATCH_ROWS):
        rows = [
            OnlineRow(row[:width], row[width], row[width + 1], dict(zip(names, row[width + 2 :], strict=True)))
            for row in found
        ]
        split = 0 if began_us is None else bisect_right(rows, began_us, key=lambda row: row.event_us)
        yield from filter(None, (rows[:split], rows[split:]))


def materialize_for(*, events: Path, features: Path, at: str, since: str, env: Mapping[str, str]) -> dict[str, Any]:
    """Do `materialize` with what a step is given, as `argosy.features.online.marks.observe` takes it."""
    with closing(open_online(named_online(env))) as store:
        return materialize(events=events, features=features, online=store, work=read_work(at, since, env))

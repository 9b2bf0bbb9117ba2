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

from argosy.features.instants import instant_text, instant_us
from argosy.features.online import offered
from argosy.features.online.connect import open_online
from argosy.features.online.offered import Window
from argosy.features.online.rows import OnlineRow, OnlineView
from argosy.features.rules import read_rules
from argosy.features.tables import connect
from argosy.launcher.canonical import digest_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import duckdb

    from argosy.features.online.rows import OnlineStore
    from argosy.features.rules import View

BATCH_ROWS = 5_000
SECOND_US = 1_000_000

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Work:
    """What a materialisation is for.

    Args:
        at_us: The instant as of which the store is to be complete, microseconds since 1970 UTC.
        source: Digest of the event rows, which the mark repeats.
        since_us: Events after this instant are looked at again, for what came later than any lateness that is declared;
            None where nothing is to be made good.

    """

    at_us: int
    source: str
    since_us: int | None = None


@dataclass(frozen=True)
class _Offer:
    """A view, where its rows are, and until when it is complete; None where it has to be brought from the start."""

    view: View
    path: Path
    began_us: int | None


def online_view(view: View) -> OnlineView:
    """Describe a view as an online store has to know it."""
    return OnlineView(view.name, tuple(view.keys), tuple(view.key_types), view.stored)


def is_current(*, features: Path, online: OnlineStore, work: Work) -> bool:
    """Say whether every online view is complete as of the work's instant or later, and nothing is to be made good."""
    if work.since_us is not None:
        return False
    marks = online.marks()
    views = [view for view in read_rules(features).views if view.online]
    return all(_covers(view, marks.get(view.name), work) for view in views)


def _covers(view: View, mark: dict[str, Any] | None, work: Work) -> bool:
    """Say whether a mark stands for this work."""
    if mark is None or mark["rules"] != rules_digest(view):
        return False
    return bool(mark["at_us"] > work.at_us or (mark["at_us"] == work.at_us and mark["source"] == work.source))


def materialize(*, events: Path, features: Path, online: OnlineStore, work: Work) -> dict[str, Any]:
    """Write what became known of each online view, drop what nobody may see any more, and mark it done.

    Args:
        events: Folder with `<source>.parquet` per view.
        features: The compiled rules.
        online: Where the rows go.
        work: The instant, the source, and the range of a backfill.

    Returns:
        Per view `seen_us` (what was looked at before), `offered`, `written`, `late` (written, and no newer than the
        last mark), `dropped`, `entities` (known by the instant), `alive` (of these, inside the TTL), `coverage` (their
        share), `freshness_s` (age of the newest row; None without one).

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
                offer = _Offer(view, path, _began(view, marks.get(view.name)))
                views[view.name] = _materialize_view(db, offer, online, work)
    return {"at": instant_text(work.at_us), "views": views}


def _materialize_view(db: duckdb.DuckDBPyConnection, offer: _Offer, online: OnlineStore, work: Work) -> dict[str, Any]:
    """Bring one view up to the instant."""
    view, began = offer.view, offer.began_us
    window = window_of(view, began, work)
    known = offered.load(db, view, offer.path, window)
    written = late = 0
    for rows in _batches(db, view, began):
        count = online.write(online_view(view), rows).written
        written += count
        late += count if began is not None and rows[0].event_us <= began else 0
    dropped = 0 if view.forgets_us is None else online.drop_before(online_view(view), work.at_us - view.forgets_us)
    report = {
        "seen_us": window.seen_us,
        "written": written,
        "late": late,
        "dropped": dropped,
        **known.report(work.at_us),
    }
    done = {"at_us": work.at_us, "source": work.source, "rules": rules_digest(view), **report}
    online.mark(view.name, done, at_us=work.at_us)
    return report


def rules_digest(view: View) -> str:
    """Name what of a view decides which rows the store holds; under another name, a mark stands for nothing."""
    return digest_of([view.timestamp, view.created, view.forgets_us, view.availability, *_sorted(online_view(view))])


def _sorted(view: OnlineView) -> list[Any]:
    return [list(view.keys), list(view.key_types), sorted(view.fields.items())]


def _began(view: View, mark: dict[str, Any] | None) -> int | None:
    """Return the instant until which the view is complete; None where it has to be brought from the start."""
    return int(mark["at_us"]) if mark is not None and mark["rules"] == rules_digest(view) else None


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


def observe(*, features: Path, online: str, source: str, at: str, since: str = "") -> tuple[bool, dict[str, Any]]:
    """Say whether an online store is complete, and name what it holds: the store itself, and its marks.

    Args:
        features: The compiled rules.
        online: The store's URL.
        source: Digest of the event rows.
        at: The instant, ISO 8601 with its zone.
        since: From where events are to be looked at again; empty for nowhere.

    Raises:
        BadInput: An instant cannot be read.
        Outage: The store does not answer.

    """
    work = _work(at, since, source)
    with closing(open_online(online)) as store:
        held = {name: [mark["at_us"], mark["source"], mark["rules"]] for name, mark in sorted(store.marks().items())}
        return is_current(features=features, online=store, work=work), {"store": store.identity(), "marks": held}


def materialize_into(
    online: str, *, events: Path, features: Path, source: str, at: str, since: str = ""
) -> dict[str, Any]:
    """Do `materialize` with an online store by its URL and instants as text, as `observe` takes them."""
    with closing(open_online(online)) as store:
        return materialize(events=events, features=features, online=store, work=_work(at, since, source))


def _work(at: str, since: str, source: str) -> Work:
    return Work(instant_us(at), source, instant_us(since) if since else None)

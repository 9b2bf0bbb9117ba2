"""What the schedule and the clock alone determine about a flight at its scheduled departure.

Training calls these functions on a year of flights, serving on the last hours of one airport: the same code, so the
same numbers. All times are int64 microseconds since 1970 UTC.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Times = NDArray[np.int64]
    Keys = NDArray[np.int64]

MINUTE = 60_000_000
NEVER = np.iinfo(np.int64).max
QUEUE_WINDOW = 180 * MINUTE
CROWD_REACH = 30 * MINUTE


def published_at(dep_available_at: Times, sched_dep_at: Times) -> Times:
    """Hold an early departure back until its scheduled departure has passed.

    More than half of all flights leave early. Without the hold, a flight could find its own departure among the
    events known at its scheduled departure.

    Args:
        dep_available_at: When the feed delivered the departure; `NEVER` where it did not.
        sched_dep_at: Scheduled departures of the same flights.

    """
    return np.maximum(dep_available_at, sched_dep_at + MINUTE)


def queue_lengths(scheduled: Times, published: Times, keys: Keys) -> NDArray[np.int64]:
    """Count, per flight, the flights of its key that are overdue: scheduled in [t0 - 3 h, t0), not known to have left.

    A cancelled flight waits like any other, because nobody announced it. A flight stands in the queue from its
    scheduled departure until it is known to have left or three hours have passed, so the length is the entries before
    t0 less the exits up to t0.

    Args:
        scheduled: Scheduled departures, which are also the instants asked about.
        published: When each departure became known (`published_at`), `NEVER` for none.
        keys: What queues together, as integers: an airport, or a carrier at an airport.

    """
    exits = np.minimum(published, scheduled + QUEUE_WINDOW + 1)
    lengths = np.zeros(len(scheduled), dtype=np.int64)
    for rows in _groups(keys):
        at = scheduled[rows]
        entered = np.searchsorted(np.sort(at), at, side="left")
        left = np.searchsorted(np.sort(exits[rows]), at, side="right")
        lengths[rows] = entered - left
    return lengths


def crowds(scheduled: Times, keys: Keys) -> NDArray[np.int64]:
    """Count, per flight, the flights of its key scheduled within 30 minutes before or after it, itself included."""
    counts = np.zeros(len(scheduled), dtype=np.int64)
    for rows in _groups(keys):
        at = scheduled[rows]
        ordered = np.sort(at)
        last = np.searchsorted(ordered, at + CROWD_REACH, side="right")
        counts[rows] = last - np.searchsorted(ordered, at - CROWD_REACH, side="left")
    return counts


def _groups(keys: Keys) -> Sequence[NDArray[np.intp]]:
    """Split row numbers by key."""
    order = np.argsort(keys, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(keys[order])) + 1)

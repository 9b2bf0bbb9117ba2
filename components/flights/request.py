"""What the schedule and the clock determine about a flight at its scheduled departure.

Training calls `request_facts` on a year of flights, serving on the last hours of the airports: the same code, so the
same numbers. Times are int64 microseconds since 1970 UTC.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Integers = NDArray[np.int64]
    Facts = dict[str, NDArray[np.float32]]

MINUTE = 60_000_000
NEVER = int(np.iinfo(np.int64).max)
QUEUE_WINDOW = 180 * MINUTE
CROWD_REACH = 30 * MINUTE


def publication(dep_available_at: Integers, sched_dep_at: Integers) -> Integers:
    """Hold an early departure back until its scheduled departure has passed.

    More than half of all flights leave early. Without the hold a flight could find its own departure among the
    events known at its scheduled departure.

    Args:
        dep_available_at: When the feed delivered the departures; `NEVER` where it did not.
        sched_dep_at: Scheduled departures of the same flights.

    """
    return np.maximum(dep_available_at, sched_dep_at + MINUTE)


def request_facts(
    *, sched_dep_at: Integers, sched_arr_at: Integers, published_at: Integers, origin: Integers, carrier: Integers
) -> Facts:
    """Return the request's own features, each as of the flight's scheduled departure.

    Args:
        sched_dep_at: Scheduled departures of all flights within three hours of those asked about, cancelled ones too.
        sched_arr_at: Scheduled arrivals.
        published_at: When each departure became known (`publication`); `NEVER` where it is not known.
        origin: Airports of departure, numbered from 0.
        carrier: Airlines, numbered from 0.

    """
    carrier_origin = origin * (carrier.max(initial=0) + 1) + carrier
    facts = {
        "block_min": (sched_arr_at - sched_dep_at) // MINUTE,
        "crowd_origin": crowds(sched_dep_at, origin),
        "crowd_carrier": crowds(sched_dep_at, carrier_origin),
        "queue_origin": queue_lengths(sched_dep_at, published_at, origin),
        "queue_carrier": queue_lengths(sched_dep_at, published_at, carrier_origin),
    }
    return {name: values.astype(np.float32) for name, values in facts.items()}


def queue_lengths(scheduled: Integers, published: Integers, keys: Integers) -> Integers:
    """Count the flights of a flight's key that are overdue: scheduled in [t0 - 3 h, t0), not known to have left.

    A flight waits from its scheduled departure until it is known to have left or three hours have passed; a cancelled
    one like any other, for nobody announced it. So the length is the entries before t0 less the exits up to t0.
    `published` is later than `scheduled`, as `publication` makes it.
    """
    exits = np.minimum(published, scheduled + QUEUE_WINDOW + 1)
    lengths = np.zeros(len(scheduled), dtype=np.int64)
    for rows in _groups(keys):
        at = scheduled[rows]
        entered = np.searchsorted(np.sort(at), at, side="left")
        lengths[rows] = entered - np.searchsorted(np.sort(exits[rows]), at, side="right")
    return lengths


def crowds(scheduled: Integers, keys: Integers) -> Integers:
    """Count the flights of a flight's key scheduled within 30 minutes before or after it, itself included."""
    counts = np.zeros(len(scheduled), dtype=np.int64)
    for rows in _groups(keys):
        at = scheduled[rows]
        ordered = np.sort(at)
        last = np.searchsorted(ordered, at + CROWD_REACH, side="right")
        counts[rows] = last - np.searchsorted(ordered, at - CROWD_REACH, side="left")
    return counts


def _groups(keys: Integers) -> list[NDArray[np.intp]]:
    """Split row numbers by key."""
    order = np.argsort(keys, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(keys[order])) + 1)

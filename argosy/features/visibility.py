"""The rule of time to live, for one row: what may be used at an instant, and what is said of what may not.

A row is visible at T iff `event <= T` and `T - event <= ttl`, in microseconds, both inclusive. Offline, `queries` says
the same in SQL; a property test holds both to one reading of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

Status = Literal["PRESENT", "NULL_VALUE", "NOT_FOUND", "OUTSIDE_MAX_AGE"]


def judge(event_us: int | None, at_us: int, ttl_us: int | None, values: Iterable[object]) -> Status:
    """Say what the newest row of an entity is at an instant.

    Args:
        event_us: The row's timestamp, microseconds since 1970 UTC; None where there is no row.
        at_us: The instant T.
        ttl_us: How old a row may be, inclusive; None for ever.
        values: Of the fields that are asked for.

    """
    if event_us is None or event_us > at_us:
        return "NOT_FOUND"
    if ttl_us is not None and at_us - event_us > ttl_us:
        return "OUTSIDE_MAX_AGE"
    return "NULL_VALUE" if all(value is None for value in values) else "PRESENT"

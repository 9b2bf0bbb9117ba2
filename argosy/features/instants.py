"""Instants as int64 microseconds since 1970 UTC: of text with a zone, of datetimes, of now."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from argosy.errors import BadInput

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
SECOND_US = 1_000_000


def now_us() -> int:
    """Return the wall clock in microseconds since 1970 UTC."""
    return time.time_ns() // 1_000


def since_1970_us(instant: datetime) -> int:
    """Return an instant in microseconds since 1970 UTC; without a time zone it is UTC, as Feast has it."""
    aware = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    return (aware - EPOCH) // MICROSECOND


def datetime_at(at_us: int) -> datetime:
    """Return microseconds since 1970 UTC as a datetime."""
    return EPOCH + at_us * MICROSECOND


def instant_us(text: object) -> int:
    """Read an ISO 8601 instant with its zone as microseconds since 1970 UTC.

    Raises:
        BadInput: It is none, or has no zone.

    """
    try:
        instant = datetime.fromisoformat(text if isinstance(text, str) else "")
    except ValueError as error:
        raise BadInput(f"{text!r:.80} is no instant; write one like 2013-06-15T12:00:00Z") from error
    if instant.tzinfo is None:
        raise BadInput(f"{text!r:.80} has no time zone; write one like 2013-06-15T12:00:00Z")
    return since_1970_us(instant)


def instant_text(at_us: int) -> str:
    """Write microseconds since 1970 UTC as ISO 8601."""
    return datetime_at(at_us).isoformat().replace("+00:00", "Z")

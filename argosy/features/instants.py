"""Instants: text with a zone, as int64 microseconds since 1970 UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from argosy.errors import BadInput

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


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
    return (instant - EPOCH) // MICROSECOND


def instant_text(at_us: int) -> str:
    """Write microseconds since 1970 UTC as ISO 8601."""
    return (EPOCH + at_us * MICROSECOND).isoformat().replace("+00:00", "Z")

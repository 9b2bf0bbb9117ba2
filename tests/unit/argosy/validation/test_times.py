from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow as pa

from argosy.validation.contract import Column, Contract
from argosy.validation.times import check_availability, find_future

INSTANT = pa.timestamp("us", tz="UTC")
FEED = Contract(
    "feed",
    (Column("event_at", INSTANT), Column("known_at", INSTANT)),
    key=("event_at",),
    lags=(("event_at", "known_at"),),
)
NOON = datetime(2013, 5, 1, 12, tzinfo=UTC)
LAG = timedelta(minutes=10)


def feed(*rows: tuple[int, int | None]) -> pa.Table:
    """Return events and when they were known, in minutes after noon."""
    event = [NOON + timedelta(minutes=row[0]) for row in rows]
    known = [None if row[1] is None else NOON + timedelta(minutes=row[1]) for row in rows]
    return pa.table({"event_at": pa.array(event, INSTANT), "known_at": pa.array(known, INSTANT)})


def test_five_minutes_after_the_cut_are_tolerated():
    findings, faults = find_future(feed((0, 5), (0, None)), FEED, as_of=NOON)

    assert (findings, faults) == ([], {})


def test_what_is_later_is_set_aside():
    (finding,), faults = find_future(feed((0, 0), (0, 6)), FEED, as_of=NOON)

    assert finding.action == "QUARANTINE"
    assert "2013-05-01 12:06:00" in finding.message
    assert faults["known_at is after as_of"].tolist() == [False, True]


def test_a_value_known_on_time_is_no_finding():
    assert check_availability(feed((0, 10), (0, 0), (0, None)), FEED, lag=LAG) == []


def test_a_value_known_before_its_event_refuses_the_source():
    (finding,) = check_availability(feed((1, 0), (0, 10)), FEED, lag=LAG)

    assert (finding.action, finding.column, finding.rows) == ("REJECT", "known_at", 1)


def test_a_late_value_is_recorded():
    (finding,) = check_availability(feed((0, 11)), FEED, lag=LAG)

    assert (finding.action, finding.check) == ("WARN", "late")

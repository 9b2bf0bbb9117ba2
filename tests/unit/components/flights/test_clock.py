from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.flights.clock import NEW_YORK, is_doubtful, minute_of_day, to_utc, to_wall


def at(text: str) -> np.ndarray:
    return np.array([text], dtype="datetime64[m]").astype(np.int64)


@pytest.mark.parametrize(("hhmm", "minute"), [(0, 0), (5, 5), (1359, 839), (2359, 1439), (2400, 1440)])
def test_clock_digits_are_not_minutes(hhmm: int, minute: int):
    assert minute_of_day(np.array([hhmm])) == minute


@pytest.mark.parametrize(
    ("wall", "zone", "utc"),
    [
        ("2013-01-01T05:15", NEW_YORK, "2013-01-01T10:15"),
        ("2013-07-01T05:15", NEW_YORK, "2013-07-01T09:15"),
        ("2013-07-01T05:15", "America/Phoenix", "2013-07-01T12:15"),
        ("2013-07-01T05:15", "America/Puerto_Rico", "2013-07-01T09:15"),
        ("2013-11-03T01:30", NEW_YORK, "2013-11-03T05:30"),
    ],
)
def test_wall_clocks_are_read_in_their_zone(wall: str, zone: str, utc: str):
    assert to_utc(at(wall), zone) == at(utc)


@pytest.mark.parametrize(
    ("wall", "doubtful"),
    [
        ("2013-11-03T00:59", False),
        ("2013-11-03T01:00", True),
        ("2013-11-03T01:59", True),
        ("2013-11-03T02:00", False),
        ("2013-03-10T02:30", True),
        ("2013-03-10T03:00", False),
    ],
)
def test_hours_that_occur_twice_or_never_are_doubtful(wall: str, doubtful: bool):
    assert is_doubtful(at(wall), NEW_YORK).tolist() == [doubtful]


@given(st.integers(22_600_000, 23_200_000))
def test_the_wall_clock_leads_back_unless_it_is_doubtful(minute: int):
    utc = np.array([minute])
    wall = to_wall(utc, NEW_YORK)

    assert is_doubtful(wall, NEW_YORK).all() or (to_utc(wall, NEW_YORK) == utc).all()

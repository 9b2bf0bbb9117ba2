"""Turn the clocks of the source (local wall time, HHMM) into UTC.

The source gives the scheduled departure in New York time and the scheduled arrival in the time of the
destination; actual times follow from the delays, because the HHMM of an actual time does not say its day.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

Minutes = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

NEW_YORK = "America/New_York"
# Destinations that airports.csv lacks.
ZONE_OF_MISSING_AIRPORT = dict.fromkeys(("SJU", "BQN", "STT", "PSE"), "America/Puerto_Rico")
DAY = 24 * 60
# Hours since 1970 that every calendar knows, 1901 to 2084; a faulty instant beyond takes the nearest offset.
_ERA = (-600_000, 1_000_000)
_EPOCH = datetime(1970, 1, 1)  # a wall clock has no zone until one is given


def minute_of_day(hhmm: Minutes) -> Minutes:
    """Turn HHMM into minutes after midnight; 2400 is 1440, the end of the day."""
    return hhmm // 100 * 60 + hhmm % 100


@cache
def _offsets(zone: str, hour: int) -> tuple[int, int]:
    """Return the UTC offset in minutes at a wall-clock hour since 1970, for the first and the second pass."""
    wall = _EPOCH + timedelta(hours=hour)
    passes = (wall.replace(tzinfo=ZoneInfo(zone), fold=fold).utcoffset() for fold in (0, 1))
    first, second = (int(offset.total_seconds()) // 60 for offset in passes if offset is not None)
    return first, second


def _offset_table(wall: Minutes, zone: str) -> tuple[Minutes, Minutes]:
    hours, index = np.unique(np.clip(wall // 60, *_ERA), return_inverse=True)
    pairs = np.array([_offsets(zone, int(hour)) for hour in hours], dtype=np.int64).reshape(-1, 2)
    return pairs[index, 0], pairs[index, 1]


def to_utc(wall: Minutes, zone: str) -> Minutes:
    """Turn wall-clock minutes since 1970 into UTC minutes; an ambiguous time is its first pass."""
    return wall - _offset_table(wall, zone)[0]


def is_doubtful(wall: Minutes, zone: str) -> Flags:
    """Say which wall-clock minutes occur twice or never, because the clock was changed."""
    first, second = _offset_table(wall, zone)
    return np.not_equal(first, second)


def to_wall(utc: Minutes, zone: str) -> Minutes:
    """Turn UTC minutes since 1970 into wall-clock minutes."""
    hours, index = np.unique(np.clip(utc // 60, *_ERA), return_inverse=True)
    return utc + np.array([_utc_offset(zone, int(hour)) for hour in hours], dtype=np.int64)[index]


@cache
def _utc_offset(zone: str, hour: int) -> int:
    instant = datetime.fromtimestamp(hour * 3600, ZoneInfo(zone))
    offset = instant.utcoffset()
    return int(offset.total_seconds()) // 60 if offset is not None else 0

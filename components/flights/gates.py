"""What a flights model has to hold, per profile: floors, leak ceiling, slices, margin, latency.

The year's floors and ceiling are for a static model judged on August to December. January's eight test days hold a
fifteenth of the rows and two stormy days, so its floors are wider: they are what the month's model reaches less twice
the spread of a bootstrap by day.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from components.flights.profiles import PROFILES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True)
class Policy:
    """The gates of one profile.

    Attributes:
        floors: Per metric, operator and bound.
        ceilings: Per metric, the value beyond which a leak is suspected.
        slices: Per metric, operator and bound for every slice that is not pooled.
        margin: How much worse in log loss than the champion the upper end of the 95 % interval may be.
        latency: Per measurement, operator and bound.

    """

    floors: Mapping[str, Sequence[Any]]
    ceilings: Mapping[str, float]
    slices: Mapping[str, Sequence[Any]]
    margin: float
    latency: Mapping[str, Sequence[Any]] = field(default_factory=lambda: {"p99_us": ["<=", 5000]})


POLICIES = {
    "year": Policy(
        floors={
            "auc": [">=", 0.780],
            "log_loss": ["<=", 0.419],
            "brier": ["<=", 0.131],
            "size_bytes": ["<=", 8_000_000],
        },
        ceilings={"auc": 0.800},
        slices={"auc": [">=", 0.700]},
        margin=0.002,
    ),
    "month": Policy(
        floors={
            "auc": [">=", 0.70],
            "log_loss": ["<=", 0.56],
            "brier": ["<=", 0.19],
            "size_bytes": ["<=", 8_000_000],
        },
        ceilings={"auc": 0.90},
        slices={"auc": [">=", 0.55]},
        margin=0.010,
    ),
}


def test_days(profile: str) -> tuple[str, str]:
    """Return the first and the last day on which a candidate is judged, both inclusive."""
    window = PROFILES[profile].test
    return window.start, (date.fromisoformat(window.end) - timedelta(days=1)).isoformat()

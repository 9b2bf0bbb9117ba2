"""What a flights model has to hold, per profile: floors, leak ceiling, slices, margin, latency.

The year's floors and ceilings are for a static model judged on August to December (138,375 labelled flights).
January's eight test days hold a twentieth of the rows and two storms: its floors are what the month's model reaches
(AUC .757, log loss .518, Brier .171) less .022, .022 and .007. The margins are twice the half-width of a paired
interval by day between two models of equal worth.
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
        latency: Per measurement, operator and bound: of processor time, which a busy machine does not lengthen as it
            does wall time.

    """

    floors: Mapping[str, Sequence[Any]]
    ceilings: Mapping[str, float]
    slices: Mapping[str, Sequence[Any]]
    margin: float
    latency: Mapping[str, Sequence[Any]] = field(default_factory=lambda: {"cpu_p99_us": ["<=", 1000]})


POLICIES = {
    "year": Policy(
        floors={
            "auc": [">=", 0.780],
            "log_loss": ["<=", 0.419],
            "brier": ["<=", 0.131],
            "size_bytes": ["<=", 8_000_000],
        },
        ceilings={"auc": 0.800, "log_loss": 0.400},
        slices={"auc": [">=", 0.700]},
        margin=0.004,
    ),
    "month": Policy(
        floors={
            "auc": [">=", 0.735],
            "log_loss": ["<=", 0.540],
            "brier": ["<=", 0.178],
            "size_bytes": ["<=", 8_000_000],
        },
        ceilings={"auc": 0.850},
        slices={"auc": [">=", 0.580]},
        margin=0.020,
    ),
}


def test_days(profile: str) -> tuple[str, str]:
    """Return the first and the last day on which a candidate is judged, both inclusive."""
    window = PROFILES[profile].test
    return window.start, (date.fromisoformat(window.end) - timedelta(days=1)).isoformat()

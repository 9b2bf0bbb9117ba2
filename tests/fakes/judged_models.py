"""Models for the frames of `tests.fakes.frames`, whose labels follow known odds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.fakes.linear_model import category, linear_model, number

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FEATURES = [
    number("minute_of_day", "schedule", 0, 1440),
    # Only EV differs in the frames; here its code is 1, that of AA 0, and carriers unknown to training count as 0.
    category("carrier", "schedule", "AA", "EV"),
    number("queue", "now", 0, 30),
    number("prev_delay", "aircraft", -100, 200),
]
TRUE_WEIGHTS = {"carrier": 1.0, "queue": 0.09, "prev_delay": 0.03}


def good_model(folder: Path) -> Path:
    """Write a model with the odds that the frame's labels were drawn with."""
    return weighted_model(folder, TRUE_WEIGHTS)


def weighted_model(folder: Path, weights: Mapping[str, float], *, bias: float = -2.2) -> Path:
    """Write a model with other weights."""
    return linear_model(folder, features=FEATURES, weights=weights, bias=bias)

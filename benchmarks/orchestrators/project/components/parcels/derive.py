"""The helper that one step uses: an edit of it has to re-run that step."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def derive(frame: pd.DataFrame) -> pd.DataFrame:
    """Add what the raw columns imply."""
    density = frame["weight_kg"] / frame["volume_l"]
    return frame.assign(density=density, evening=(frame["hour"] >= 17).astype("int8"))

"""The columns that the model sees."""

from __future__ import annotations

from typing import TYPE_CHECKING

from components.parcels.derive import derive
from components.parcels.tables import DEPOTS

if TYPE_CHECKING:
    import pandas as pd


def build_features(clean: pd.DataFrame) -> pd.DataFrame:
    """Return one column per feature, the label and the order in time."""
    wide = derive(clean)
    return wide.assign(**{f"depot_{name}": (wide["depot"] == name).astype("int8") for name in DEPOTS}).drop(
        columns="depot"
    )

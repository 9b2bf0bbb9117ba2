"""From raw parcels to the two tables that a model is trained and judged on."""

from __future__ import annotations

import numpy as np
import pandas as pd

DEPOTS = ("north", "east", "south", "west")


def load(rows: int, seed: int) -> pd.DataFrame:
    """Make parcels with a known cause of lateness, a few of them with impossible weights."""
    random = np.random.default_rng(seed)
    distance = random.gamma(2.0, 60.0, rows)
    hour = random.integers(6, 22, rows)
    depot = random.integers(0, len(DEPOTS), rows)
    late = random.random(rows) < 1 / (1 + np.exp(3.2 - 0.012 * distance - 0.9 * (hour >= 17) - 0.4 * (depot == 2)))
    return pd.DataFrame(
        {
            "posted": np.arange(rows),
            "hour": hour,
            "depot": np.array(DEPOTS)[depot],
            "distance_km": distance,
            "weight_kg": np.where(random.random(rows) < 0.01, -1.0, random.gamma(2.0, 1.5, rows)),
            "volume_l": random.uniform(1.0, 60.0, rows),
            "late": late.astype("int8"),
        }
    )


def clean(raw: pd.DataFrame) -> pd.DataFrame:
    """Drop duplicates and parcels that weigh nothing."""
    return raw[raw["weight_kg"] > 0].drop_duplicates("posted").reset_index(drop=True)


def split(features: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Part at three quarters of the time."""
    ordered = features.sort_values("posted", ignore_index=True)
    cut = len(ordered) * 3 // 4
    return ordered.iloc[:cut], ordered.iloc[cut:].reset_index(drop=True)


def read(path: str) -> pd.DataFrame:
    """Read a table."""
    return pd.read_parquet(path)


def write(frame: pd.DataFrame, path: str) -> None:
    """Write a table."""
    frame.to_parquet(path, index=False)

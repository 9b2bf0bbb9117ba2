"""Build a small frame folder in the frame format, and a model trained on it; seeded, in well under a second."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from argosy.training.fit import train
from argosy.training.plan import SearchBudget, TrainingPlan, Window

if TYPE_CHECKING:
    from pathlib import Path

FEATURES: list[dict[str, Any]] = [
    {"name": "minute_of_day", "type": "number", "group": "schedule", "description": "local minute of departure"},
    {"name": "carrier", "type": "category", "group": "schedule", "description": "two-letter code"},
    {"name": "distance", "type": "number", "group": "schedule", "description": "miles"},
    {"name": "seats", "type": "number", "group": "plane", "description": "seats of the plane"},
    {"name": "temp", "type": "number", "group": "weather", "description": "degrees Fahrenheit"},
    {"name": "weather_age_s", "type": "number", "group": "weather", "description": "age of the weather row"},
    {"name": "queue", "type": "number", "group": "now", "description": "scheduled in 3 h, not departed"},
    {"name": "carrier_late_7d", "type": "number", "group": "slow", "description": "late share of 7 days"},
    {"name": "prev_delay", "type": "number", "group": "aircraft", "description": "minutes, previous leg"},
]
GROUPS: list[dict[str, Any]] = [
    {"name": "schedule", "ttl_s": None, "droppable": False},
    {"name": "plane", "ttl_s": None, "droppable": False},
    {"name": "weather", "ttl_s": 7200, "droppable": True},
    {"name": "now", "ttl_s": 7200, "droppable": True},
    {"name": "slow", "ttl_s": 172800, "droppable": True},
    {"name": "aircraft", "ttl_s": 86400, "droppable": True},
]
CARRIERS = ("AA", "B6", "DL", "EV", "UA")
PLAN = TrainingPlan(
    name="flights-delay",
    predicts="arrives 15+ minutes late",
    train=Window("2013-01-01", "2013-01-21"),
    calibrate=Window("2013-01-21", "2013-01-24"),
    search=SearchBudget(batch=2, folds=2, tree_share=0.5),
    threads=1,
)
PARAMS = {
    "trees": 12,
    "max_depth": 3,
    "learning_rate": 0.3,
    "subsample": 0.8,
    "colsample_bytree": 0.8,
    "min_child_weight": 2,
}


def frame_folder(folder: Path, *, start: str = "2013-01-01", days: int = 31, per_day: int = 40, seed: int = 7) -> Path:
    """Write a frame folder: `per_day` flights on each of `days` local days; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "schema.json").write_text(json.dumps({"features": FEATURES, "groups": GROUPS, "label": "y"}))
    table = frame_table(start=start, days=days, per_day=per_day, seed=seed)
    months = np.array([day[:7] for day in table["day"].to_pylist()])
    for month in np.unique(months):
        pq.write_table(table.filter(pa.array(months == month)), folder / f"part-{month}.parquet")
    return folder


def frame_table(*, start: str = "2013-01-01", days: int = 31, per_day: int = 40, seed: int = 7) -> pa.Table:
    """Return the rows of a frame, sorted by (t0, flight_id); 3 % never get a label."""
    rng = np.random.default_rng(seed)
    n_rows = days * per_day
    minutes = np.sort(rng.integers(300, 1300, (days, per_day)), axis=1).ravel()
    first = datetime.fromisoformat(start).replace(tzinfo=UTC)
    # New York is five hours behind UTC in winter; a frame's days are local.
    t0 = [first + timedelta(days=row // per_day, minutes=int(minutes[row]) + 300) for row in range(n_rows)]
    values = _feature_values(rng, minutes)
    odds = -2.2 + 0.09 * values["queue"] + 0.03 * values["prev_delay"] + (values["carrier"] == "EV")
    late = rng.random(n_rows) < 1 / (1 + np.exp(-odds))
    known = rng.random(n_rows) > 0.03
    waits = rng.integers(120, 1500, n_rows).tolist()
    label_at = [at + timedelta(minutes=wait) for at, wait in zip(t0, waits, strict=True)]
    days_of = [(date.fromisoformat(start) + timedelta(days=row // per_day)).isoformat() for row in range(n_rows)]
    columns: dict[str, pa.Array] = {
        "flight_id": pa.array([f"{day}-{row:05d}" for row, day in enumerate(days_of)]),
        "t0": pa.array(t0, pa.timestamp("us", tz="UTC")),
        "day": pa.array(days_of),
        "y": pa.array(late.astype(np.int8), mask=~known),
        "label_at": pa.array(label_at, pa.timestamp("us", tz="UTC"), mask=~known),
    }
    columns |= _feature_columns(rng, values)
    status = np.where(np.isfinite(columns["temp"].to_numpy(zero_copy_only=False)), "PRESENT", "OUTSIDE_MAX_AGE")
    columns |= {"weather__status": pa.array(status), "weather__age_s": columns["weather_age_s"]}
    return pa.table(columns)


def _feature_values(rng: np.random.Generator, minutes: np.ndarray) -> dict[str, np.ndarray]:
    n_rows = len(minutes)
    return {
        "minute_of_day": minutes.astype(float),
        "carrier": rng.choice(CARRIERS, n_rows),
        "distance": rng.integers(100, 2500, n_rows).astype(float),
        "seats": rng.choice([50.0, 140.0, 180.0], n_rows),
        "temp": rng.normal(40, 15, n_rows),
        "weather_age_s": rng.uniform(0, 3600, n_rows),
        "queue": rng.poisson(6, n_rows).astype(float),
        "carrier_late_7d": rng.uniform(0.1, 0.4, n_rows),
        "prev_delay": rng.normal(8, 30, n_rows),
    }


def _feature_columns(rng: np.random.Generator, values: dict[str, np.ndarray]) -> dict[str, pa.Array]:
    """Return the columns; each droppable group is null, as a whole, in a tenth of the rows."""
    n_rows = len(values["carrier"])
    expired = {group["name"]: (rng.random(n_rows) < 0.1) & group["droppable"] for group in GROUPS}
    return {
        feature["name"]: pa.array(
            values[feature["name"]],
            pa.string() if feature["type"] == "category" else pa.float32(),
            mask=expired[feature["group"]],
        )
        for feature in FEATURES
    }


def tiny_model(folder: Path, *, seed: int = 7) -> Path:
    """Train a small model on a small frame (written beside it) and return its folder."""
    frame = frame_folder(folder.parent / f"{folder.name}-frame", per_day=20, seed=seed)
    train(frame=frame, plan=PLAN, params=PARAMS, seed=seed, model=folder)
    return folder

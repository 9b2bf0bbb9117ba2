"""Fit trees with XGBoost's native interface, and read them back as plain arrays."""

from __future__ import annotations

import json
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray


@contextmanager
def absent(package: str) -> Iterator[None]:
    """Make a package that is not yet imported look as if it were not installed."""
    loaded = package in sys.modules
    if not loaded:
        sys.modules[package] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        if not loaded:
            del sys.modules[package]


# Threads that spin while they wait double the CPU time as soon as another process wants the same cores.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

# XGBoost imports scikit-learn (and with it pandas) only if it can, for wrappers that nothing here uses: 4 s.
with absent("sklearn"):
    import xgboost


def fit_booster(
    matrix: NDArray[np.float32], labels: NDArray[np.float32], *, params: Mapping[str, Any], threads: int, seed: int
) -> xgboost.Booster:
    """Fit a classifier by log loss; same arguments, same trees.

    Args:
        matrix: Shape (n_rows, n_features); NaN is missing.
        labels: Shape (n_rows,), 0 or 1.
        params: As `argosy.training.proposals` returns them: "trees" and XGBoost's own names.
        threads: Part of the result's identity: the order of float sums depends on it.
        seed: Of row and column sampling.

    """
    settings = {name: value for name, value in params.items() if name != "trees"} | {
        "objective": "binary:logistic",
        "tree_method": "hist",
        "base_score": round(float(labels.mean(dtype=np.float64)), 6),
        "nthread": threads,
        "seed": seed,
        "verbosity": 0,
    }
    data = xgboost.QuantileDMatrix(matrix, label=labels, nthread=threads)
    return xgboost.train(settings, data, num_boost_round=params["trees"])


def margins_of(booster: xgboost.Booster, matrix: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the log odds of each row before calibration, shape (n_rows,)."""
    margins: NDArray[np.float32] = booster.inplace_predict(matrix, predict_type="margin")
    return margins.astype(np.float64)


def trees_of(booster: xgboost.Booster) -> tuple[float, list[dict[str, Any]]]:
    """Return the intercept in log odds, and each tree as the arrays of XGBoost's JSON model format."""
    learner = json.loads(bytes(booster.save_raw("json")))["learner"]
    base = float(learner["learner_model_param"]["base_score"].strip("[]"))
    return float(np.log(base / (1.0 - base))), learner["gradient_booster"]["model"]["trees"]

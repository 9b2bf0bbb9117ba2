"""The model of late parcels.

The functions import what they need: runners that import every step's module, even to skip it, then stay cheap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd
    from sklearn.pipeline import Pipeline

NOT_FEATURES = ["posted", "late"]


def train(train: pd.DataFrame) -> Pipeline:
    """Fit a scaled logistic regression."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression()).fit(train.drop(columns=NOT_FEATURES), train["late"])


def evaluate(model: Pipeline, test: pd.DataFrame) -> dict[str, float]:
    """Return the scores of a model on a table."""
    from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

    probability = model.predict_proba(test.drop(columns=NOT_FEATURES))[:, 1]
    scores = {"auc": roc_auc_score, "log_loss": log_loss, "brier": brier_score_loss}
    return {name: round(float(score(test["late"], probability)), 6) for name, score in scores.items()}


def read(path: str) -> Pipeline:
    """Read a model."""
    import joblib

    return joblib.load(path)


def write(model: Pipeline, path: str) -> None:
    """Write a model."""
    import joblib

    joblib.dump(model, path)

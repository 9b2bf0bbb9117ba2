"""The same plain functions, wired as Kedro nodes."""

from __future__ import annotations

from components.parcels import features, models, summary, tables
from kedro.pipeline import Pipeline, node, pipeline


def register_pipelines() -> dict[str, Pipeline]:
    """Return the one pipeline."""
    steps = [
        node(tables.load, ["params:rows", "params:seed"], "raw_table", name="load"),
        node(tables.clean, "raw_table", "clean_table", name="clean"),
        node(features.build_features, "clean_table", "features_table", name="features"),
        node(tables.split, "features_table", ["train_table", "test_table"], name="split"),
        node(models.train, "train_table", "model", name="train"),
        node(models.evaluate, ["model", "test_table"], "metrics", name="evaluate"),
        node(summary.describe, "metrics", "report", name="report"),
    ]
    return {"__default__": pipeline(steps)}

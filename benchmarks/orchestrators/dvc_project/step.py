"""One step of the seven as DVC runs it: a process with its files under `data/`.

Run as `python step.py STEP` with the project on PYTHONPATH. Each step imports what it needs and nothing else.
"""

from __future__ import annotations

import sys
from pathlib import Path

RAW, CLEAN, FEATURES, TRAIN, TEST, MODEL, METRICS, REPORT = (
    f"data/{name}" for name in ("raw", "clean", "features", "train", "test", "model", "metrics", "report")
)


def load() -> None:
    """Make the raw table."""
    import yaml
    from components.parcels import tables

    parameters = yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))
    tables.write(tables.load(parameters["rows"], parameters["seed"]), RAW)


def clean() -> None:
    """Drop the rows that cannot be."""
    from components.parcels import tables

    tables.write(tables.clean(tables.read(RAW)), CLEAN)


def features() -> None:
    """Derive the columns that the model sees."""
    from components.parcels import tables
    from components.parcels.features import build_features

    tables.write(build_features(tables.read(CLEAN)), FEATURES)


def split() -> None:
    """Part the table by time."""
    from components.parcels import tables

    earlier, later = tables.split(tables.read(FEATURES))
    tables.write(earlier, TRAIN)
    tables.write(later, TEST)


def train() -> None:
    """Fit the model."""
    from components.parcels import models, tables

    models.write(models.train(tables.read(TRAIN)), MODEL)


def evaluate() -> None:
    """Judge the model on the later part."""
    from components.parcels import models, summary, tables

    summary.write_metrics(models.evaluate(models.read(MODEL), tables.read(TEST)), METRICS)


def report() -> None:
    """Say how good the model is."""
    from components.parcels import summary

    summary.write(summary.describe(summary.read_metrics(METRICS)), REPORT)


STEPS = {step.__name__: step for step in (load, clean, features, split, train, evaluate, report)}

if __name__ == "__main__":
    Path("data").mkdir(exist_ok=True)
    STEPS[sys.argv[1]]()

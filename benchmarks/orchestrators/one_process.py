"""The floor: the seven steps in one process, each output written and read back.

Run as `python one_process.py FOLDER` with the project on PYTHONPATH.
"""

from __future__ import annotations

import sys
from pathlib import Path

from components.parcels import features, models, summary, tables


def run(folder: Path) -> None:
    """Run every step, with its files in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    at = {name: str(folder / name) for name in ("raw", "clean", "features", "train", "test", "model", "metrics")}
    tables.write(tables.load(20_000, 7), at["raw"])
    tables.write(tables.clean(tables.read(at["raw"])), at["clean"])
    tables.write(features.build_features(tables.read(at["clean"])), at["features"])
    earlier, later = tables.split(tables.read(at["features"]))
    tables.write(earlier, at["train"])
    tables.write(later, at["test"])
    models.write(models.train(tables.read(at["train"])), at["model"])
    summary.write_metrics(models.evaluate(models.read(at["model"]), tables.read(at["test"])), at["metrics"])
    summary.write(summary.describe(summary.read_metrics(at["metrics"])), str(folder / "report"))


if __name__ == "__main__":
    run(Path(sys.argv[1]))

"""Score a window of a frame with a model and say how good the scores are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from argosy.arrow import without_pandas
from argosy.evaluation.bootstrap import MIN_BLOCKS, block_sums, draw_blocks, interval, statistics
from argosy.evaluation.frame import DAY, LABEL, TIME, map_parts, parts_between, read_rows, read_schema, row_column
from argosy.evaluation.metrics import calibration_bins, confusion_matrix, roc_points, rounded, score_histogram
from argosy.evaluation.predictions import Scores, read_scores, write_predictions
from argosy.evaluation.slices import describe, slice_metrics
from argosy.serving.runtime import load_model

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from argosy.serving.runtime import Model

N_RESAMPLES = 1000


@without_pandas()
def evaluate(
    *, model: Path, frame: Path, start: str, end: str, slices: Sequence[str], predictions: Path
) -> dict[str, Any]:
    """Score all rows of a window, write the scores, measure them on the labelled rows.

    Args:
        model: The model folder.
        frame: The frame folder.
        start: First day, like "2013-08-01" (New York for flights: the frame's `day`).
        end: Last day, inclusive.
        slices: Columns of text by whose values the metrics are also given.
        predictions: Folder to write `part-YYYY-MM.parquet` to: row id, t0, day, y, p (float32).

    Returns:
        `window`, `n_rows`, `n_labelled`, `n_days`, `size_bytes` of the model; `overall` metrics and their
        95 % `intervals` by resampled days (none under 5 days); `months` and `slices`, a list of metrics
        each; `roc` points with their thresholds, the `confusion` matrix at one half, `calibration` bins,
        `histogram` of all scores. What is not defined is null.

    Raises:
        BadInput: The window has no rows, or a column is missing.

    """
    loaded, window = load_model(model), (start, end)
    columns = _score_parts(loaded, frame, window=window, slices=slices, predictions=predictions)
    scores = read_scores(predictions, block=read_schema(frame).get("block", DAY))
    known = scores.labelled()
    labelled = {name: values.filter(pa.array(scores.is_labelled)) for name, values in columns.items()}
    return {
        "window": {"start": start, "end": end},
        "n_rows": len(scores.p),
        "n_labelled": len(known.p),
        "n_days": len(np.unique(known.day)),
        "size_bytes": folder_bytes(model),
        "overall": describe(known),
        "intervals": _intervals(known),
        "months": [{"month": month, **describe(part)} for month, part in known.by_month()],
        "slices": [row for name, values in labelled.items() for row in slice_metrics(known, name, values)],
        "roc": [[rounded(number) for number in point] for point in roc_points(known.y, known.p)],
        "confusion": confusion_matrix(known.y, known.p),
        "calibration": [
            {**each, "mean_score": rounded(each["mean_score"]), "rate": rounded(each["rate"])}
            for each in calibration_bins(known.y, known.p)
        ],
        "histogram": score_histogram(scores.p),
    }


def folder_bytes(folder: Path) -> int:
    """Return the total size of the files of a folder in bytes."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _score_parts(
    model: Model, frame: Path, *, window: tuple[str, str], slices: Sequence[str], predictions: Path
) -> dict[str, pa.ChunkedArray]:
    """Write each part's predictions; return the slices' columns of all rows."""
    predictions.mkdir(parents=True, exist_ok=True)
    for stale in predictions.glob("part-*.parquet"):
        stale.unlink()

    def score_part(part: Path) -> pa.Table:
        keys = [row_column(part), TIME, DAY, LABEL]
        rows = read_rows(part, [*keys, *model.feature_names, *slices], *window)
        write_predictions(predictions / part.name, rows.select(keys), model.predict_table(rows))
        return rows.select(list(slices))

    sliced = map_parts(score_part, parts_between(frame, *window))
    columns = pa.concat_tables(sliced)
    return {name: columns.column(name) for name in slices}


def _intervals(scores: Scores) -> dict[str, list[float | None]]:
    n_blocks, blocks = scores.dense_blocks()
    if n_blocks < MIN_BLOCKS:
        return {}
    counts = draw_blocks(n_blocks=n_blocks, n_resamples=N_RESAMPLES, seed=0)
    resampled = statistics(counts, block_sums(scores.y, scores.p, blocks, n_blocks))
    return {name: [rounded(bound) for bound in interval(values)] for name, values in resampled.items()}

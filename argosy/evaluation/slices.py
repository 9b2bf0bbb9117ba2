"""Describe scores by the metrics, as a whole and per value of a column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from argosy.evaluation.metrics import METRICS, calibration_line, rounded

if TYPE_CHECKING:
    from argosy.evaluation.predictions import Scores

MIN_SLICE_ROWS = 500
POOLED, MISSING = "(small slices)", "(missing)"


def describe(scores: Scores) -> dict[str, float | None]:
    """Return the number of rows and every metric of labelled scores; null where it is not defined."""
    slope, intercept = calibration_line(scores.y, scores.p)
    return {
        "n": len(scores.p),
        **{name: rounded(metric(scores.y, scores.p)) for name, metric in METRICS.items()},
        "calibration_slope": rounded(slope),
        "calibration_intercept": rounded(intercept),
    }


def slice_metrics(scores: Scores, column: str, values: pa.ChunkedArray) -> list[dict[str, Any]]:
    """Return the metrics of each value of a column, in the order of the values.

    Values with fewer than 500 rows are pooled into one slice, nulls are a slice of their own.

    Args:
        scores: Labelled scores.
        column: The column's name.
        values: Text, of the same rows as `scores`.

    """
    encoded = pc.fill_null(values.cast(pa.string()), MISSING).combine_chunks().dictionary_encode()
    names = np.array([*encoded.dictionary.to_pylist(), POOLED])
    codes = encoded.indices.to_numpy()
    pooled = len(names) - 1
    small = np.bincount(codes, minlength=len(names)) < MIN_SLICE_ROWS
    codes = np.where(small[codes], pooled, codes)
    return [
        {
            "column": column,
            "value": str(names[code]),
            "pooled": bool(code == pooled),
            **describe(scores.where(codes == code)),
        }
        for code in sorted(np.unique(codes), key=lambda code: str(names[code]))
    ]

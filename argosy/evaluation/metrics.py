"""Metrics of a binary classifier: labels `y` of 0 and 1, probabilities `p`, both of shape (n_rows,).

Every function is pure numpy, does not depend on the order of the rows, and is NaN where it is not defined
(no rows, or rows of one class only where two are needed).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Array = NDArray[Any]

EPSILON = 1e-7  # the resolution of float32, in which probabilities are stored
N_BINS = 10
DIGITS = 6  # beyond these, sums differ between processors, and equal runs must give equal values
NEWTON_STEPS = 50
NAN = float("nan")


def losses(y: Array, p: Array) -> Array:
    """Return the log loss of each row: -ln of the probability given to what happened.

    Probabilities are clipped to [1e-7, 1 - 1e-7].

    Examples:
        >>> losses(np.array([1, 0]), np.array([0.5, 0.75])).round(4).tolist()
        [0.6931, 1.3863]

    """
    clipped = np.clip(np.asarray(p, dtype=np.float64), EPSILON, 1 - EPSILON)
    taken: Array = -np.log(np.where(np.asarray(y) == 1, clipped, 1 - clipped))
    return taken


def squared_errors(y: Array, p: Array) -> Array:
    """Return the squared error (p - y)^2 of each row.

    Examples:
        >>> squared_errors(np.array([1, 0]), np.array([0.5, 0.75])).tolist()
        [0.25, 0.5625]

    """
    errors: Array = (np.asarray(p, dtype=np.float64) - y) ** 2
    return errors


def log_loss(y: Array, p: Array) -> float:
    """Return the mean log loss: -1/n sum(y ln p + (1 - y) ln(1 - p)).

    Source: Good (1952), Rational decisions, J. R. Stat. Soc. B 14, 107-114.

    Examples:
        >>> round(log_loss(np.array([1, 0]), np.array([0.8, 0.4])), 4)
        0.367

    """
    return float(losses(y, p).mean()) if len(y) else NAN


def brier(y: Array, p: Array) -> float:
    """Return the Brier score: 1/n sum (p - y)^2.

    Source: Brier (1950), Verification of forecasts expressed in terms of probability, Mon. Weather Rev. 78,
    1-3, for two classes counted once.

    Examples:
        >>> round(brier(np.array([1, 0]), np.array([0.8, 0.4])), 4)
        0.1

    """
    return float(squared_errors(y, p).mean()) if len(y) else NAN


def auc(y: Array, p: Array) -> float:
    """Return the area under the ROC curve: P(p+ > p-) + P(p+ = p-)/2 over pairs of one late, one on time.

    Source: Hanley and McNeil (1982), Radiology 143, 29-36: the Mann-Whitney U over n+ n-; ties count half.

    Examples:
        >>> auc(np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8]))
        0.75
        >>> auc(np.array([0, 1]), np.array([0.3, 0.3]))
        0.5

    """
    negative, positive = np.sort(p[y == 0]), np.sort(p[y == 1])
    n_pairs = len(negative) * len(positive)
    if not n_pairs:
        return NAN
    below = np.searchsorted(negative, positive, side="left").sum()
    up_to = np.searchsorted(negative, positive, side="right").sum()
    return float((below + up_to) / 2 / n_pairs)


def average_precision(y: Array, p: Array) -> float:
    """Return the average precision: sum over thresholds of (R_k - R_{k-1}) P_k, without interpolation.

    Source: Zhu (2004), Recall, precision and average precision, University of Waterloo; equal scores are
    one threshold.

    Examples:
        >>> round(average_precision(np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8])), 4)
        0.8333

    """
    hits, taken = _cumulative(y, p)
    if not len(hits) or hits[-1] == 0:
        return NAN
    return float((np.diff(hits, prepend=0) * hits / taken).sum() / hits[-1])


def expected_calibration_error(y: Array, p: Array) -> float:
    """Return the calibration error: sum over 10 bins of equal width of n_b/n |mean p - mean y|.

    Source: Guo et al. (2017), On calibration of modern neural networks, equation 3.

    Examples:
        >>> round(expected_calibration_error(np.array([0, 1, 1, 1]), np.array([0.2, 0.2, 0.9, 0.9])), 4)
        0.2

    """
    if not len(y):
        return NAN
    bins = calibration_bins(y, p)
    return float(sum(b["n"] * abs(b["mean_score"] - b["rate"]) for b in bins) / len(y))


def calibration_line(y: Array, p: Array) -> tuple[float, float]:
    """Return slope and intercept of logit P(y = 1) = intercept + slope logit(p); 1 and 0 are ideal.

    A slope below 1 says that the scores are too extreme. Fitted by Newton's method; NaN where the scores
    are all equal or separate the classes.

    Source: Cox (1958), Two further applications of a model for binary regression, Biometrika 45, 562-565.

    Examples:
        >>> y, p = np.array([0, 0, 0, 1, 0, 1, 1, 1]), np.array([0.25] * 4 + [0.75] * 4)
        >>> [round(value, 6) + 0.0 for value in calibration_line(y, p)]
        [1.0, 0.0]

    """
    if not len(y) or np.ptp(p) == 0 or np.ptp(y) == 0:
        return NAN, NAN
    clipped = np.clip(np.asarray(p, dtype=np.float64), EPSILON, 1 - EPSILON)
    design = np.stack([np.log(clipped / (1 - clipped)), np.ones(len(clipped))])
    line = np.array([1.0, 0.0])
    for _ in range(NEWTON_STEPS):
        fitted = 1 / (1 + np.exp(-np.clip(line @ design, -500, 500)))
        hessian = (design * (fitted * (1 - fitted))) @ design.T
        if np.linalg.cond(hessian) > 1e14:
            return NAN, NAN
        step = np.linalg.solve(hessian, design @ (y - fitted))
        line = line + step
        if np.abs(step).max() < 1e-10:
            return float(line[0]), float(line[1])
    return NAN, NAN


def base_rate(y: Array, p: Array) -> float:  # noqa: ARG001 - every metric takes labels and scores
    """Return the share of positive labels.

    Examples:
        >>> base_rate(np.array([0, 1, 1, 1]), np.zeros(4))
        0.75

    """
    return float(np.mean(y)) if len(y) else NAN


def mean_score(y: Array, p: Array) -> float:  # noqa: ARG001 - every metric takes labels and scores
    """Return the mean probability; minus the base rate it is the calibration in the large.

    Examples:
        >>> mean_score(np.array([0, 1]), np.array([0.25, 0.5]))
        0.375

    """
    return float(np.mean(p, dtype=np.float64)) if len(p) else NAN


METRICS: dict[str, Callable[[Array, Array], float]] = {
    "auc": auc,
    "average_precision": average_precision,
    "log_loss": log_loss,
    "brier": brier,
    "expected_calibration_error": expected_calibration_error,
    "base_rate": base_rate,
    "mean_score": mean_score,
}
HIGHER_IS_BETTER = frozenset({"auc", "average_precision"})


def roc_points(y: Array, p: Array, *, at_most: int = 200) -> list[tuple[float, float, float]]:
    """Return (false positive rate, true positive rate, threshold) from (0, 0) to (1, 1), thinned along the curve.

    Rows that score at or above the threshold are called positive; above the highest score it is written as 1.
    Source: Fawcett (2006), An introduction to ROC analysis, algorithm 1; equal scores are one threshold.

    Examples:
        >>> roc_points(np.array([0, 1, 0, 1]), np.array([0.1, 0.9, 0.6, 0.6]))
        [(0.0, 0.0, 1.0), (0.0, 0.5, 0.9), (0.5, 1.0, 0.6), (1.0, 1.0, 0.1)]

    """
    hits, taken = _cumulative(y, p)
    if not len(hits) or hits[-1] == 0 or hits[-1] == taken[-1]:
        return []
    true_rate = np.concatenate([[0.0], hits / hits[-1]])
    false_rate = np.concatenate([[0.0], (taken - hits) / (taken[-1] - hits[-1])])
    along = true_rate + false_rate
    kept = np.unique(np.searchsorted(along, np.linspace(0, 2, at_most - 1)).clip(max=len(along) - 1))
    kept = np.union1d(kept, [0, len(along) - 1])
    thresholds = np.concatenate([[1.0], -np.unique(-np.asarray(p, dtype=np.float64))])
    curve = zip(false_rate[kept], true_rate[kept], thresholds[kept], strict=True)
    return [(float(x), float(t), float(threshold)) for x, t, threshold in curve]


def confusion_matrix(y: Array, p: Array, *, threshold: float = 0.5) -> list[list[int]]:
    """Return counts by true class (rows) and called class (columns), the negative class first.

    Examples:
        >>> confusion_matrix(np.array([0, 1, 0, 1]), np.array([0.1, 0.9, 0.6, 0.4]))
        [[1, 1], [1, 1]]

    """
    called = np.asarray(p) >= threshold
    return [[int(np.sum((y == true) & (called == bool(guess)))) for guess in (0, 1)] for true in (0, 1)]


def calibration_bins(y: Array, p: Array, *, n_bins: int = N_BINS) -> list[dict[str, float]]:
    """Return the bins of a reliability diagram, of equal width, empty ones left out.

    Source: Murphy and Winkler (1977), Reliability of subjective probability forecasts, Appl. Stat. 26, 41-47.

    Examples:
        >>> calibration_bins(np.array([0, 1]), np.array([0.125, 0.125]), n_bins=2)
        [{'low': 0.0, 'high': 0.5, 'n': 2, 'mean_score': 0.125, 'rate': 0.5}]

    """
    which = _bin_of(p, n_bins)
    n = np.bincount(which, minlength=n_bins)
    scores = np.bincount(which, weights=p, minlength=n_bins)
    labels = np.bincount(which, weights=y, minlength=n_bins)
    return [
        {
            "low": b / n_bins,
            "high": (b + 1) / n_bins,
            "n": int(n[b]),
            "mean_score": float(scores[b] / n[b]),
            "rate": float(labels[b] / n[b]),
        }
        for b in range(n_bins)
        if n[b]
    ]


def score_histogram(p: Array, *, n_bins: int = 20) -> list[int]:
    """Return how many scores fall into each of `n_bins` bins of equal width over [0, 1].

    Examples:
        >>> score_histogram(np.array([0.0, 0.3, 0.5, 1.0]), n_bins=2)
        [2, 2]

    """
    return [int(n) for n in np.bincount(_bin_of(p, n_bins), minlength=n_bins)]


def rounded(value: float) -> float | None:
    """Round to 6 digits; NaN and infinities, which JSON cannot say, become null."""
    return round(float(value), DIGITS) if math.isfinite(value) else None


def _bin_of(p: Array, n_bins: int) -> Array:
    which: Array = np.minimum((np.asarray(p, dtype=np.float64) * n_bins).astype(np.int64), n_bins - 1)
    return which


def _cumulative(y: Array, p: Array) -> tuple[Array, Array]:
    """Return, per distinct score from the highest down, the positives and the rows at or above it."""
    order = np.argsort(-np.asarray(p), kind="stable")
    scores = p[order]
    ends = np.flatnonzero(np.append(scores[1:] != scores[:-1], len(scores) > 0))
    return np.cumsum(y[order], dtype=np.int64)[ends], ends + 1

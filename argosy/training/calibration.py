"""Calibrate log odds by Platt scaling, where the calibration window says that it helps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

NEWTON_STEPS = 25
CONVERGED = 1e-10
DIGITS = 6


def probabilities_of(margins: Floats, *, slope: float = 1.0, intercept: float = 0.0) -> Floats:
    """Return 1 / (1 + exp(-(slope * margin + intercept)))."""
    odds: Floats = 0.5 * (1.0 + np.tanh(0.5 * (slope * margins + intercept)))
    return odds


def log_loss(labels: NDArray[np.float32], probabilities: Floats) -> float:
    """Return the mean negative log likelihood of the labels.

    Example:
        >>> round(log_loss(np.array([1, 0], "f4"), np.array([0.5, 0.5])), 4)
        0.6931

    """
    return float(row_losses(labels, probabilities).mean())


def row_losses(labels: NDArray[np.float32], probabilities: Floats) -> Floats:
    """Return the negative log likelihood of each label; probabilities are kept 1e-15 off 0 and 1."""
    safe = np.clip(probabilities, 1e-15, 1 - 1e-15)
    losses: Floats = -np.where(labels == 1, np.log(safe), np.log1p(-safe))
    return losses


def fit_platt(margins: Floats, labels: NDArray[np.float32]) -> tuple[float, float]:
    """Return the slope and intercept that minimise the log loss, by Newton's method.

    Source:
        Platt 1999, "Probabilistic outputs for support vector machines", with the smoothed targets
        (n1 + 1) / (n1 + 2) and 1 / (n0 + 2); the Newton step is that of Lin, Lin and Weng 2007.

    """
    n_positive = float((labels == 1).sum())
    n_negative = len(labels) - n_positive
    targets = np.where(labels == 1, (n_positive + 1) / (n_positive + 2), 1 / (n_negative + 2))
    design = np.column_stack([margins, np.ones_like(margins)])
    weights = np.array([1.0, 0.0])
    for _ in range(NEWTON_STEPS):
        fitted = probabilities_of(design @ weights)
        gradient = design.T @ (fitted - targets)
        hessian = (design * (fitted * (1 - fitted))[:, None]).T @ design + 1e-12 * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        weights -= step
        if np.abs(step).max() < CONVERGED:
            break
    return round(float(weights[0]), DIGITS), round(float(weights[1]), DIGITS)


def choose_calibration(
    margins: Floats, labels: NDArray[np.float32], days: NDArray[np.str_]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the calibration to use and why: Platt scaling only if it helps on later days.

    A line fitted on the first half of the window's days is scored on the second half. It is used, refitted
    on all days, if it lowers the log loss there by more than two standard errors of the daily gains; a
    smaller gain is a passing mood of the window rather than a fault of the model.

    Args:
        margins: Log odds of the calibration window's rows, in time order.
        labels: 0 or 1.
        days: The local day of each row.

    Returns:
        The signature's "calibration", and a report with the log losses.

    """
    names = np.unique(days)
    first, second = days < names[len(names) // 2], days >= names[len(names) // 2]
    slope, intercept = fit_platt(margins[first], labels[first])
    plain = row_losses(labels[second], probabilities_of(margins[second]))
    fitted = row_losses(labels[second], probabilities_of(margins[second], slope=slope, intercept=intercept))
    gain, error = daily_gain(plain - fitted, days[second])
    report = {"gain": round(gain, 6), "gain_error": round(error, 6), "n_rows": len(labels)}
    report["log_loss_before"] = round(log_loss(labels, probabilities_of(margins)), 6)
    if not gain > 2 * error:
        return {"kind": "none"}, report
    slope, intercept = fit_platt(margins, labels)
    return {"kind": "platt", "a": slope, "b": intercept}, report


def daily_gain(gains: Floats, days: NDArray[np.str_]) -> tuple[float, float]:
    """Return the mean gain per row and its standard error, with days as the units that vary.

    Source:
        The ratio estimator's error for clusters, Cochran 1977, "Sampling techniques", equation 9A.
    """
    _, groups = np.unique(days, return_inverse=True)
    sizes = np.bincount(groups)
    mean = float(gains.mean())
    residuals = np.bincount(groups, weights=gains) - mean * sizes
    n_days = len(sizes)
    if n_days < 2:
        return mean, float("inf")
    error = np.sqrt(n_days / (n_days - 1) * (residuals**2).sum()) / sizes.sum()
    return mean, float(error)

"""Refuse an exported graph that does not predict what the fitted trees predict."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from argosy.errors import BadInput

if TYPE_CHECKING:
    from numpy.typing import NDArray

MIN_ROWS = 10_000
MISSING_SHARE = 0.1
MAX_DIFFERENCE = 1e-5
THRESHOLD = 0.5


def parity_rows(matrix: NDArray[np.float32], *, seed: int, n_rows: int = MIN_ROWS) -> NDArray[np.float32]:
    """Return rows of the training range to compare on, at least `n_rows`.

    The first half are training rows as they are, drawn with replacement; in the second half a tenth of the
    cells are NaN besides, which is also what a category that training has not seen becomes.
    """
    rng = np.random.default_rng(seed)
    rows = matrix[rng.integers(0, len(matrix), n_rows)]
    blank = rng.random(rows.shape) < MISSING_SHARE
    blank[: n_rows // 2] = False
    rows[blank] = np.nan
    return rows


def check_parity(*, expected: NDArray[np.float64], got: NDArray[np.float32]) -> dict[str, float | int]:
    """Return how far the exported model is from the fitted one.

    Args:
        expected: Probabilities of the fitted trees, calibrated.
        got: Probabilities of the exported model for the same rows.

    Returns:
        n_rows, max_difference, and flips: rows on the other side of 0.5. A probability so near to 0.5 that
        an allowed difference moves it across is no flip.

    """
    difference = np.abs(got.astype(np.float64) - expected)
    flipped = ((got >= THRESHOLD) != (expected >= THRESHOLD)) & (np.abs(expected - THRESHOLD) > MAX_DIFFERENCE)
    worst = float(difference.max()) if np.isfinite(got).all() else float("inf")
    return {"n_rows": len(expected), "max_difference": worst, "flips": int(flipped.sum())}


def require_parity(parity: dict[str, float | int]) -> None:
    """Refuse an export that is further off than float rounding.

    Raises:
        BadInput: The largest difference exceeds 1e-5, a decision flips, or too few rows were compared.

    """
    is_close = parity["max_difference"] <= MAX_DIFFERENCE and parity["flips"] == 0
    if not is_close or parity["n_rows"] < MIN_ROWS:
        raise BadInput(
            f"model.onnx: differs from the fitted trees by {parity['max_difference']:.3g} with {parity['flips']} "
            f"decision flips on {parity['n_rows']} rows; allowed are {MAX_DIFFERENCE:g} and 0 on at least "
            f"{MIN_ROWS}; look for a feature too large for float32 (an epoch, an id)"
        )

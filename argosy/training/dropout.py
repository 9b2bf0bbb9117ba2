"""Blank whole groups of features in some training rows, so that the model has seen what a TTL does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def drop_groups(
    matrix: NDArray[np.float32], *, columns: Sequence[Sequence[int]], share: float, seed: int
) -> NDArray[np.float32]:
    """Return a copy in which each group is NaN, as a whole, in a random share of the rows.

    A feature that expires is null together with its group. Trees that never saw such nulls send them down
    an arbitrary branch, which costs more than the stale value would have.

    Args:
        matrix: Shape (n_rows, n_features).
        columns: The column indices of each droppable group.
        share: Chance that a row loses a group, independent between groups.
        seed: Of the draw.

    """
    blanked = matrix.copy()
    draws = np.random.default_rng(seed).random((len(matrix), len(columns)))
    for group, indices in enumerate(columns):
        rows = np.flatnonzero(draws[:, group] < share)
        blanked[np.ix_(rows, np.asarray(indices, dtype=np.int64))] = np.nan
    return blanked


def droppable_columns(schema: dict[str, Any]) -> list[list[int]]:
    """Return the column indices of each droppable group, groups in the schema's order."""
    names = [group["name"] for group in schema["groups"] if group["droppable"]]
    groups = [feature["group"] for feature in schema["features"]]
    return [[index for index, group in enumerate(groups) if group == name] for name in names]

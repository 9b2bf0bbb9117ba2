"""Resample blocks of rows, all statistics at once.

Rows of one day err together, so days, not rows, are the unit (here the standard deviation of an AUC is six
times larger by day). A resample draws as many blocks as there are, with replacement; what it needs of a
block are sums, so a resample is one row of a matrix product and thousands take milliseconds.

Source: Efron and Tibshirani (1993), An introduction to the bootstrap, chapters 8 (blocks) and 13 (interval).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from argosy.errors import BadInput
from argosy.evaluation.metrics import losses, squared_errors

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

COVERAGE = 0.95
MIN_BLOCKS = 5  # an interval of fewer says nothing
MAX_BLOCKS = 5_000  # the pairs of blocks have to fit into memory


@dataclass(frozen=True)
class BlockSums:
    """What resampling needs to know of one model's scores, per block.

    Attributes:
        n: Rows, shape (n_blocks,).
        positive: Rows with label 1, shape (n_blocks,).
        log_loss: Sum of log losses, shape (n_blocks,).
        brier: Sum of squared errors, shape (n_blocks,).
        wins: For blocks (i, j), pairs of a positive of i and a negative of j that the score orders rightly,
            ties counted half, shape (n_blocks, n_blocks).

    """

    n: Array
    positive: Array
    log_loss: Array
    brier: Array
    wins: Array


def block_sums(y: Array, p: Array, blocks: Array, n_blocks: int) -> BlockSums:
    """Sum what the statistics need over the rows of each block.

    Args:
        y: Labels 0 and 1, shape (n_rows,).
        p: Probabilities, shape (n_rows,).
        blocks: Number of each row's block, shape (n_rows,).
        n_blocks: One more than the highest number.

    Raises:
        BadInput: There are more blocks than 5,000.

    """
    if n_blocks > MAX_BLOCKS:
        raise BadInput(
            f"{n_blocks} blocks to resample, at most {MAX_BLOCKS} are allowed; use a coarser block, like the day"
        )

    def total(values: Array) -> Array:
        return np.bincount(blocks, weights=values, minlength=n_blocks)

    return BlockSums(
        n=total(np.ones(len(y))),
        positive=total(y),
        log_loss=total(losses(y, p)),
        brier=total(squared_errors(y, p)),
        wins=pairwise_wins(y, p, blocks, n_blocks),
    )


def pairwise_wins(y: Array, p: Array, blocks: Array, n_blocks: int) -> Array:
    """Count rightly ordered pairs for each pair of blocks, ties half; shape (n_blocks, n_blocks).

    The AUC of any resample with block multiplicities m is then m' W m / (m' positives x m' negatives),
    exactly, without ranking its rows again.

    Examples:
        >>> y, p = np.array([1, 0, 1, 0]), np.array([0.9, 0.1, 0.4, 0.4])
        >>> pairwise_wins(y, p, np.array([0, 0, 1, 1]), 2).tolist()
        [[1.0, 1.0], [1.0, 0.5]]

    """
    order = np.argsort(p, kind="stable")
    y, p, blocks = y[order], p[order], blocks[order]
    positive, of_block = p[y == 1], blocks[y == 1]
    wins = np.zeros((n_blocks, n_blocks))
    for block in range(n_blocks):
        negative = p[(y == 0) & (blocks == block)]
        below = np.searchsorted(negative, positive, side="left")
        up_to = np.searchsorted(negative, positive, side="right")
        wins[:, block] = np.bincount(of_block, weights=(below + up_to) / 2, minlength=n_blocks)
    return wins


def draw_blocks(*, n_blocks: int, n_resamples: int, seed: int) -> Array:
    """Draw how often each block occurs in each resample, shape (n_resamples, n_blocks)."""
    generator = np.random.default_rng(seed)
    return generator.multinomial(n_blocks, np.full(n_blocks, 1 / n_blocks), size=n_resamples)


def statistics(counts: Array, sums: BlockSums) -> dict[str, Array]:
    """Return log loss, Brier score and AUC of each resample, each of shape (n_resamples,).

    A resample with one class only has a NaN as AUC.

    Args:
        counts: How often each block occurs, shape (n_resamples, n_blocks).
        sums: Per block, of one model.

    """
    n, positive = counts @ sums.n, counts @ sums.positive
    pairs = positive * (n - positive)
    won = ((counts @ sums.wins) * counts).sum(axis=1)
    return {
        "log_loss": counts @ sums.log_loss / n,
        "brier": counts @ sums.brier / n,
        "auc": np.divide(won, pairs, out=np.full(len(n), np.nan), where=pairs > 0),
    }


def interval(values: Array, *, coverage: float = COVERAGE) -> tuple[float, float]:
    """Return the percentile interval of resampled values, NaN left out.

    Examples:
        >>> interval(np.arange(101.0), coverage=0.5)
        (25.0, 75.0)

    """
    known = values[~np.isnan(values)]
    if not len(known):
        return float("nan"), float("nan")
    low, high = np.quantile(known, [(1 - coverage) / 2, (1 + coverage) / 2])
    return float(low), float(high)

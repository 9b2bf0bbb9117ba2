"""The simplest predictor worth beating: a table of past rates by a few columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from argosy.evaluation.cases import TableKey

PRIOR_ROWS = 20  # a cell of the table counts this many rows of the overall rate in


def table_scores(keys: Sequence[TableKey], earlier: pa.Table, y: NDArray[Any], later: pa.Table) -> NDArray[np.float64]:
    """Score rows by the rate of earlier rows with the same keys, shrunk towards the overall rate.

    A cell's rate is (positives + 20 r) / (rows + 20), with r the overall rate; unseen cells get r.

    Args:
        keys: Columns of the table; none gives the constant r.
        earlier: Rows with labels.
        y: Their labels, 0 or 1.
        later: Rows to score.

    """
    n_rows = earlier.num_rows + later.num_rows  # a table without columns does not know
    names = [key.feature for key in keys]
    codes = cell_codes(keys, pa.concat_tables([earlier.select(names), later.select(names)]), n_rows=n_rows)
    n_cells = int(codes.max()) + 1
    known = codes[: earlier.num_rows]
    rows = np.bincount(known, minlength=n_cells)
    positives = np.bincount(known, weights=y, minlength=n_cells)
    rates = (positives + PRIOR_ROWS * y.mean()) / (rows + PRIOR_ROWS)
    scores: NDArray[np.float64] = rates[codes[earlier.num_rows :]]
    return scores


def cell_codes(keys: Sequence[TableKey], table: pa.Table, n_rows: int) -> NDArray[np.int64]:
    """Number the distinct combinations of binned keys; null is a value of its own."""
    cells = np.zeros(n_rows, dtype=np.int64)
    for key in keys:
        column = table.column(key.feature)
        binned = column if key.width is None else pc.floor(pc.divide(column.cast(pa.float64()), key.width))
        encoded = binned.combine_chunks().dictionary_encode(null_encoding="encode")
        cells = cells * len(encoded.dictionary) + encoded.indices.to_numpy()
        cells = np.unique(cells, return_inverse=True)[1]
    return cells

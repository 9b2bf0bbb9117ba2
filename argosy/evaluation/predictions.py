"""Write and read predictions: one row per scored row, in the frame's order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from argosy.errors import BadInput
from argosy.evaluation.frame import DAY, LABEL

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

SCORE = "p"
ROW_GROUP_ROWS = 100_000


@dataclass(frozen=True)
class Scores:
    """Scores of rows, all arrays of shape (n_rows,).

    Attributes:
        day: The row's day, datetime64[D].
        block: Number of what the row is resampled with, usually its day.
        y: The label 0 or 1; NaN is never labelled.
        p: The probability, float32.

    """

    day: NDArray[Any]
    block: NDArray[Any]
    y: NDArray[Any]
    p: NDArray[Any]

    @property
    def is_labelled(self) -> NDArray[np.bool_]:
        """Say which rows have a label."""
        labelled: NDArray[np.bool_] = ~np.isnan(self.y)
        return labelled

    def where(self, mask: NDArray[np.bool_]) -> Scores:
        """Return the scores of the rows of a mask."""
        return Scores(self.day[mask], self.block[mask], self.y[mask], self.p[mask])

    def labelled(self) -> Scores:
        """Return the scores of the rows that have a label."""
        return self.where(self.is_labelled)

    def by_month(self) -> Iterator[tuple[str, Scores]]:
        """Yield each month, like "2013-08", with its scores."""
        months = self.day.astype("datetime64[M]")
        for month in np.unique(months):
            yield str(month), self.where(months == month)

    def dense_blocks(self) -> tuple[int, NDArray[np.int64]]:
        """Return how many blocks there are and each row's, numbered from 0 without gaps."""
        distinct, numbers = np.unique(self.block, return_inverse=True)
        return len(distinct), numbers


def write_predictions(path: Path, keys: pa.Table, p: NDArray[np.float32]) -> None:
    """Write rows with their scores; float32, in which processors agree on the digits.

    Args:
        path: The file.
        keys: Row id, t0, day and label.
        p: Probabilities, in the order of `keys`.

    """
    table = keys.append_column(SCORE, pa.array(np.asarray(p, dtype=np.float32)))
    pq.write_table(table, path, compression="zstd", row_group_size=ROW_GROUP_ROWS)


def read_scores(predictions: Path, *, block: str = DAY) -> Scores:
    """Read all parts of a predictions folder.

    Args:
        predictions: Holds `part-YYYY-MM.parquet`.
        block: The column whose values are resampled together: `day`, or the row's own.

    Raises:
        BadInput: The folder has no parts, or the block is not one of their columns.

    """
    parts = [pq.ParquetFile(part).read() for part in prediction_parts(predictions)]
    table = pa.concat_tables(parts)
    row = table.column_names[0]
    if block not in (row, DAY):
        raise BadInput(f"{predictions}: block {block!r}; predictions can be resampled by {DAY!r} or {row!r}")
    return Scores(
        day=table.column(DAY).cast(pa.date32()).to_numpy(),
        block=table.column(block).combine_chunks().dictionary_encode().indices.to_numpy(),
        y=table.column(LABEL).cast(pa.float64()).to_numpy(),
        p=table.column(SCORE).to_numpy(),
    )


def prediction_parts(predictions: Path) -> list[Path]:
    """Return the parts of a predictions folder in the order of their months.

    Raises:
        BadInput: It has none.

    """
    parts = sorted(predictions.glob("part-*.parquet"))
    if not parts:
        raise BadInput(f"{predictions}: no part-YYYY-MM.parquet in it; evaluate writes them")
    return parts

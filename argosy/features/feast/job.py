"""What `AsofOfflineStore` gives back: a retrieval that runs when its result is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
from feast.errors import SavedDatasetLocationAlreadyExists
from feast.infra.offline_stores.offline_store import RetrievalJob, RetrievalMetadata

from argosy.features.feast.sources import place_of, replace

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_NULLABLE = {
    pa.int8(): pd.Int8Dtype(),
    pa.int16(): pd.Int16Dtype(),
    pa.int32(): pd.Int32Dtype(),
    pa.int64(): pd.Int64Dtype(),
    pa.uint8(): pd.UInt8Dtype(),
    pa.uint16(): pd.UInt16Dtype(),
    pa.uint32(): pd.UInt32Dtype(),
    pa.uint64(): pd.UInt64Dtype(),
    pa.bool_(): pd.BooleanDtype(),
}


class AsofRetrievalJob(RetrievalJob):  # type: ignore[misc]  # Feast ships no types
    """A retrieval.

    Args:
        evaluate: Makes the result, without on-demand views.
        repo_path: What a relative path to persist to is relative to.
        entity_df: The columns that the data frame takes over as they are.
        on_demand_views: Feast's views that are computed from the result.
        full_feature_names: Whether their columns carry their names.
        metadata: What Feast keeps about a saved data set.

    """

    def __init__(
        self,
        evaluate: Callable[[], pa.Table],
        repo_path: Any,
        *,
        entity_df: pd.DataFrame | None = None,
        on_demand_views: Sequence[Any] = (),
        full_feature_names: bool = False,
        metadata: RetrievalMetadata | None = None,
    ) -> None:
        self._evaluate = evaluate
        self._repo_path = repo_path
        self._entity_df = entity_df
        self._on_demand_views = list(on_demand_views)
        self._full_feature_names = full_feature_names
        self._metadata = metadata

    def to_df(self, validation_reference: Any = None, timeout: int | None = None) -> pd.DataFrame:
        """Return the result for pandas; integers and booleans with nulls keep their type and every bit."""
        return self._to_pandas(self.to_arrow(validation_reference=validation_reference, timeout=timeout))

    def persist(self, storage: Any, allow_overwrite: bool = False, timeout: int | None = None) -> None:
        """Write the result to a file or folder of Parquet.

        Raises:
            SavedDatasetLocationAlreadyExists: Something is there, and it may not be overwritten.

        """
        place = place_of(storage.to_data_source(), self._repo_path)
        if place.exists and not allow_overwrite:
            raise SavedDatasetLocationAlreadyExists(location=place.path)
        replace(place, self.to_arrow(timeout=timeout))

    @property
    def full_feature_names(self) -> bool:
        """Whether columns of on-demand views carry their names."""
        return self._full_feature_names

    @property
    def on_demand_feature_views(self) -> list[Any]:
        """Feast's views that are computed from the result."""
        return self._on_demand_views

    @property
    def metadata(self) -> RetrievalMetadata | None:
        """What Feast keeps about a saved data set."""
        return self._metadata

    def _to_df_internal(self, timeout: int | None = None) -> pd.DataFrame:
        return self._to_pandas(self._to_arrow_internal(timeout))

    def _to_arrow_internal(self, timeout: int | None = None) -> pa.Table:  # noqa: ARG002 - Feast's signature
        return self._evaluate()

    def _to_pandas(self, table: pa.Table) -> pd.DataFrame:
        """Convert column by column; what came with the entity frame is taken over."""
        given = {} if self._entity_df is None else dict(self._entity_df.reset_index(drop=True).items())
        columns = {
            name: given[name] if name in given else _series(column)
            for name, column in zip(table.column_names, table.columns, strict=True)
        }
        return pd.DataFrame(columns, copy=False)


def _series(column: pa.ChunkedArray) -> pd.Series:
    """Convert a column; pandas would make floats of integers with nulls."""
    series: pd.Series = column.to_pandas(types_mapper=_NULLABLE.get if column.null_count else None)
    return series

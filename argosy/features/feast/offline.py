"""The TTL rule as an offline store of Feast: `offline_store: {type: argosy.features.feast.offline.AsofOfflineStore}`.

At T the newest row with `event <= T` counts, of one event the newest created, and its values are null once
`T - event > ttl`, in microseconds. The entity frame comes back as it was, with columns beside it. Sources are Parquet.
The tag `availability` of a view delays its rows: `created` until they were created, `15m` for 15 minutes after their
event.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from feast.infra.offline_stores.offline_store import OfflineStore, RetrievalMetadata
from feast.infra.offline_stores.offline_utils import infer_event_timestamp_from_entity_df
from feast.on_demand_feature_view import OnDemandFeatureView
from feast.repo_config import FeastConfigBaseModel
from feast.utils import compute_non_entity_date_range
from pydantic import StrictBool, StrictStr  # noqa: TC002 - pydantic reads the annotations

from argosy.errors import BadInput
from argosy.features.feast import sources
from argosy.features.feast.job import AsofRetrievalJob
from argosy.features.feast.pulls import Pull, all_rows, newest_rows
from argosy.features.feast.views import Asked, Frame, answer, asked_of, frame_between, frame_of
from argosy.features.instants import datetime_at, since_1970_us
from argosy.features.tables import connect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

_TIMESTAMP = np.dtype("datetime64[us]")


class AsofOfflineStoreConfig(FeastConfigBaseModel):  # type: ignore[misc]  # Feast ships no types
    """What `feature_store.yaml` may say of the store.

    Args:
        statuses: Whether a frame has `<view>__status` and `<view>__age_s` beside each view's features.

    """

    type: StrictStr = "argosy.features.feast.offline.AsofOfflineStore"
    statuses: StrictBool = False


class AsofOfflineStore(OfflineStore):  # type: ignore[misc]  # Feast ships no types
    """Feast's interface to as-of joins in DuckDB over Parquet."""

    supports_filter_by_created_timestamp = True

    @staticmethod
    def get_historical_features(  # noqa: PLR0913, PLR0917 - Feast's signature
        config: Any,
        feature_views: list[Any],
        feature_refs: list[str],
        entity_df: pd.DataFrame | str | None,
        registry: Any,
        project: str,
        full_feature_names: bool = False,
        filter_by_created_timestamp: bool = False,
        start_date: datetime | None = None,
        end_date: datetime | None = None,
    ) -> AsofRetrievalJob:
        """Look features up as of each row of an entity frame.

        Args:
            config: The repository's.
            feature_views: With their projections.
            feature_refs: Such as `view:feature`.
            registry: Where on-demand views are found.
            project: Of the registry.
            full_feature_names: Whether columns are named `view__feature`.
            entity_df: A frame, or a query of DuckDB for one, with the keys and `event_timestamp` or one other column
                of timestamps; None for a row per entity and instant at which a view has a row within the dates.
            filter_by_created_timestamp: Whether a row counts only from when it was created.
            start_date: First event without a frame; inclusive, UTC where it has no zone.
            end_date: Last event without a frame.

        Raises:
            BadInput: The frame lacks a key, columns clash, or a source cannot be read as its view.

        """
        repo_path, statuses = config.repo_path, config.offline_store.statuses
        named = {"full_names": full_feature_names, "created_cutoff": filter_by_created_timestamp}
        asked = [asked_of(view, feature_refs, **named) for view in feature_views]
        if entity_df is None:
            start, end = compute_non_entity_date_range(feature_views, start_date=start_date, end_date=end_date)
            frame = frame_between(asked, repo_path, since_1970_us(start), since_1970_us(end))
        else:
            frame = _frame(entity_df, repo_path)
        _require_columns(frame, asked, statuses=statuses)
        return AsofRetrievalJob(
            lambda: _beside(frame, (answer(frame, each, repo_path, statuses=statuses) for each in asked)),
            repo_path,
            entity_df=entity_df if isinstance(entity_df, pd.DataFrame) else None,
            on_demand_views=OnDemandFeatureView.get_requested_odfvs(feature_refs, project, registry),
            full_feature_names=full_feature_names,
            metadata=RetrievalMetadata(feature_refs, frame.others, *_range(frame)),
        )

    @staticmethod
    def pull_latest_from_table_or_query(  # noqa: PLR0913, PLR0917 - Feast's signature
        config: Any,
        data_source: Any,
        join_key_columns: list[str],
        feature_name_columns: list[str],
        timestamp_field: str,
        created_timestamp_column: str | None,
        start_date: datetime,
        end_date: datetime,
    ) -> AsofRetrievalJob:
        """Read the newest row of each entity, by event, then created, among those within dates, both inclusive."""
        pull = Pull(
            data_source, join_key_columns, feature_name_columns, timestamp_field, created_timestamp_column,
            start_date, end_date,
        )  # fmt: skip
        return AsofRetrievalJob(lambda: newest_rows(pull, config.repo_path), config.repo_path)

    @staticmethod
    def pull_all_from_table_or_query(  # noqa: PLR0913, PLR0917 - Feast's signature
        config: Any,
        data_source: Any,
        join_key_columns: list[str],
        feature_name_columns: list[str],
        timestamp_field: str,
        created_timestamp_column: str | None = None,
        start_date: datetime | None = None,
        end_date: datetime | None = None,
    ) -> AsofRetrievalJob:
        """Read all rows within dates, both inclusive."""
        pull = Pull(
            data_source, join_key_columns, feature_name_columns, timestamp_field, created_timestamp_column,
            start_date, end_date,
        )  # fmt: skip
        return AsofRetrievalJob(lambda: all_rows(pull, config.repo_path), config.repo_path)

    @staticmethod
    def offline_write_batch(
        config: Any, feature_view: Any, table: pa.Table, progress: Callable[[int], Any] | None
    ) -> None:
        """Add rows to a view's source: a file of its own in a folder, else the one file written anew.

        Raises:
            BadInput: The columns are not the source's, in its order.

        """
        place = sources.place_of(feature_view.batch_source, config.repo_path)
        schema = sources.open_dataset(place).schema
        if table.column_names != schema.names:
            raise BadInput(f"{place.path}: got columns {table.column_names}; it has {schema.names}, in this order")
        sources.append(place, table.cast(schema))
        if progress:
            progress(table.num_rows)

    @staticmethod
    def write_logged_features(  # noqa: PLR0917 - Feast's signature
        config: Any,
        data: pa.Table | Path,
        source: Any,  # noqa: ARG004
        logging_config: Any,
        registry: Any,  # noqa: ARG004
    ) -> None:
        """Add logged features to the folder of their destination, in hive partitions if it names columns."""
        destination = logging_config.destination
        place = sources.place_of(destination.to_data_source(), config.repo_path)
        table = pq.read_table(data) if isinstance(data, Path) else data
        sources.add_file(place, table, destination.partition_by or ())

    def get_table_column_names_and_types_from_data_source(
        self, config: Any, data_source: Any
    ) -> Iterable[tuple[str, str]]:
        """Name a source's columns and their types in Arrow, also of a glob."""
        schema = sources.open_dataset(sources.place_of(data_source, config.repo_path)).schema
        return [(field.name, str(field.type)) for field in schema]


def _frame(entity_df: pd.DataFrame | str, repo_path: Any) -> Frame:
    """Read an entity frame, or run the query for one."""
    if isinstance(entity_df, str):
        with connect() as db:
            db.execute("SET TimeZone = 'UTC'")
            db.execute(f"SET file_search_path = '{str(repo_path or '').replace(chr(39), chr(39) * 2)}'")
            table = db.sql(entity_df).to_arrow_table()
        stamped = {field.name: field.type for field in table.schema}
        dtypes = {name: _TIMESTAMP if pa.types.is_timestamp(kind) else object for name, kind in stamped.items()}
        return frame_of(table, infer_event_timestamp_from_entity_df(dtypes))
    try:
        table = pa.Table.from_pandas(entity_df, preserve_index=False).replace_schema_metadata(None)
    except pa.ArrowException as error:
        raise BadInput(f"entity frame: {error}; give each column one type") from error
    timestamp = infer_event_timestamp_from_entity_df(dict(entity_df.dtypes.items()))
    return frame_of(table, timestamp, entity_df[timestamp])


def _require_columns(frame: Frame, asked: Sequence[Asked], *, statuses: bool) -> None:
    """Refuse a frame without a view's keys, and columns that would stand twice."""
    names = list(frame.table.column_names)
    for each in asked:
        missing = [key for key in each.keys.values() if key not in names]
        if missing:
            raise BadInput(f"entity frame: no columns {missing}, keys of feature view {each.view!r}; it has {names}")
    made = [name for each in asked for name in each.fields.values()]
    made += [f"{each.view}__{what}" for each in asked for what in ("status", "age_s") if statuses]
    twice = sorted({name for name in made if made.count(name) > 1 or name in names})
    if twice:
        raise BadInput(f"columns {twice} would stand twice in the frame; use full_feature_names, or rename the frame's")


def _beside(frame: Frame, answers: Iterable[pa.Table]) -> pa.Table:
    """Put the views' columns beside the frame's."""
    table = frame.table
    for each in answers:
        for name, column in zip(each.column_names, each.columns, strict=True):
            table = table.append_column(name, column)
    return table


def _range(frame: Frame) -> tuple[datetime | None, datetime | None]:
    """Return the first and the last instant of a frame; None where there is none."""
    bounds = pc.min_max(frame.at).as_py()
    first, last = (None if bounds[end] is None else datetime_at(bounds[end]) for end in ("min", "max"))
    return first, last

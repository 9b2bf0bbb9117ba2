"""What is asked of a Feast feature view as of the rows of an entity frame, and the columns that answer it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from feast.feature_view import DUMMY_ENTITY_ID
from feast.utils import _parse_feature_ref

from argosy.errors import BadInput
from argosy.features.definitions.schedule import duration_s
from argosy.features.feast.asof import NONE, Rows, find, instants
from argosy.features.feast.sources import open_dataset, place_of, read_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

INSTANT = pa.timestamp("us", tz="UTC")


@dataclass(frozen=True)
class Asked:
    """What is asked of a view.

    Args:
        view: Its name in the answer.
        source: Feast's source of its rows.
        keys: Column of the frame for each key's column of the source.
        fields: Column of the answer for each field's column of the source.
        ttl_us: How old a row may be, inclusive; None for ever.
        known_when_created: Whether a row counts only from the instant it was created.
        known_after_us: How long after its event a row starts to count.

    """

    view: str
    source: Any
    keys: dict[str, str]
    fields: dict[str, str]
    timestamp: str
    created: str | None
    ttl_us: int | None
    known_when_created: bool
    known_after_us: int


@dataclass(frozen=True)
class Frame:
    """An entity frame: its columns, and the instant of each row in microseconds."""

    table: pa.Table
    timestamp: str
    at: pa.ChunkedArray

    @property
    def others(self) -> list[str]:
        """Name the columns beside the timestamp."""
        return [name for name in self.table.column_names if name != self.timestamp]


def asked_of(view: Any, feature_refs: Iterable[str], *, full_names: bool, created_cutoff: bool) -> Asked:
    """Say what references ask of a view.

    Args:
        view: Feast's feature view, with its projection.
        feature_refs: Of any views, such as `view:feature`.
        full_names: Whether the answer's columns carry the view's name.
        created_cutoff: Whether no row counts before it was created, if the source says when that was.

    """
    source, projection = view.batch_source, view.projection
    if source is None:
        raise BadInput(f"feature view {view.name!r}: it has no batch source, so it has no history")
    in_source = {new: old for old, new in source.field_mapping.items()}
    name = projection.name_alias or view.name
    keys = [column.name for column in view.entity_columns if column.name != DUMMY_ENTITY_ID]
    created = source.created_timestamp_column or None
    cutoff, delay_us = _availability(view)
    if cutoff and created is None:
        raise BadInput(f"feature view {view.name!r}: availability is 'created', and its source names no created column")
    return Asked(
        view=name,
        source=source,
        keys={in_source.get(key, key): projection.join_key_map.get(key, key) for key in keys},
        fields={
            in_source.get(each, each): f"{name}__{each}" if full_names else each
            for each in _features_of(projection.name_to_use(), feature_refs)
        },
        timestamp=in_source.get(source.timestamp_field, source.timestamp_field),
        created=in_source.get(created, created) if created else None,
        ttl_us=(view.ttl or timedelta()) // timedelta(microseconds=1) or None,
        known_when_created=created is not None and (created_cutoff or cutoff),
        known_after_us=delay_us,
    )


def rows_of(asked: Asked, repo_path: Any, *, since_us: int | None, until_us: int | None) -> Rows:
    """Read the rows of a view whose events lie within bounds, both inclusive."""
    place = place_of(asked.source, repo_path)
    columns = [*asked.keys, asked.timestamp, *([asked.created] if asked.created else []), *asked.fields]
    where = f"{place.path}: feature view {asked.view!r}"
    table = read_rows(open_dataset(place), columns, asked.timestamp, since_us=since_us, until_us=until_us, where=where)
    created = table[asked.created] if asked.created else None
    if created is not None and (asked.known_when_created or pa.types.is_timestamp(created.type)):
        created = instants(created, f"{where}, column {asked.created!r}")
    return Rows(
        where=where,
        keys={wanted: table[column] for column, wanted in asked.keys.items()},
        event=instants(table[asked.timestamp], f"{where}, column {asked.timestamp!r}"),
        created=created,
        fields=table.select(list(asked.fields)).rename_columns(list(asked.fields.values())),
        known_when_created=asked.known_when_created,
        known_after_us=asked.known_after_us,
    )


def answer(frame: Frame, asked: Asked, repo_path: Any, *, statuses: bool) -> pa.Table:
    """Look a view up as of each row of the frame.

    Returns:
        One column per field, in the order of the frame's rows; with `statuses` also `<view>__status`, and
        `<view>__age_s`, which an expired row has too.

    Raises:
        BadInput: The source cannot be read as the view, or contradicts itself.

    """
    bounds = pc.min_max(frame.at).as_py()
    first, last = bounds["min"], bounds["max"]
    # A row that every request finds expired makes no value, but a status.
    since_us = None if statuses or first is None or asked.ttl_us is None else first - asked.ttl_us
    rows = rows_of(asked, repo_path, since_us=since_us, until_us=last)
    found = find(frame.at, {key: frame.table[key] for key in asked.keys.values()}, rows)
    at = frame.at.fill_null(0).to_numpy()
    age_us = np.where(found.row == NONE, 0, at - found.event)
    expired = np.zeros(len(at), dtype=bool) if asked.ttl_us is None else age_us > asked.ttl_us
    values = rows.fields.take(pa.array(found.row, mask=(found.row == NONE) | expired))
    if not statuses:
        return values
    missing = found.row == NONE
    status = _status(values, missing, expired)
    age_s = pa.array((age_us / 1e6).astype(np.float32), mask=missing)
    return values.append_column(f"{asked.view}__status", status).append_column(f"{asked.view}__age_s", age_s)


def frame_between(asked: Sequence[Asked], repo_path: Any, start_us: int, end_us: int) -> Frame:
    """Make a frame of each entity and instant at which one of the views has a row, bounds inclusive.

    Raises:
        BadInput: The views have different keys.

    """
    keys = list(asked[0].keys.values())
    for each in asked:
        if set(each.keys.values()) != set(keys):
            raise BadInput(
                f"without an entity frame all views need the same keys; {asked[0].view!r} has {keys}, "
                f"{each.view!r} has {list(each.keys.values())}: bring an entity frame, or ask one after the other"
            )
    parts = []
    for each in asked:
        rows = rows_of(each, repo_path, since_us=start_us, until_us=end_us)
        parts.append(pa.table({**{key: rows.keys[key] for key in keys}, "at": rows.event}))
    events = pa.concat_tables(parts, promote_options="permissive").drop_null().group_by([*keys, "at"]).aggregate([])
    events = events.sort_by([(name, "ascending") for name in ("at", *keys)])
    table = events.select(keys).add_column(0, "event_timestamp", events["at"].cast(INSTANT))
    return Frame(table, "event_timestamp", events["at"])


def frame_of(table: pa.Table, timestamp: str, stamps: pd.Series | None = None) -> Frame:
    """Make a frame of a table; `stamps` are its instants where they may be text, of ISO 8601."""
    if stamps is not None and not pd.api.types.is_datetime64_any_dtype(stamps.dtype):
        column = pa.chunked_array([pa.Array.from_pandas(pd.to_datetime(stamps, utc=True, format="ISO8601"))])
    else:
        column = table[timestamp]
    return Frame(table, timestamp, instants(column, f"entity frame, column {timestamp!r}"))


def _availability(view: Any) -> tuple[bool, int]:
    """Read from a view's tag whether its rows count when created, and how long after their event they do."""
    tag = view.tags.get("availability")
    if tag in (None, "created"):
        return tag is not None, 0
    try:
        return False, duration_s(tag) * 1_000_000
    except ValueError as error:
        raise BadInput(f"feature view {view.name!r}: availability: {error}, or 'created'") from error


def _features_of(name: str, feature_refs: Iterable[str]) -> list[str]:
    """Name the features that references ask of a view, each once."""
    found = []
    for ref in feature_refs:
        view, version, feature = _parse_feature_ref(ref)
        if name == (view if version is None else f"{view}@v{version}"):
            found.append(feature)
    return list(dict.fromkeys(found))


def _status(values: pa.Table, missing: NDArray[np.bool_], expired: NDArray[np.bool_]) -> pa.Array:
    """Say of each row what its values are."""
    nulls = (column.is_null().to_numpy() for column in values.columns)
    empty = reduce(np.logical_and, nulls, np.ones(len(missing), dtype=bool))
    status = np.select([missing, expired, empty], ["NOT_FOUND", "OUTSIDE_MAX_AGE", "NULL_VALUE"], "PRESENT")
    return pa.array(status, pa.string())

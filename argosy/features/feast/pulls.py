"""Read a source's rows within dates, for Feast's own materialisation: all of them, or the newest of each entity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from feast.feature_view import DUMMY_ENTITY_ID, DUMMY_ENTITY_VAL

from argosy.features.feast.asof import Rows, find, instants
from argosy.features.feast.sources import open_dataset, place_of, read_rows
from argosy.features.feast.views import INSTANT
from argosy.features.instants import since_1970_us

if TYPE_CHECKING:
    from datetime import datetime

_LAST = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Pull:
    """What to read.

    Args:
        source: Feast's source.
        keys: Columns that name an entity.
        fields: Further columns; without any all of the source's.
        start: First event, inclusive; None for no bound.
        end: Last event, inclusive.

    """

    source: Any
    keys: list[str]
    fields: list[str]
    timestamp: str
    created: str | None
    start: datetime | None
    end: datetime | None


def all_rows(pull: Pull, repo_path: Any) -> pa.Table:
    """Read the rows, with timestamps as `timestamp[us, UTC]` whatever they are in the source.

    Raises:
        BadInput: The source lacks a column or cannot be read.

    """
    place = place_of(pull.source, repo_path)
    dataset = open_dataset(place)
    stamps = [pull.timestamp, *([pull.created] if pull.created else [])]
    columns = [*pull.keys, *pull.fields, *stamps] if pull.fields else dataset.schema.names
    bounds = {
        "since_us": None if pull.start is None else since_1970_us(pull.start),
        "until_us": None if pull.end is None else since_1970_us(pull.end),
    }
    table = read_rows(dataset, columns, pull.timestamp, **bounds, where=place.path)
    for name in stamps:
        column = instants(table[name], f"{place.path}, column {name!r}").cast(INSTANT)
        table = table.set_column(table.column_names.index(name), name, column)
    return table


def newest_rows(pull: Pull, repo_path: Any) -> pa.Table:
    """Read the newest row of each entity, by event, then created; a null key is no entity.

    Raises:
        BadInput: Two rows are tied and differ, or as for `all_rows`.

    """
    table = all_rows(pull, repo_path)
    stamps = [pull.timestamp, *([pull.created] if pull.created else [])]
    rows = Rows(
        where=place_of(pull.source, repo_path).path,
        keys={key: table[key] for key in pull.keys},
        event=table[pull.timestamp].cast(pa.int64()),
        created=table[pull.created].cast(pa.int64()) if pull.created else None,
        fields=table.drop_columns([*pull.keys, *stamps]),
    )
    entities = table.select(pull.keys).group_by(pull.keys).aggregate([]) if pull.keys else pa.table({"one": [1]})
    at = pa.chunked_array([pa.array(np.full(entities.num_rows, _LAST))])
    found = find(at, {key: entities[key] for key in pull.keys}, rows)
    newest = table.take(pa.array(np.sort(found.row[found.row >= 0])))
    if pull.keys:
        return newest
    # What Feast keeps a view without entities under.
    return newest.append_column(DUMMY_ENTITY_ID, pa.array([DUMMY_ENTITY_VAL] * newest.num_rows, pa.string()))

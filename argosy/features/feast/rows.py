"""Between Feast's messages and the rows of an online store: keys, values, and the answer under the rule of TTL."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from feast import utils
from feast.infra.key_encoding_utils import serialize_entity_key
from feast.metrics import track_feature_statuses
from feast.protos.feast.serving.ServingService_pb2 import FieldStatus, GetOnlineFeaturesResponse
from feast.protos.feast.types.EntityKey_pb2 import EntityKey
from feast.protos.feast.types.Value_pb2 import Map, Value
from google.protobuf.timestamp_pb2 import Timestamp  # type: ignore[import-untyped]  # ships no types

from argosy.errors import BadInput
from argosy.features.instants import MICROSECOND, datetime_at, since_1970_us
from argosy.features.online.packed import LOWEST, PackedRow
from argosy.features.visibility import judge

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from argosy.features.visibility import Status

    # What Feast hands to a store of one row: entity, values, event and created.
    Written = tuple[EntityKey, Mapping[str, Value], datetime, datetime | None]

KEY_VERSION = 3
_NULL = Value()
_USABLE = (FieldStatus.PRESENT, FieldStatus.NULL_VALUE)


def ttl_us_of(table: Any) -> int | None:
    """Return a view's TTL in microseconds; Feast's zero is for ever."""
    return (getattr(table, "ttl", None) or timedelta(0)) // MICROSECOND or None


def packed_rows(view: str, data: Iterable[Written], at_us: int) -> list[PackedRow]:
    """Turn what Feast writes into rows.

    Raises:
        BadInput: A row's event lies after `at_us`: it would hide the row that counts until then.

    """
    rows = []
    for entity, values, event, created in data:
        event_us = since_1970_us(event)
        if event_us > at_us:
            raise BadInput(
                f"view {view!r}: the row of {_spoken(entity)} has its event at {_spoken_instant(event_us)}, in the "
                f"future of {_spoken_instant(at_us)}; write it when it has come, or mend its clock"
            )
        packed = Map()
        for name, value in values.items():
            packed.val[name].CopyFrom(value)
        created_us = LOWEST if created is None else since_1970_us(created)
        rows.append(PackedRow(key_of(entity), event_us, created_us, packed.SerializeToString(deterministic=True)))
    return rows


def key_of(entity: EntityKey) -> bytes:
    """Write an entity's key."""
    return bytes(serialize_entity_key(entity, entity_key_serialization_version=KEY_VERSION))


def requested_keys(table: Any, columns: Mapping[str, Sequence[Value]], join_keys: Any) -> list[bytes | None]:
    """Write the key of each row of a request; None where a part is null, which matches nothing.

    Raises:
        BadInput: The request lacks a join key of the view.

    """
    given = utils._get_table_entity_values(table, join_keys, columns)
    wanted = {join_keys[entity] for entity in table.entities}
    if wanted - set(given):
        raise BadInput(f"view {table.name!r}: the request lacks its keys {sorted(wanted - set(given))}")
    return [
        None
        if any(part.WhichOneof("val") in (None, "null_val") for part in parts)
        else key_of(EntityKey(join_keys=given, entity_values=parts))
        for parts in zip(*given.values(), strict=True)
    ]


def read_values(row: PackedRow | None) -> Mapping[str, Value]:
    """Read a row's values by field name."""
    return {} if row is None else dict(Map.FromString(row.packed).val)


def visible_row(
    row: PackedRow | None, table: Any, names: Sequence[str], at_us: int
) -> tuple[datetime | None, dict[str, Value] | None]:
    """Return a row as Feast's stores do, event and values: null where it is too old, nothing where there is none."""
    status = _status(row, table, at_us, ())
    if row is None or status == "NOT_FOUND":
        return None, None
    values = {} if status == "OUTSIDE_MAX_AGE" else read_values(row)
    return datetime_at(row.event_us), {name: values.get(name, _NULL) for name in names}


def add_vectors(
    response: GetOnlineFeaturesResponse,
    rows: Sequence[PackedRow | None],
    *,
    table: Any,
    names: Sequence[str],
    at_us: int,
) -> None:
    """Append a view's features to a response: values, statuses and events, one of each per row of the request."""
    cells = [_cells(row, table, names, at_us) for row in rows]
    events = [_event(row, at_us) for row in rows]
    usable = 0
    for number in range(len(names)):
        statuses = [status for _, status in (row[number] for row in cells)]
        usable += sum(status in _USABLE for status in statuses)
        values = [value for value, _ in (row[number] for row in cells)]
        response.results.append(
            GetOnlineFeaturesResponse.FeatureVector(values=values, statuses=statuses, event_timestamps=events)
        )
    track_feature_statuses(table.name, usable, len(names) * len(rows) - usable)


def add_names(
    response: GetOnlineFeaturesResponse, table: Any, names: Sequence[str], *, full: bool, versions: bool
) -> None:
    """Name a view's features in a response, and its version where that is asked for."""
    spoken = table.projection.name_to_use()
    response.metadata.feature_names.val.extend([f"{spoken}__{name}" if full else name for name in names])
    known = [each.name for each in response.metadata.feature_view_metadata]
    view = table.projection.name_alias or table.projection.name
    if versions and view not in known:
        response.metadata.feature_view_metadata.add(name=view, version=getattr(table, "current_version_number", 0) or 0)


def _cells(row: PackedRow | None, table: Any, names: Sequence[str], at_us: int) -> list[tuple[Value, Any]]:
    """Judge a row: value and status of each feature."""
    values, cells = read_values(row), []
    for name in names:
        value = values.get(name, _NULL)
        null = value.WhichOneof("val") in (None, "null_val")
        status = _status(row, table, at_us, (None if null else value,))
        cells.append((value if status == "PRESENT" else _NULL, FieldStatus.Value(status)))
    return cells


def _status(row: PackedRow | None, table: Any, at_us: int, values: Iterable[object]) -> Status:
    """Apply the rule."""
    return judge(None if row is None else row.event_us, at_us, ttl_us_of(table), values)


def _event(row: PackedRow | None, at_us: int) -> Timestamp:
    """Return a row's event; the beginning of time where there is none."""
    if row is None or row.event_us > at_us:
        return Timestamp()
    seconds, micros = divmod(row.event_us, 1_000_000)
    return Timestamp(seconds=seconds, nanos=micros * 1_000)


def _spoken(entity: EntityKey) -> str:
    """Name an entity in a message."""
    return ", ".join(
        f"{key}={getattr(value, value.WhichOneof('val') or '', None)!r}"
        for key, value in zip(entity.join_keys, entity.entity_values, strict=True)
    )


def _spoken_instant(instant: int) -> str:
    """Write microseconds since 1970 as an instant, to the microsecond."""
    return datetime_at(instant).isoformat(timespec="microseconds")

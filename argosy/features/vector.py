"""Build the feature vector of one request from the rows that an online store holds, as retrieval builds a frame's row.

`argosy.features.offline.queries` says the same in SQL; a property test holds both to one result, cell by cell. Numbers
are rounded to float32, as a frame stores them. A UnixTimestamp is whole seconds in an online store.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, NamedTuple

from argosy.features.instants import SECOND_US
from argosy.features.rules import UNITS_US
from argosy.features.visibility import judge

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from argosy.features.carried import CarriedRules, CarriedView
    from argosy.features.online.rows import OnlineRow, OnlineView, Value
    from argosy.features.rules import ViewFeature
    from argosy.features.visibility import Status

USABLE = ("PRESENT", "NULL_VALUE")
# Up to here every whole number is a float64; a larger one would be rounded twice on its way to float32.
EXACT = 2**53
NULL = float("nan")
NEVER = 2**63

Features = dict[str, float | str | None]


class Seen(NamedTuple):
    """What a request found in a view: its row's timestamp, null without a row; the status; the age in seconds."""

    event_us: int | None
    status: Status
    age_s: float | None


class Vector(NamedTuple):
    """The features by name, in column order, and what each view had, by its name."""

    features: Features
    views: dict[str, Seen]


def wanted_rows(rules: CarriedRules, request: Mapping[str, Value]) -> list[tuple[OnlineView, tuple[Value, ...]] | None]:
    """Say which row of each view a request needs; None where a key is null, which matches nothing."""
    wanted: list[tuple[OnlineView, tuple[Value, ...]] | None] = []
    for view in rules.views:
        key = tuple([request[name] for name in view.keys])
        wanted.append(None if None in key else (view.online, key))
    return wanted


def assemble(rules: CarriedRules, request: Mapping[str, Value], rows: Sequence[OnlineRow | None], at_us: int) -> Vector:
    """Value each feature of a service as of an instant.

    Args:
        rules: What the model carries.
        request: The request's keys and fields by name; null where one is not known.
        rows: What the online store holds for each view, in the order of the rules; None where there is none.
        at_us: The instant T, microseconds since 1970 UTC.

    """
    seen, looked_up = {}, {}
    for view, row in zip(rules.views, rows, strict=True):
        found = seen[view.name] = _see(view, row, at_us)
        if row is None or found.status not in USABLE:
            looked_up.update(dict.fromkeys(view.names))
            continue
        values = row.values
        for name, field, made in view.steps:
            value = values.get(field)
            looked_up[name] = value if made is None or value is None else _valued(made, value, request, at_us)
        if view.age_feature is not None:
            looked_up[view.age_feature] = found.age_s
    features: Features = {}
    for each in rules.request:
        usable = each.expires_with is None or seen[each.expires_with].status in USABLE
        features[each.name] = request[each.name] if usable else None  # type: ignore[assignment]
    features.update(looked_up)
    _round(features, rules.numbers)
    return Vector(features, seen)


def _see(view: CarriedView, row: OnlineRow | None, at_us: int) -> Seen:
    """Judge a view's row; one that does not count yet is none."""
    if row is None or _counts_from(view, row) > at_us:
        return Seen(None, "NOT_FOUND", None)
    values = row.values
    status = judge(row.event_us, at_us, view.ttl_us, [values.get(field) for field in view.fields])
    return Seen(row.event_us, status, _float32((at_us - row.event_us) / 1e6))


def _counts_from(view: CarriedView, row: OnlineRow) -> int:
    """Return the instant from which on a row may be used."""
    if view.availability == "created":
        return NEVER if row.created_us is None else max(row.event_us, row.created_us)
    return row.event_us + view.availability


def _valued(feature: ViewFeature, value: Value, request: Mapping[str, Value], at_us: int) -> float | str | None:
    """Value a feature from its field, which is not null."""
    if feature.since is not None:
        return float(at_us - int(value) * SECOND_US) / UNITS_US[feature.since]  # type: ignore[arg-type]
    if feature.equals is not None:
        other = request[feature.equals]
        return None if other is None else float(value == other)
    if type(value) is int and not -EXACT <= value <= EXACT:
        return _nearest(value)
    return value  # type: ignore[return-value]


def _round(features: Features, numbers: Sequence[str]) -> None:
    """Round the numbers to float32, all at once."""
    given = [features[name] for name in numbers]
    rounded = array("f", [NULL if value is None else value for value in given])  # type: ignore[type-var]
    for name, value in zip(numbers, rounded, strict=True):
        features[name] = value if value == value else None  # noqa: PLR0124 - only NaN differs from itself


def _float32(value: float) -> float:
    return array("f", [value])[0]


def _nearest(value: int) -> float:
    """Round a large whole number to float32 in one step, half to even."""
    drop = abs(value).bit_length() - 24
    kept, rest = divmod(abs(value), 1 << drop)
    half = 1 << (drop - 1)
    kept += rest > half or (rest == half and kept % 2 == 1)
    return float((kept << drop) * (1 if value > 0 else -1))

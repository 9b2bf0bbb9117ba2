"""Read a pushed row, one JSON object, and say what it is at its arrival: good, or why it may not be written.

    {"view": "weather", "key": {"origin": "JFK"}, "event": "2013-06-15T12:00:00Z", "created": null,
     "values": {"temp": 71.1}}

`event` is when the row became known, `created` which of several rows of one instant is newest: ISO 8601 with a zone.
A field that is left out is null; one that the view does not have is refused.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from argosy.errors import BadInput
from argosy.features.definitions.checks import did_you_mean
from argosy.features.instants import SECOND_US, instant_us
from argosy.features.online.rows import OnlineRow

if TYPE_CHECKING:
    from collections.abc import Mapping

    from argosy.features.rules import View

INT_BITS = {"Int32": 32, "Int64": 64, "UnixTimestamp": 64}
KINDS: dict[str, tuple[type, ...]] = {
    "Float32": (int, float), "Float64": (int, float), "Int32": (int,), "Int64": (int,), "UnixTimestamp": (str,),
    "Bool": (bool,), "String": (str,),
}  # fmt: skip

Arrival = Literal["due", "early", "late", "expired"]


@dataclass(frozen=True)
class Pushed:
    """A row that was pushed, and the view it is for."""

    view: View
    row: OnlineRow


def read_pushed(text: str | bytes, views: Mapping[str, View]) -> Pushed:
    """Read a pushed row.

    Args:
        text: JSON of one row.
        views: The online views by name.

    Raises:
        BadInput: It is not JSON, names no view, or has a key, instant or value that the view does not.

    """
    try:
        found = json.loads(text)
    except ValueError as error:
        raise BadInput(f"a pushed row is not JSON: {error}") from error
    if not isinstance(found, dict) or not {"view", "key", "event"} <= set(found):
        raise BadInput("a pushed row has `view`, `key`, `event`, `values`, and `created` where its view has it")
    if found["view"] not in views:
        near = did_you_mean(str(found["view"]), views)
        raise BadInput(f"view: got {found['view']!r}; allowed are {sorted(views)}{near}")
    view = views[found["view"]]
    keys = dict(zip(view.keys, view.key_types, strict=True))
    key = _typed(found["key"], keys, f"{view.name}.key")
    if any(key.get(name) is None for name in keys):
        raise BadInput(f"{view.name}.key: got {found['key']!r}; needed are {view.keys}, none of them null")
    values = _typed(found.get("values", {}), view.stored, f"{view.name}.values")
    created = found.get("created")
    if view.created and created is None:
        raise BadInput(f"{view.name}.created: missing; its view orders rows of one instant by {view.created}")
    instant = None if created is None else instant_us(created)
    return Pushed(view, OnlineRow(tuple(key[name] for name in keys), instant_us(found["event"]), instant, values))


def arrival(pushed: Pushed, now_us: int) -> Arrival:
    """Say how a row comes: before its own instant, in time, later than its feed may be, or past its TTL."""
    age = now_us - pushed.row.event_us
    if age < 0:
        return "early"
    if pushed.view.ttl_us is not None and age > pushed.view.ttl_us:
        return "expired"
    allowed = pushed.view.max_lateness_s
    return "late" if allowed is not None and age > allowed * SECOND_US else "due"


def _typed(found: Any, kinds: Mapping[str, str], place: str) -> dict[str, Any]:
    """Return named values in the types of Feast."""
    if not isinstance(found, dict):
        raise BadInput(f"{place}: got {found!r:.80}; it is an object with {sorted(kinds)}")
    for name in found:
        if name not in kinds:
            raise BadInput(f"{place}.{name}: unknown; allowed are {sorted(kinds)}{did_you_mean(name, kinds)}")
    return {
        name: None if value is None else _value(value, kinds[name], f"{place}.{name}") for name, value in found.items()
    }


def _value(value: Any, dtype: str, place: str) -> Any:
    """Return a value in a type of Feast."""
    allowed: Any = KINDS.get(dtype)
    if allowed is None or not isinstance(value, allowed) or (isinstance(value, bool) and dtype != "Bool"):
        raise BadInput(
            f"{place}: got {value!r:.80}; it is {dtype}" + (", which a push cannot bring" if not allowed else "")
        )
    if dtype == "UnixTimestamp":
        instant = instant_us(value)
        if instant % SECOND_US:
            raise BadInput(f"{place}: got {value!r}; Feast keeps whole seconds: round it")
        return instant // SECOND_US
    if dtype in INT_BITS and not -(2 ** (INT_BITS[dtype] - 1)) <= value < 2 ** (INT_BITS[dtype] - 1):
        raise BadInput(f"{place}: got {value}; it is {dtype}")
    return float(value) if dtype.startswith("Float") else value

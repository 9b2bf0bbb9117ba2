"""What a caller sends instead of features: the keys that they are looked up by, and the request's own fields."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from argosy.errors import BadInput
from argosy.features import instants

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from argosy.features.carried import CarriedRules, CarriedView
    from argosy.features.online.rows import Value

INSTANT = "an instant with its zone and at most microseconds, such as 2013-06-01T12:00:00Z"
KEY_TYPES = {"String": "category", "Int32": "int32", "Int64": "int64", "Bytes": "bytes"}

# RFC 3339; `fromisoformat` also reads other forms, and drops digits beyond the microsecond.
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)

Entity = dict[str, "Value"]
Field = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """A request by key.

    Args:
        entities: One or, in a batch, many; each with every field of `entity_fields` by name.
        explain: Whether the answer tells what each view had.
        as_of: The instant to answer as of, as it was sent; None for now.

    """

    entities: Sequence[Entity]
    explain: bool = False
    as_of: str | None = None


def entity_fields(rules: CarriedRules) -> list[Field]:
    """Describe what a caller sends, in the words of a signature's features; all may be null."""
    fields = {each.name: _field(each.name, each.type, each.description) for each in rules.request}
    for view in rules.views:
        for key, kind in zip(view.keys, view.key_types, strict=True):
            # A key has the narrower type: the number of a flight is whole.
            known = fields.get(key, {"description": "", "keys": []})
            views = [*known["keys"], view.name]
            fields[key] = {**_field(key, KEY_TYPES[kind], known["description"]), "keys": views}
    for view in rules.views:
        for name, kind in _compared(view):
            fields.setdefault(name, _field(name, kind, f"compared with a field of {view.name}"))
    return list(fields.values())


def example_entity(rules: CarriedRules, features: Mapping[str, Any]) -> dict[str, Any]:
    """Build an entity from a signature's example; a key that is no feature is null there."""
    return {field["name"]: features.get(field["name"]) for field in entity_fields(rules)}


def describe_entities(rules: CarriedRules, features: Mapping[str, Any]) -> dict[str, Any]:
    """Describe a request by key: its fields, what the views do with an old row, and an example of these features."""
    views = [
        {
            "name": view.name,
            "keys": view.keys,
            "ttl_s": None if view.ttl_us is None else view.ttl_us / 1e6,
            "on_expired": view.on_expired,
            "on_missing": view.on_missing,
            "features": list(view.names),
        }
        for view in rules.views
    ]
    example = example_entity(rules, features)
    return {"service": rules.service, "fields": entity_fields(rules), "views": views, "example": example}


def instant_us(text: str) -> int | None:
    """Read an instant of RFC 3339 as microseconds since 1970 UTC; None where it is none or has no zone."""
    if not _RFC3339.fullmatch(text):
        return None
    try:
        return instants.instant_us(text.upper())
    except BadInput:
        return None


def _field(name: str, kind: str, description: str) -> Field:
    return {"name": name, "type": kind, "nullable": True, "description": description, "keys": []}


def _compared(view: CarriedView) -> list[tuple[str, str]]:
    """Name the request's fields that a view's are compared with, and their types."""
    return [(each.equals, "category" if each.dtype == "String" else "number") for each in view.features if each.equals]

"""The half of the rules that a model carries: what a server needs to build the vector that training saw.

Retrieval writes it into the frame, training copies it into the model folder: a model's digest says which rules it is
served under. When a view is materialised, how late it may be and where its rows come from are not in it, so an edit of
these trains no model anew.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any

from argosy.errors import BadInput
from argosy.features.online.rows import OnlineView
from argosy.features.rules import Availability, OnExpired, RequestFeature, Rules, ViewFeature

if TYPE_CHECKING:
    from pathlib import Path

FILE = "features.json"
FORMAT = 1


@dataclass(frozen=True)
class CarriedView:
    """What serving keeps of a view; the words are those of `argosy.features.rules.View`."""

    name: str
    keys: list[str]
    key_types: list[str]
    ttl_us: int | None
    group: str
    on_expired: OnExpired
    on_missing: OnExpired
    age_feature: str | None
    features: list[ViewFeature]
    availability: Availability = 0

    @cached_property
    def online(self) -> OnlineView:
        """What an online store has to know of it."""
        types = {feature.field: feature.dtype for feature in self.features}
        return OnlineView(self.name, tuple(self.keys), tuple(self.key_types), types)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The features that its row yields, its age last."""
        own = tuple(feature.name for feature in self.features)
        return (*own, self.age_feature) if self.age_feature else own

    @cached_property
    def steps(self) -> tuple[tuple[str, str, ViewFeature | None], ...]:
        """Per feature its name, its field, and the feature itself where it is more than the field as it stands."""
        return tuple((each.name, each.field, each if _is_made(each) else None) for each in self.features)

    @cached_property
    def fields(self) -> tuple[str, ...]:
        """The fields of its rows, each once."""
        return tuple(self.online.fields)


@dataclass(frozen=True)
class CarriedRules:
    """What serving keeps of a service; features in the order of `listing()` of the whole rules."""

    service: str
    request: list[RequestFeature]
    views: list[CarriedView]
    format: int = FORMAT

    def to_json(self) -> str:
        """Write the rules as text; equal rules give equal text."""
        return json.dumps(asdict(self), indent=1, sort_keys=True) + "\n"

    @cached_property
    def names(self) -> list[str]:
        """Name the features, in column order."""
        return [feature.name for feature in self.request] + [name for view in self.views for name in view.names]

    @cached_property
    def numbers(self) -> tuple[str, ...]:
        """Name the features that are numbers, in column order."""
        texts = {each.name for each in self.request if each.type == "category"}
        texts |= {each.name for view in self.views for each in view.features if each.type == "category"}
        return tuple(name for name in self.names if name not in texts)


def _is_made(feature: ViewFeature) -> bool:
    """Say whether a feature is computed; a whole number is, for its rounding."""
    return bool(feature.since or feature.equals) or feature.dtype == "Int64"


def carry(rules: Rules) -> CarriedRules:
    """Take the half that serving needs."""
    kept = [each.name for each in fields(CarriedView)]
    views = [CarriedView(**{name: getattr(view, name) for name in kept}) for view in rules.views]
    return CarriedRules(service=rules.service, request=rules.request, views=views)


def read_carried(path: Path) -> CarriedRules:
    """Read the rules that a frame or a model folder carries.

    Raises:
        BadInput: It is not the JSON that retrieval writes, or of another format.

    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if found["format"] != FORMAT:
            raise BadInput(f"{path}: format {found['format']!r}; this code reads {FORMAT}: retrieve the frame again")
        views = [_view(each) for each in found["views"]]
        request = [RequestFeature(**each) for each in found["request"]]
        return CarriedRules(service=found["service"], request=request, views=views)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInput(f"{path}: not the rules that a model carries ({error}); retrieve the frame again") from error


def _view(found: dict[str, Any]) -> CarriedView:
    return CarriedView(**{**found, "features": [ViewFeature(**each) for each in found["features"]]})

"""The compiled rules of retrieval: what `features.json` says, typed."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Literal

from argosy.errors import BadInput

if TYPE_CHECKING:
    from pathlib import Path

FORMAT = 2
IDENTITY = ("t0", "day", "y", "label_at")  # with the id, what a frame says of a row beside its features
UNITS_US = {"s": 1_000_000, "min": 60_000_000, "h": 3_600_000_000, "d": 86_400_000_000}

FeatureType = Literal["number", "category"]
OnExpired = Literal["null", "fail", "refer"]
Availability = int | Literal["created"]


@dataclass(frozen=True)
class ViewFeature:
    """A feature that a view's row yields.

    Without `since` and `equals` it is the row's field itself. `since` makes it the time that has passed since the
    instant in the field, in this unit (negative before it); `equals` makes it 1 or 0, whether the field equals this
    column of the request. `dtype` is the field's type in Feast, such as Float32.
    """

    name: str
    field: str
    dtype: str
    type: FeatureType
    description: str
    since: str | None = None
    equals: str | None = None


@dataclass(frozen=True)
class View:
    """A feature view: where its rows are, how long one may be used, and what it yields.

    Args:
        timestamp: Column of the instant at which a row became known.
        created: Column that orders rows of one key and instant, the newest wins; None if there is none.
        keys: Columns that say what a row is about, and in `key_types` their types in Feast, such as String.
        stored: Types in Feast of all fields of the view, by name; those of `features` and the ones that this service
            leaves out, which the online store holds for others.
        ttl_us: How old a row may be, inclusive; None for ever.
        age_feature: Name under which the row's age in seconds is a feature; None for a view without a TTL.
        on_expired: What serving does with an expired row: a null, an error, or a referral to a person.
        min_coverage: Smallest share of requests with a row inside its TTL that counts as healthy.
        owner: Who answers for it; empty if nobody is named.
        availability: From when on a row may be used: so many microseconds after its timestamp, or, with `created`, from
            the instant in the column `created` on. Ages count from the timestamp all the same.

    """

    name: str
    source: str
    timestamp: str
    created: str | None
    keys: list[str]
    key_types: list[str]
    stored: dict[str, str]
    ttl_us: int | None
    group: str
    on_expired: OnExpired
    on_missing: OnExpired
    online: bool
    max_lateness_s: int | None
    materialize_every_s: int | None
    run_budget_s: int | None
    min_coverage: float
    age_feature: str | None
    features: list[ViewFeature]
    owner: str = ""
    availability: Availability = 0

    @property
    def forgets_us(self) -> int | None:
        """How old a row is when the online store may forget it; None where it never may.

        A row past its TTL and none at all are both null, so it may go, unless the policy tells the two apart.
        """
        return self.ttl_us if self.on_expired == self.on_missing else None

    @property
    def serving_lag_us(self) -> int | None:
        """How long after its timestamp a row can reach the online store; None without a schedule to reach it by."""
        spans = (self.max_lateness_s, self.materialize_every_s, self.run_budget_s)
        known = [span for span in spans if span is not None]
        return sum(known) * 1_000_000 if self.online and len(known) == len(spans) else None


@dataclass(frozen=True)
class RequestFeature:
    """A feature that the request brings; null when the row of the view `expires_with` is not usable."""

    name: str
    type: FeatureType
    group: str
    description: str
    expires_with: str | None = None


@dataclass(frozen=True)
class Group:
    """Features that fail together; `ttl_s` is the shortest of its views, None where none ages."""

    name: str
    ttl_s: float | None
    droppable: bool


@dataclass(frozen=True)
class Rules:
    """Everything that retrieval needs to know of a feature service."""

    service: str
    id: str
    request: list[RequestFeature]
    views: list[View]
    groups: list[Group]
    format: int = FORMAT

    def to_json(self) -> str:
        """Write the rules as text; equal rules give equal text."""
        return json.dumps(asdict(self), indent=1, sort_keys=True) + "\n"

    def listing(self) -> list[dict[str, Any]]:
        """List name, type, group, description and view of each feature, in column order."""
        brought = [
            {"name": f.name, "type": f.type, "group": f.group, "description": f.description, "view": f.expires_with}
            for f in self.request
        ]
        return brought + [feature for view in self.views for feature in _listing(view)]


def _listing(view: View) -> list[dict[str, Any]]:
    """List a view's features, its age last."""
    rows = [
        {"name": f.name, "type": f.type, "group": view.group, "description": f.description, "view": view.name}
        for f in view.features
    ]
    if view.age_feature:
        description = f"age of the row of {view.name}, seconds"
        age = {"name": view.age_feature, "type": "number", "group": view.group}
        rows.append({**age, "description": description, "view": view.name})
    return rows


def read_rules(path: Path) -> Rules:
    """Read `features.json`.

    Raises:
        BadInput: It is not the JSON that `compile_features` writes.

    """
    try:
        found = json.loads(path.read_text())
        if found["format"] != FORMAT:
            raise BadInput(f"{path}: format {found['format']!r}; this code reads {FORMAT}: compile it again")
        views = [
            View(**{**view, "features": [ViewFeature(**each) for each in view["features"]]}) for view in found["views"]
        ]
        return Rules(
            **{
                **{name: found[name] for name in (each.name for each in fields(Rules))},
                "request": [RequestFeature(**each) for each in found["request"]],
                "views": views,
                "groups": [Group(**each) for each in found["groups"]],
            }
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInput(f"{path}: not compiled feature rules ({error}); write it with compile_features") from error

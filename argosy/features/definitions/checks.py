"""Check described feature definitions: each view's TTL, tags and schedule; each name once.

A TTL is whole seconds above zero, or the tag `ttl: forever`; Feast reads a missing or zero TTL as for ever, and some
stores round a shorter one to that. For an online view, the serving lag must stay below the TTL (`schedule`). A service
reads plain feature views: what an on-demand view computes nobody could judge.
"""

from __future__ import annotations

import re
from collections import Counter
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, get_args

from argosy.features.definitions.schedule import SCHEDULE, duration_s, problems_of_schedule
from argosy.features.rules import IDENTITY, UNITS_US, FeatureType, OnExpired

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

TYPES: dict[str, FeatureType] = {
    **dict.fromkeys(("Float32", "Float64", "Int32", "Int64", "Bool"), "number"),
    "String": "category",
}
KEY_TYPES = {"STRING": "String", "INT64": "Int64", "INT32": "Int32", "BYTES": "Bytes"}
STORED_TYPES = (*TYPES, "Bytes", "UnixTimestamp")
POLICIES = ("on_expired", "on_missing")
VIEW_TAGS = ("group", "ttl", "age", "min_coverage", "availability", *POLICIES, *SCHEDULE)
FIELD_TAGS = ("feature", "since", "equals")
REQUEST_TAGS = ("group", "expires_with")


def problems_of_service(found: Mapping[str, Any]) -> list[str]:
    """List all that is wrong with a described service, one line each."""
    views, request = found["views"], found["request"]
    wrong = [line for view in views for line in problems_of_view(view)]
    wrong += [
        f"on-demand feature view {name!r}: nothing keeps its code to the TTL of what it reads; make it a field's tag "
        "(`since`, `equals`), or a column of the event rows"
        for name in found["on_demand"]
    ]
    wrong += [line for field in request for line in _request_problems(field, [view["name"] for view in views])]
    names = Counter(feature_name(field) for view in views for field in view["fields"])
    names.update(field["name"] for field in request)
    names.update(age for view in views if (age := age_feature(view)))
    return (
        wrong
        + [
            f"feature {name!r} is made {count} times; a frame has it once: rename it with the tag `feature`"
            for name, count in sorted(names.items())
            if count > 1
        ]
        + [
            f"feature {name!r}: a frame has its own column of this name; rename it"
            for name in sorted(names & Counter(IDENTITY))
        ]
    )


def problems_of_view(view: Mapping[str, Any]) -> list[str]:
    """List all that is wrong with a described view, one line each."""
    tags = view["tags"]
    wrong = [] if "group" in tags else ["it has no `group` tag; name the features that fail together"]
    wrong += _unknown_tags(tags, VIEW_TAGS)
    wrong += [
        f"{tag} is {tags[tag]!r}; allowed are {list(get_args(OnExpired))}"
        for tag in POLICIES
        if tags.get(tag, "null") not in get_args(OnExpired)
    ]
    wrong += [
        f"its key {key!r} is {kind}; allowed are {list(KEY_TYPES)}: name one as the entity's value_type"
        for key, kind in zip(view["keys"], view["key_types"], strict=True)
        if kind not in KEY_TYPES
    ]
    wrong += [line for field in view["fields"] for line in _field_problems(field)]
    wrong += [
        f"field {name!r}: it is {dtype}, which no online store here holds; allowed are {list(STORED_TYPES)}"
        for name, dtype in view["stored"].items()
        if view["online"] and dtype not in STORED_TYPES
    ]
    wrong += _ttl_problems(view)
    wrong += _coverage_problems(tags)
    wrong += _availability_problems(view)
    return [f"feature view {view['name']!r}: {line}" for line in wrong]


def feature_name(field: Mapping[str, Any]) -> str:
    """Name the feature that a view's field yields."""
    return str(field["tags"].get("feature", field["name"]))


def age_feature(view: Mapping[str, Any]) -> str | None:
    """Name the feature that is the age of a view's row; a view that never expires has none."""
    return f"{view['name']}_age_s" if view["ttl_us"] and view["tags"].get("age") != "no" else None


def _ttl_problems(view: Mapping[str, Any]) -> list[str]:
    """List why a view's TTL cannot stand."""
    ttl_us, tag = view["ttl_us"] or 0, view["tags"].get("ttl")
    if tag is not None:
        wrong = f"its ttl tag is {tag!r} beside ttl={ttl_us / 1e6:g} s; write ttl='forever' and ttl 0, or only a ttl"
        return [] if tag == "forever" and ttl_us == 0 else [wrong]
    if ttl_us == 0:
        return ["its ttl is 0 or missing, which Feast reads as for ever; give a ttl, or the tag ttl='forever'"]
    if ttl_us < 0 or ttl_us % 1_000_000:
        return [f"its ttl is {ttl_us / 1e6:g} s; allowed are whole seconds above 0, for stores drop the fraction"]
    return problems_of_schedule(view["tags"], ttl_us // 1_000_000, online=view["online"])


def _coverage_problems(tags: Mapping[str, str]) -> list[str]:
    """List what is wrong with the smallest healthy coverage."""
    text = tags.get("min_coverage", "1")
    fine = re.fullmatch(r"0(\.\d+)?|1(\.0+)?", text)
    return [] if fine else [f"min_coverage is {text!r}; write a share from 0 to 1, such as '0.95'"]


def _availability_problems(view: Mapping[str, Any]) -> list[str]:
    """List why a view's rows cannot be available as its tag says."""
    tag = view["tags"].get("availability")
    if tag is None:
        return []
    if tag == "created":
        return (
            []
            if view["created"]
            else ["its availability is 'created', and its source names no created_timestamp_column: name one"]
        )
    try:
        span_s = duration_s(tag)
    except ValueError as error:
        return [f"availability: {error}; or 'created'"]
    ttl_s = (view["ttl_us"] or 0) / 1e6
    if 0 < ttl_s < span_s:
        return [f"its rows are available {tag} after their timestamp, when they have outlived their ttl of {ttl_s:g} s"]
    return []


def _field_problems(field: Mapping[str, Any]) -> list[str]:
    """List what is wrong with a field of a view."""
    tags, kind = field["tags"], field["dtype"]
    wrong = _unknown_tags(tags, FIELD_TAGS)
    since = tags.get("since")
    if since is not None and (kind != "UnixTimestamp" or since not in UNITS_US):
        wrong.append(f"`since` is {since!r} on {kind}; allowed are {list(UNITS_US)}, on UnixTimestamp")
    elif since is None and kind not in TYPES:
        wrong.append(f"it is {kind}; allowed are {list(TYPES)}, and UnixTimestamp with the tag `since`")
    return [f"field {field['name']!r}: {line}" for line in wrong]


def _request_problems(field: Mapping[str, Any], views: Collection[str]) -> list[str]:
    """List what is wrong with a field that the request brings."""
    tags = field["tags"]
    wrong = _unknown_tags(tags, REQUEST_TAGS)
    wrong += [] if "group" in tags else ["it has no `group` tag; name the features that fail together"]
    wrong += [] if field["dtype"] in TYPES else [f"it is {field['dtype']}; allowed are {list(TYPES)}"]
    view = tags.get("expires_with")
    if view is not None and view not in views:
        wrong.append(
            f"`expires_with` is {view!r}; the service has the views {sorted(views)}{did_you_mean(view, views)}"
        )
    return [f"request field {field['name']!r}: {line}" for line in wrong]


def _unknown_tags(tags: Iterable[str], known: Collection[str]) -> list[str]:
    """List the tags that mean nothing here."""
    unread = sorted(set(tags) - set(known))
    return [f"unknown tag {tag!r}; known are {sorted(known)}{did_you_mean(tag, known)}" for tag in unread]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Suggest the nearest known name, if one is near."""
    near = get_close_matches(name, list(known), 1)
    return f"; did you mean {near[0]!r}?" if near else ""

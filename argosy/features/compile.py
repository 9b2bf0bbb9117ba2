"""Compile a Feast feature service to the rules of retrieval."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args

from argosy.errors import Mistake
from argosy.features import definitions
from argosy.features.rules import UNITS_US, FeatureType, Group, OnExpired, RequestFeature, Rules, View, ViewFeature

ROOT = Path(__file__).parents[2]
TYPES: dict[str, FeatureType] = {
    **dict.fromkeys(("Float32", "Float64", "Int32", "Int64", "Bool"), "number"),
    "String": "category",
}
DURATION = re.compile(r"(\d+)(s|m|h|d)")
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
VIEW_TAGS = {
    "ttl",
    "group",
    "on_expired",
    "on_missing",
    "max_lateness",
    "materialize_every",
    "run_budget",
    "min_coverage",
    "age",
}


def compile_features(*, feature_repo: Path, service: str, out: Path) -> dict[str, Any]:
    """Write `features.json` for a service of a Feast repository, and count what it holds.

    Raises:
        Mistake: The repository cannot be imported, or its definitions leave a TTL open or cannot keep it.

    """
    rules = rules_of(describe(feature_repo, service), place=f"{feature_repo.name}: service {service!r}")
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(rules.to_json())
    return {"service": service, "views": len(rules.views), "features": len(rules.listing())}


def describe(feature_repo: Path, service: str) -> dict[str, Any]:
    """Read the definitions in a child process, which alone pays for importing Feast."""
    command = [sys.executable, "-OB", "-m", definitions.__name__, str(feature_repo.resolve()), service]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-1:]
        raise Mistake(f"{feature_repo}: its modules cannot be imported: {' '.join(last)}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def rules_of(found: dict[str, Any], *, place: str) -> Rules:
    """Turn described definitions into rules.

    Raises:
        Mistake: With all that is wrong, one line each.

    """
    if "service" not in found:
        name = place.split("'")[-2]
        near = get_close_matches(name, found["services"], 1)
        raise Mistake(f"{place}: no such feature service; there are {found['services']}" + _did_you_mean(near))
    wrong = [problem for view in found["views"] for problem in problems_of(view)]
    wrong += [
        f"request field {f['name']!r}: no `group` tag" for f in found["request"] or [] if "group" not in f["tags"]
    ]
    if wrong:
        raise Mistake("\n".join(f"{place}: {line}" for line in wrong))
    request = [_request_feature(field) for field in found["request"] or []]
    views = [_view(view) for view in sorted(found["views"], key=lambda view: view["name"])]
    tags = found["service"]["tags"]
    return Rules(found["service"]["name"], tags.get("id", "id"), request, views, _groups(request, views))


def problems_of(view: dict[str, Any]) -> list[str]:
    """List what is wrong with a described view: its TTL, its tags, its schedule."""
    tags, at = view["tags"], f"feature view {view['name']!r}"
    wrong = [f"{at}: no `group` tag; name the features that fail together"] if "group" not in tags else []
    wrong += [
        f"{at}: unknown tag {tag!r}; known are {sorted(VIEW_TAGS)}"
        + _did_you_mean(get_close_matches(tag, VIEW_TAGS, 1))
        for tag in sorted(set(tags) - VIEW_TAGS)
    ]
    wrong += [
        f"{at}: {tag} is {tags[tag]!r}; allowed are {list(get_args(OnExpired))}"
        for tag in ("on_expired", "on_missing")
        if tags.get(tag, "null") not in get_args(OnExpired)
    ]
    wrong += [
        f"{at}: {tag} is {tags[tag]!r}; write a whole number and s, m, h or d, such as '15m'"
        for tag in ("max_lateness", "materialize_every", "run_budget")
        if tag in tags and not DURATION.fullmatch(tags[tag])
    ]
    wrong += [
        f"{at}: field {f['name']!r} is {f['dtype']}; allowed are {sorted(TYPES)}, or UnixTimestamp with a `since` tag"
        for f in view["fields"]
        if f["dtype"] not in TYPES and not (f["dtype"] == "UnixTimestamp" and f["tags"].get("since") in UNITS_US)
    ]
    return wrong + ([f"{at}: {line}" for line in _ttl_problems(view)] if not wrong else [])


def _ttl_problems(view: dict[str, Any]) -> list[str]:
    """List why a view's TTL cannot stand."""
    ttl_us, tags = view["ttl_us"] or 0, view["tags"]
    forever = tags.get("ttl") == "forever"
    if "ttl" in tags and not forever:
        return [f"its ttl tag is {tags['ttl']!r}; the only one is 'forever', else give FeatureView(ttl=...)"]
    if forever and ttl_us:
        return [f"it says 'forever' and ttl {ttl_us / 1e6:g} s; keep one of them"]
    if forever:
        return []
    if ttl_us == 0:
        return ["ttl is 0 or missing, which Feast reads as for ever; give a ttl or the tag ttl='forever'"]
    if ttl_us < 0 or ttl_us % 1_000_000:
        return [f"ttl is {ttl_us / 1e6:g} s; it counts whole seconds above 0: stores round the rest away"]
    return _schedule_problems(view, ttl_us // 1_000_000) if view["online"] else []


def _schedule_problems(view: dict[str, Any], ttl_s: int) -> list[str]:
    """List why the materialisation of an online view cannot meet its TTL."""
    needed = ("materialize_every", "max_lateness", "run_budget")
    missing = [tag for tag in needed if tag not in view["tags"]]
    if missing:
        return [f"it is online and lacks the tags {missing}; without them nobody knows whether its TTL can be met"]
    worst = sum(_seconds(view["tags"][tag]) or 0 for tag in needed)
    if worst >= ttl_s:
        return [
            f"a row can be {worst} s old when it is read ({' + '.join(view['tags'][tag] for tag in needed)}), "
            f"the ttl is {ttl_s} s; materialise more often or allow a longer ttl"
        ]
    return []


def _view(view: dict[str, Any]) -> View:
    """Build the rules of a view whose description has no problems."""
    tags = view["tags"]
    ttl_us = view["ttl_us"] or None
    return View(
        name=view["name"],
        source=view["source"],
        timestamp=view["timestamp"],
        created=view["created"],
        keys=view["keys"],
        ttl_us=ttl_us,
        group=tags["group"],
        on_expired=tags.get("on_expired", "null"),
        on_missing=tags.get("on_missing", "null"),
        online=view["online"],
        max_lateness_s=_seconds(tags.get("max_lateness")),
        materialize_every_s=_seconds(tags.get("materialize_every")),
        run_budget_s=_seconds(tags.get("run_budget")),
        min_coverage=float(tags.get("min_coverage", "0.95")),
        age_feature=f"{view['name']}_age_s" if ttl_us and tags.get("age") != "no" else None,
        features=[_view_feature(field) for field in view["fields"]],
    )


def _view_feature(field: dict[str, Any]) -> ViewFeature:
    """Build the rule of a field."""
    tags = field["tags"]
    made = "since" in tags or "equals" in tags
    return ViewFeature(
        name=tags.get("feature", field["name"]),
        field=field["name"],
        type="number" if made else TYPES[field["dtype"]],
        description=field["description"],
        since=tags.get("since"),
        equals=tags.get("equals"),
    )


def _request_feature(field: dict[str, Any]) -> RequestFeature:
    """Build the rule of a field that the request brings."""
    tags = field["tags"]
    kind = TYPES[field["dtype"]]
    return RequestFeature(field["name"], kind, tags["group"], field["description"], tags.get("expires_with"))


def _groups(request: list[RequestFeature], views: list[View]) -> list[Group]:
    """Gather the groups in the order of their first feature."""
    names = dict.fromkeys([feature.group for feature in request] + [view.group for view in views])
    groups = []
    for name in names:
        ttls = [view.ttl_us / 1e6 for view in views if view.group == name and view.ttl_us]
        groups.append(Group(name, min(ttls, default=None), bool(ttls)))
    return groups


def _seconds(text: str | None) -> int | None:
    """Read a duration such as '15m'."""
    found = DURATION.fullmatch(text or "")
    return int(found[1]) * SECONDS[found[2]] if found else None


def _did_you_mean(near: list[str]) -> str:
    """Suggest a name."""
    return f"; did you mean {near[0]!r}?" if near else ""

"""Compile a Feast feature service to the rules of retrieval."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from argosy.errors import Mistake
from argosy.features.definitions import describing
from argosy.features.definitions.checks import (
    KEY_TYPES,
    TYPES,
    age_feature,
    did_you_mean,
    feature_name,
    problems_of_service,
)
from argosy.features.definitions.schedule import duration_s, warnings_of_view
from argosy.features.definitions.stores import problems_of_repository
from argosy.features.rules import Availability, Group, RequestFeature, Rules, View, ViewFeature

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parents[3]


def compile_features(*, feature_repo: Path, service: str, out: Path) -> dict[str, Any]:
    """Write `features.json` for a service of a Feast repository; count what it holds and say what is short in it.

    Raises:
        Mistake: The repository cannot be imported, lacks the service, or defines what cannot be kept.

    """
    found = describe(feature_repo, service)
    precomputed = found.get("precompute_online", False)
    stores = problems_of_repository(feature_repo, found.get("views", []), precompute_online=precomputed)
    rules = rules_of(found, service, stores=stores)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(rules.to_json())
    warnings = [line for view in found["views"] for line in warnings_of_view(view)]
    return {"service": service, "views": len(rules.views), "features": len(rules.listing()), "warnings": warnings}


def describe(feature_repo: Path, service: str) -> dict[str, Any]:
    """Read the definitions of a service in a child process, so that only the child pays for importing Feast."""
    return _described(feature_repo, service)


def describe_all(feature_repo: Path) -> dict[str, Any]:
    """Read the definitions of all services in a child process, and of the views that none reads.

    Returns:
        `services`: what `describe` gives, by name; `unread`: views.

    """
    found = _described(feature_repo)
    names = sorted(found["services"])
    return found | {"services": {name: {"services": names} | each for name, each in found["services"].items()}}


def _described(feature_repo: Path, *asked: str) -> dict[str, Any]:
    # -O leaves out the run-time type checks that Feast decorates itself with: half of its import time.
    command = [sys.executable, "-OB", "-m", describing.__name__, str(feature_repo.resolve()), *asked]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise Mistake(f"{feature_repo}: cannot be read as Feast definitions: {reason}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def rules_of(found: dict[str, Any], service: str, *, stores: Sequence[str] = ()) -> Rules:
    """Turn described definitions into rules.

    Args:
        found: The described service.
        service: Its name.
        stores: What is wrong with the stores that its repository names.

    Raises:
        Mistake: With all that is wrong, one line each.

    """
    if service not in found["services"]:
        known = found["services"]
        raise Mistake(f"feature service {service!r}: there is none; there are {known}{did_you_mean(service, known)}")
    wrong = [*stores, *problems_of_service(found)]
    if wrong:
        raise Mistake("\n".join(f"feature service {service!r}: {line}" for line in wrong))
    request = [_request_feature(field) for field in found["request"]]
    views = [_view(view) for view in sorted(found["views"], key=lambda view: str(view["name"]))]
    return Rules(service=service, id=found["id"], request=request, views=views, groups=_groups(request, views))


def _view(view: dict[str, Any]) -> View:
    """Build the rules of a view."""
    tags = view["tags"]
    return View(
        name=view["name"],
        source=view["source"],
        timestamp=view["timestamp"],
        created=view["created"],
        keys=view["keys"],
        key_types=[KEY_TYPES[kind] for kind in view["key_types"]],
        stored=view["stored"],
        ttl_us=view["ttl_us"] or None,
        group=tags["group"],
        on_expired=tags.get("on_expired", "null"),
        on_missing=tags.get("on_missing", "null"),
        online=view["online"],
        max_lateness_s=_span(tags, "max_lateness"),
        materialize_every_s=_span(tags, "materialize_every"),
        run_budget_s=_span(tags, "run_budget"),
        min_coverage=float(tags.get("min_coverage", "0.95")),
        age_feature=age_feature(view),
        features=[_view_feature(field) for field in view["fields"]],
        owner=view["owner"],
        availability=_availability(tags),
    )


def _availability(tags: dict[str, str]) -> Availability:
    """Read from when on a row may be used."""
    tag = tags.get("availability")
    if tag is None:
        return 0
    return "created" if tag == "created" else duration_s(tag) * 1_000_000


def _span(tags: dict[str, str], tag: str) -> int | None:
    """Read a tag's duration in seconds."""
    return duration_s(tags[tag]) if tag in tags else None


def _view_feature(field: dict[str, Any]) -> ViewFeature:
    """Build the rule of a view's field."""
    tags = field["tags"]
    return ViewFeature(
        name=feature_name(field),
        field=field["name"],
        dtype=field["dtype"],
        type="number" if "since" in tags or "equals" in tags else TYPES[field["dtype"]],
        description=field["description"],
        since=tags.get("since"),
        equals=tags.get("equals"),
    )


def _request_feature(field: dict[str, Any]) -> RequestFeature:
    """Build the rule of a field that the request brings."""
    return RequestFeature(
        name=field["name"],
        type=TYPES[field["dtype"]],
        group=field["tags"]["group"],
        description=field["description"],
        expires_with=field["tags"].get("expires_with"),
    )


def _groups(request: list[RequestFeature], views: list[View]) -> list[Group]:
    """Gather the groups in the order of their first feature; those with a TTL can be dropped in training."""
    names = dict.fromkeys([feature.group for feature in request] + [view.group for view in views])
    groups = []
    for name in names:
        ttls = [view.ttl_us / 1e6 for view in views if view.group == name and view.ttl_us]
        groups.append(Group(name, min(ttls, default=None), droppable=bool(ttls)))
    return groups

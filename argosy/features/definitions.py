"""Describe a Feast repository's service as plain JSON. Run as a program: `python -O -m ... FEATURE_REPO SERVICE`.

Importing Feast costs seconds, half of them for run-time type checks that `-O` leaves out. So this is a child process
of `argosy.features.compile`, and the only module that imports Feast.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any


def describe_repository(feature_repo: Path, service: str) -> dict[str, Any]:
    """Import every module of the repository and describe the service, or name those that exist.

    Returns:
        `services` (all names), `service` (tags, description, views), `request` (fields of its request source).

    """
    from feast import Entity, FeatureService, FeatureView, RequestSource

    sys.path.insert(0, str(feature_repo))
    modules = [importlib.import_module(path.stem) for path in sorted(feature_repo.glob("*.py"))]
    objects = [value for module in modules for value in vars(module).values()]
    services = {each.name: each for each in objects if isinstance(each, FeatureService)}
    views = {each.name: each for each in objects if isinstance(each, FeatureView)}
    join_keys = {each.name: each.join_key for each in objects if isinstance(each, Entity)}
    requests = {each.name: each for each in objects if isinstance(each, RequestSource)}
    if service not in services:
        return {"services": sorted(services)}
    found = services[service]
    request = requests.get(found.tags.get("request", ""))
    return {
        "services": sorted(services),
        "service": {"name": found.name, "tags": dict(found.tags), "description": found.description},
        "request": None if request is None else [_field(field) for field in request.schema],
        "views": [_view(views[each.name], each.features, join_keys) for each in found.feature_view_projections],
    }


def _view(view: Any, selected: Any, join_keys: dict[str, str]) -> dict[str, Any]:
    """Describe a feature view with the fields that the service selects."""
    source = view.batch_source
    return {
        "name": view.name,
        "description": view.description,
        "source": source.name,
        "timestamp": source.timestamp_field,
        "created": source.created_timestamp_column or None,
        "keys": [join_keys[entity] for entity in view.entities],
        "ttl_us": None if view.ttl is None else round(view.ttl.total_seconds() * 1_000_000),
        "online": view.online,
        "tags": dict(view.tags),
        "fields": [_field(field) for field in selected],
    }


def _field(field: Any) -> dict[str, Any]:
    """Describe a field."""
    tags = dict(field.tags or {})
    return {"name": field.name, "dtype": str(field.dtype), "description": field.description, "tags": tags}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(describe_repository(Path(sys.argv[1]), sys.argv[2])))

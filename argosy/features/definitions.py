"""Describe a service of a Feast repository as JSON. Run it as a program: `FEATURE_REPO SERVICE`.

Importing Feast takes seconds. So this runs in a child process of `argosy.features.compile` and imports Feast only
there; no other module does.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any


def describe_repository(feature_repo: Path, service: str) -> dict[str, Any]:
    """Import the repository's modules and describe one service.

    Returns:
        `services`, all names; of the service, if it exists: `id` (column of the entity frame that names a row),
        `views`, and `request` (the fields of its request source, empty without one).

    """
    from feast import Entity, FeatureService, FeatureView, RequestSource

    sys.path.insert(0, str(feature_repo))
    modules = [importlib.import_module(path.stem) for path in sorted(feature_repo.glob("*.py"))]
    if not modules:
        sys.exit("there are no *.py modules in it")
    kinds: tuple[type, ...] = (Entity, FeatureService, FeatureView, RequestSource)
    objects = [value for module in modules for value in vars(module).values() if isinstance(value, kinds)]
    services, views, sources, entities = (
        {each.name: each for each in objects if isinstance(each, kind)}
        for kind in (FeatureService, FeatureView, RequestSource, Entity)
    )
    if service not in services:
        return {"services": sorted(services)}
    tags = services[service].tags
    return {
        "services": sorted(services),
        "id": tags.get("id", "id"),
        "request": [_field(field) for field in _named(sources, tags["request"]).schema] if "request" in tags else [],
        "views": [
            _view(_named(views, each.name), each.features, entities)
            for each in services[service].feature_view_projections
        ],
    }


def _named(objects: dict[str, Any], name: str) -> Any:
    """Find an object that is a module's variable, or end with a message."""
    if name not in objects:
        sys.exit(
            f"{name!r} is not a variable of a module (plain feature views and request sources are: {list(objects)})"
        )
    return objects[name]


def _view(view: Any, selected: Any, entities: dict[str, Any]) -> dict[str, Any]:
    """Describe a feature view with the fields that the service selects."""
    source = view.batch_source
    return {
        "name": view.name,
        "source": source.name,
        "timestamp": source.timestamp_field,
        "created": source.created_timestamp_column or None,
        "keys": [_named(entities, entity).join_key for entity in view.entities],
        "key_types": [_named(entities, entity).value_type.name for entity in view.entities],
        "ttl_us": None if view.ttl is None else round(view.ttl.total_seconds() * 1_000_000),
        "online": view.online,
        "owner": view.owner or "",
        "tags": dict(view.tags),
        "fields": [_field(field) for field in selected],
        "stored": {field.name: str(field.dtype) for field in view.features},
    }


def _field(field: Any) -> dict[str, Any]:
    """Describe a field."""
    tags = dict(field.tags or {})
    return {"name": field.name, "dtype": str(field.dtype), "description": field.description, "tags": tags}


if __name__ == "__main__":
    sys.stdout.write("\n" + json.dumps(describe_repository(Path(sys.argv[1]), sys.argv[2])))

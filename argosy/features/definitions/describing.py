"""Describe a service of a Feast repository as JSON, or all of it. Run it as a program: `FEATURE_REPO [SERVICE]`.

Importing Feast takes seconds. So this runs in a child process of `argosy.features.definitions.compile`, and beside the
stores in `argosy.features.feast` it is the one module that does.
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
        `views`, `on_demand` (names), and `request` (the fields of its request source, empty without one).

    """
    found = _Definitions(feature_repo)
    described = found.service(service) if service in found.services else {}
    return {"services": sorted(found.services)} | described


def describe_all(feature_repo: Path) -> dict[str, Any]:
    """Import the repository's modules and describe every service, and the `unread` views that are in none."""
    found = _Definitions(feature_repo)
    read = {each.name for service in found.services.values() for each in service.feature_view_projections}
    return {
        "services": {name: found.service(name) for name in sorted(found.services)},
        "unread": [found.view(view, view.features) for name, view in sorted(found.views.items()) if name not in read],
    }


class _Definitions:
    """What the modules of a repository define, by kind and name."""

    def __init__(self, feature_repo: Path) -> None:
        from feast import Entity, FeatureService, FeatureView, OnDemandFeatureView, RequestSource

        sys.path.insert(0, str(feature_repo))
        modules = [importlib.import_module(path.stem) for path in sorted(feature_repo.glob("*.py"))]
        if not modules:
            sys.exit("there are no *.py modules in it")
        objects = [value for module in modules for value in vars(module).values()]
        self.services, self.views, self.on_demand, self.sources, self.entities = (
            {each.name: each for each in objects if isinstance(each, kind)}
            for kind in (FeatureService, FeatureView, OnDemandFeatureView, RequestSource, Entity)
        )

    def service(self, name: str) -> dict[str, Any]:
        """Describe a service."""
        tags, read = self.services[name].tags, self.services[name].feature_view_projections
        request = _named(self.sources, tags["request"]).schema if "request" in tags else []
        return {
            "id": tags.get("id", "id"),
            "precompute_online": bool(self.services[name].precompute_online),
            "request": [_field(field) for field in request],
            "views": [
                self.view(_named(self.views, each.name), each.features)
                for each in read
                if each.name not in self.on_demand
            ],
            "on_demand": [each.name for each in read if each.name in self.on_demand],
        }

    def view(self, view: Any, selected: Any) -> dict[str, Any]:
        """Describe a feature view with the fields that are selected of it."""
        source = view.batch_source
        entities = [_named(self.entities, entity) for entity in view.entities]
        return {
            "name": view.name,
            "source": source.name,
            "timestamp": source.timestamp_field,
            "created": source.created_timestamp_column or None,
            "keys": [entity.join_key for entity in entities],
            "key_types": [entity.value_type.name for entity in entities],
            "ttl_us": None if view.ttl is None else round(view.ttl.total_seconds() * 1_000_000),
            "online": view.online,
            "owner": view.owner or "",
            "tags": dict(view.tags),
            "fields": [_field(field) for field in selected],
            "stored": {field.name: str(field.dtype) for field in view.features},
        }


def _named(objects: dict[str, Any], name: str) -> Any:
    """Find an object that is a module's variable, or end with a message."""
    if name not in objects:
        sys.exit(
            f"{name!r} is not a variable of a module (plain feature views and request sources are: {list(objects)})"
        )
    return objects[name]


def _field(field: Any) -> dict[str, Any]:
    """Describe a field."""
    tags = dict(field.tags or {})
    return {"name": field.name, "dtype": str(field.dtype), "description": field.description, "tags": tags}


if __name__ == "__main__":
    folder, *asked = sys.argv[1:]
    answer = describe_repository(Path(folder), asked[0]) if asked else describe_all(Path(folder))
    sys.stdout.write("\n" + json.dumps(answer))

"""What a real API server checks strictly, by the schema of Argo's custom resource definitions: ARGOSY_CRDS."""

import os
from functools import cache
from pathlib import Path
from typing import Any

import yaml

TYPES = {"string": str, "integer": int, "boolean": bool, "array": list, "object": dict, "number": (int, float)}
PLURALS = {"Workflow": "workflows", "WorkflowTemplate": "workflowtemplates", "CronWorkflow": "cronworkflows"}


def definitions_folder() -> Path | None:
    """Return the folder of the definitions, where there is one."""
    folder = os.environ.get("ARGOSY_CRDS")
    return Path(folder) if folder else None


def read_definition(plural: str, folder: Path) -> dict[str, Any]:
    """Return the definition of a kind, by its plural."""
    text = (folder / f"argoproj.io_{plural}.yaml").read_text(encoding="utf-8")
    return dict(yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))  # noqa: S506  # a safe one


@cache
def schema_of(kind: str, folder: Path) -> dict[str, Any]:
    """Return the schema of a kind."""
    versions = read_definition(PLURALS[kind], folder)["spec"]["versions"]
    return dict(next(each for each in versions if each["storage"])["schema"]["openAPIV3Schema"])


def faults(value: Any, schema: dict[str, Any], place: str = "") -> list[str]:
    """Return what a strict API server would refuse: unknown fields, missing ones, other types."""
    if schema.get("x-kubernetes-preserve-unknown-fields") and "properties" not in schema:
        return []
    if schema.get("x-kubernetes-int-or-string"):
        return [] if isinstance(value, int | str) else [f"{place}: {value!r} is neither a number nor a text"]
    kind = schema.get("type")
    if kind and (not isinstance(value, TYPES[kind]) or (isinstance(value, bool) and kind != "boolean")):
        return [f"{place}: {value!r:.80} is no {kind}"]
    if isinstance(value, list):
        return [fault for i, item in enumerate(value) for fault in faults(item, schema["items"], f"{place}[{i}]")]
    if isinstance(value, dict):
        return _object_faults(value, schema, place)
    return [] if value in schema.get("enum", [value]) else [f"{place}: {value!r} is none of {schema['enum']}"]


def _object_faults(value: dict[str, Any], schema: dict[str, Any], place: str) -> list[str]:
    known, more = schema.get("properties", {}), schema.get("additionalProperties")
    if not known and not more and place == ".metadata":
        known = {"name": {"type": "string"}, "generateName": {"type": "string"}}
        more = {"type": "object", "additionalProperties": {"type": "string"}}
    found = [f"{place}: {name} is missing" for name in schema.get("required", []) if name not in value]
    for name, item in value.items():
        below = known.get(name, more)
        found += [f"{place}.{name}: unknown"] if below is None else faults(item, below, f"{place}.{name}")
    return found

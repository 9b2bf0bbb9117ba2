"""Read a compiled pipeline: all of it is understood or refused with its place."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from argosy.errors import Mistake
from argosy.spec.components import Group, Step, read_components, read_executors, read_group
from argosy.spec.documents import parse_documents, split_documents
from argosy.spec.fields import Fields
from argosy.spec.garbage import uncollected
from argosy.spec.groups import flatten
from argosy.spec.model import JsonValue, Pipeline
from argosy.spec.platform import Platform, read_platform
from argosy.spec.unsupported import refuse

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA_VERSION = "2.1.0"


def read_pipeline(source: Path | str | Mapping[str, JsonValue]) -> Pipeline:
    """Read a PipelineSpec into a plan.

    Args:
        source: A `Path` to a file, its text (JSON or YAML), or what was parsed from it.

    Raises:
        Mistake: The spec is wrong, or holds a field that nothing here reads; the message names the place.
        Unsupported: The spec is right and holds a construct that plans do not carry yet.

    """
    if isinstance(source, Path):
        return _read_file(source)
    with uncollected():
        spec, platform = parse_documents(source) if isinstance(source, str) else split_documents(source)
        return _read(Fields(spec), Fields(platform))


def _read_file(path: Path) -> Pipeline:
    try:
        return read_pipeline(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise Mistake(f"{path}: cannot be read: {error}") from error
    except Mistake as error:
        raise type(error)(f"{path}: {error}") from error


def _read(spec: Fields, platform_spec: Fields) -> Pipeline:
    info = spec.object("pipelineInfo")
    name, description = info.text("name"), info.text("description", default="")
    info.text("displayName", default="")
    _require_schema(spec)
    platform = read_platform(platform_spec)
    components, root = _read_graphs(spec, platform)
    kept = dict(platform.pipeline)
    if "defaultPipelineRoot" in spec:
        kept["defaultPipelineRoot"] = spec.text("defaultPipelineRoot")
    spec.require_all_read()
    platform_spec.require_all_read()
    flat = flatten(root, components)
    return Pipeline(name, description, root.inputs, flat.tasks, loops=flat.loops, outputs=flat.outputs, platform=kept)


def _require_schema(spec: Fields) -> None:
    version = spec.text("schemaVersion")
    spec.text("sdkVersion", default="")
    if version != SCHEMA_VERSION:
        refuse(spec.at("schemaVersion"), "schema version", version)


def _read_graphs(spec: Fields, platform: Platform) -> tuple[dict[str, Step | Group], Group]:
    root = spec.object("root")
    if "dag" not in root:
        raise Mistake("root.dag: missing; the tasks of the pipeline are needed here")
    components = read_components(spec, read_executors(spec.object("deploymentSpec")), platform)
    return components, read_group(root)

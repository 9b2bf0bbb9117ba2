"""From a text or a parsed spec to the pipeline and the platform in it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from argosy.errors import BadInput
from argosy.launcher.canonical import fault_of
from argosy.spec.wrapped import unwrap

if TYPE_CHECKING:
    from collections.abc import Mapping

    from argosy.spec.model import JsonValue

Documents = tuple[dict[str, "JsonValue"], dict[str, "JsonValue"]]


def parse_documents(text: str) -> Documents:
    """Parse JSON or YAML of one document or two.

    The one that `argosy.kubeflow.compile` writes holds both.

    Raises:
        BadInput: The text is neither, names a field twice, or holds no pipeline.

    """
    found = [_parse_json(text)] if text.lstrip().startswith("{") else _parse_yaml(text)
    documents = [document for document in found if document is not None]
    if not documents:
        raise BadInput("no document; a PipelineSpec is needed, as JSON or YAML")
    if len(documents) > 2 or not all(isinstance(document, dict) for document in documents):
        raise BadInput(f"{len(documents)} documents; a PipelineSpec and at most one platform spec are needed")
    return split_documents(*documents)


def split_documents(pipeline: Mapping[str, JsonValue], platform: Mapping[str, JsonValue] | None = None) -> Documents:
    """Return pipeline and platform, given apart or as fields of one object; a launcher in front is taken off."""
    if "pipeline_spec" in pipeline and platform is None:
        unknown = sorted(set(pipeline) - {"pipeline_spec", "platform_spec"})
        both = pipeline["pipeline_spec"], pipeline.get("platform_spec") or {}
        if unknown or not all(isinstance(one, dict) for one in both):
            raise BadInput(f"allowed: the objects pipeline_spec and platform_spec; got: {', '.join(pipeline)}")
        pipeline, platform = both  # type: ignore[assignment]  # both were just found to be objects
    return unwrap(pipeline), dict(platform or {})


def _parse_json(text: str) -> Any:
    try:
        found = json.loads(text, object_pairs_hook=_object, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"not JSON: {error}") from error
    # Half a surrogate pair can only stand there escaped.
    if r"\ud" in text.lower() and (fault := fault_of(found)):
        raise BadInput(fault.removeprefix("."))
    return found


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = sorted({key for key in keys if keys.count(key) > 1})
        raise BadInput(f"named twice in one object: {', '.join(twice)}")
    return found


def _refuse_constant(name: str) -> float:
    raise BadInput(f"{name} is no JSON number")


def _parse_yaml(text: str) -> list[Any]:
    import yaml

    from argosy.spec.yaml_loader import StrictLoader

    try:
        return list(yaml.load_all(text, Loader=StrictLoader))  # a subclass of the safe loader
    except (yaml.YAMLError, ValueError) as error:
        raise BadInput(f"not YAML: {error}") from error

"""What a workflow is given: a parameter for each input of the pipeline, its value a text of JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from argosy.argo.names import require_parameter_name
from argosy.argo.sizes import require_handed, require_handed_alone
from argosy.argo.unsupported import refusal
from argosy.launcher.canonical import UNQUOTABLE
from argosy.launcher.inputs import parsed
from argosy.launcher.parameters import encode_literal, holds_inexact
from argosy.spec.model import ABSENT, ArtifactSlot, FieldOf, LoopItem, PipelineInput

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from argosy.spec.model import JsonValue, Pipeline, Slot, Source


def parameters(pipeline: Pipeline) -> list[dict[str, Any]]:
    """Return the parameters of a workflow; nothing is the value of one that may be left out."""
    return [_parameter(name, slot, pipeline) for name, slot in pipeline.inputs.items()]


def with_arguments(manifest: Mapping[str, Any], given: Mapping[str, Any], pipeline: Pipeline) -> dict[str, Any]:
    """Return a manifest whose parameters have values: JSON values, and digests of artifacts.

    Raises:
        Unsupported: Argo would change a value.

    """
    spec = manifest["spec"]
    found = [
        each | ({"value": _text(each["name"], given[each["name"]], pipeline)} if each["name"] in given else {})
        for each in spec.get("arguments", {}).get("parameters", [])
    ]
    require_handed(spec["templates"], found)
    return {**manifest, "spec": {**spec, **({"arguments": {"parameters": found}} if found else {})}}


def _text(name: str, value: Any, pipeline: Pipeline) -> str:
    return str(value) if isinstance(pipeline.inputs[name], ArtifactSlot) else argument_text(name, value, pipeline)


def argument_text(name: str, value: JsonValue, pipeline: Pipeline) -> str:
    """Return the text of a value that a pipeline is given.

    Raises:
        Unsupported: Argo itself reads the value, for a loop or a condition, and would change it; or it is too long.

    """
    place = f"parameter {name!r}"
    if name in _looped(pipeline) and (holds_inexact(parsed(value)) or UNQUOTABLE.search(_plain(parsed(value)))):
        raise refusal(place, "value that Argo would change", f"{_plain(value):.60}, items of a loop")
    if name in _compared(pipeline) and _holds_large(parsed(value)):
        raise refusal(place, "value that Argo would change", f"{_plain(value):.60}, in a condition")
    text = encode_literal(value, place)
    require_handed_alone(text, place)
    return text


def _parameter(name: str, slot: Slot, pipeline: Pipeline) -> dict[str, Any]:
    require_parameter_name(name, "root.inputDefinitions")
    if isinstance(slot, ArtifactSlot):
        return {"name": name} | ({"value": ""} if slot.optional else {})
    found: dict[str, Any] = {"name": name}
    if slot.default is not ABSENT:
        found["value"] = argument_text(name, slot.default, pipeline)
    elif slot.optional:
        found["value"] = ""
    if slot.literals:
        found["enum"] = [argument_text(name, literal, pipeline) for literal in slot.literals]
    return found


def _looped(pipeline: Pipeline) -> set[str]:
    """Return the inputs whose items loops run over: Argo reads them and writes each item anew."""
    return {name for loop in pipeline.loops.values() for name in _inputs_of(loop.items, pipeline)}


def _compared(pipeline: Pipeline) -> set[str]:
    """Return the inputs that conditions read."""
    starts = [*(task.start for task in pipeline.tasks), *(loop.start for loop in pipeline.loops.values())]
    sources = [source for start in starts for each in start.conditions for source in each.channels.values()]
    return {name for source in sources for name in _inputs_of(source, pipeline)}


def _inputs_of(source: Source, pipeline: Pipeline) -> Iterator[str]:
    match source:
        case PipelineInput(name):
            yield name
        case FieldOf(inner):
            yield from _inputs_of(inner, pipeline)
        case LoopItem(loop):
            yield from _inputs_of(pipeline.loops[loop].items, pipeline)


def _plain(value: JsonValue) -> str:
    return json.dumps(value, ensure_ascii=False)


def _holds_large(value: JsonValue) -> bool:
    """Say whether a whole number is one that no double is equal to."""
    if isinstance(value, list | dict):
        return any(map(_holds_large, value.values() if isinstance(value, dict) else value))
    return isinstance(value, int) and holds_inexact(value)

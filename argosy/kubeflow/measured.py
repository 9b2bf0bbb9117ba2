"""Carry what stands for a measurement in keys beside the measurement itself, from the pod that took it to its readers.

A parameter arrives in a pod as a bare value. So each parameter that is, or follows from, a measurement gets a hidden
companion that takes the same way through the DAGs: an output of whoever makes it, an input of whoever reads it. What is
rendered into a text, taken out of an object, gathered from a loop or chosen from several loses its companion, and then
enters keys by its value, which is never stale and at worst runs a step again. Artifacts need no companion: their
metadata travel with them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from argosy.launcher.wrapping import IDENTITY
from argosy.spec.wrapped import tasks_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Names = dict[str, set[str]]

LOOPS = ("parameterIterator", "artifactIterator")
ROOT = ""


@dataclass(frozen=True)
class Measured:
    """By component: the inputs and outputs, parameters and artifacts, that are or follow from a measurement."""

    inputs: Names = field(default_factory=dict)
    outputs: Names = field(default_factory=dict)


def find_measured(spec: Mapping[str, Any], declared: Mapping[str, frozenset[str]]) -> Measured:
    """Follow measurements through a spec.

    Args:
        spec: The PipelineSpec.
        declared: The measurements of each component that a launcher runs, by the component's name.

    """
    found = Measured()
    for name, names in declared.items():
        if names:
            found.outputs[name] = set(names)
    while _spread(spec, declared, found):
        pass
    return found


def wire(spec: dict[str, Any], measured: Measured) -> None:
    """Add the hidden companions to a spec."""
    for name, component in _components(spec):
        definitions = [("inputDefinitions", measured.inputs), ("outputDefinitions", measured.outputs)]
        for place, names in definitions if name != ROOT else []:
            for each in sorted(names.get(name, set()) & set(_parameters(component, place))):
                more = {"isOptional": True, "defaultValue": ""} if place == "inputDefinitions" else {}
                _parameters(component, place)[IDENTITY + each] = {"parameterType": "STRING", **more}
        selected = _parameters(component.get("dag") or {}, "outputs")
        for each in sorted(measured.outputs.get(name, set()) & set(selected)) if name != ROOT else []:
            selector = selected[each]["valueFromParameter"]
            companion = {**selector, "outputParameterKey": IDENTITY + selector["outputParameterKey"]}
            selected[IDENTITY + each] = {"valueFromParameter": companion}
        for task in tasks_of(component).values():
            _wire_task(task, measured, component, name)


def _wire_task(task: dict[str, Any], measured: Measured, around: Mapping[str, Any], name: str) -> None:
    sources = _parameters(task, "inputs")
    for each, source in sorted(sources.items()):
        if each not in measured.inputs.get(_called(task), set()) or not _is_measured(source, around, name, measured):
            continue
        if "taskOutputParameter" in source:
            producer = source["taskOutputParameter"]
            key = IDENTITY + producer["outputParameterKey"]
            sources[IDENTITY + each] = {"taskOutputParameter": {**producer, "outputParameterKey": key}}
        else:
            outer = source["componentInputParameter"]
            sources[IDENTITY + each] = {"componentInputParameter": IDENTITY + outer}


def _spread(spec: Mapping[str, Any], declared: Mapping[str, frozenset[str]], found: Measured) -> bool:
    """Follow every measurement one component further; say whether that found any more."""
    before = _size(found)
    for name, component in _components(spec):
        for task in tasks_of(component).values():
            called = _called(task)
            names = found.inputs.setdefault(called, set())
            for kind in ("parameters", "artifacts"):
                sources = (task.get("inputs") or {}).get(kind) or {}
                names |= {each for each, source in sources.items() if _is_measured(source, component, name, found)}
        if name in declared and found.inputs.get(name):
            slots = component.get("outputDefinitions") or {}
            found.outputs.setdefault(name, set()).update(
                *(slots.get(kind) or {} for kind in ("parameters", "artifacts"))
            )
        if "dag" in component:
            found.outputs.setdefault(name, set()).update(_measured_outputs(component, found))
    return _size(found) > before


def _measured_outputs(component: Mapping[str, Any], found: Measured) -> Iterator[str]:
    outputs = component["dag"].get("outputs") or {}
    for each, selector in (outputs.get("parameters") or {}).items():
        chosen = selector.get("valueFromParameter")
        if chosen and _gives(component, chosen["producerSubtask"], chosen["outputParameterKey"], found):
            yield each
    for each, selector in (outputs.get("artifacts") or {}).items():
        chosen = selector.get("artifactSelectors") or []
        if any(_gives(component, one["producerSubtask"], one["outputArtifactKey"], found) for one in chosen):
            yield each


def _is_measured(source: Mapping[str, Any], around: Mapping[str, Any], name: str, found: Measured) -> bool:
    if source.get("parameterExpressionSelector"):
        return False
    for kind, key in (("taskOutputParameter", "outputParameterKey"), ("taskOutputArtifact", "outputArtifactKey")):
        if kind in source:
            return _gives(around, source[kind]["producerTask"], source[kind][key], found)
    outer = source.get("componentInputParameter") or source.get("componentInputArtifact")
    return outer in found.inputs.get(name, set())


def _gives(around: Mapping[str, Any], task_name: str, key: str, found: Measured) -> bool:
    task = tasks_of(around)[task_name]
    return not any(loop in task for loop in LOOPS) and key in found.outputs.get(_called(task), set())


def _components(spec: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    yield from (spec.get("components") or {}).items()
    yield ROOT, spec["root"]


def _called(task: Mapping[str, Any]) -> str:
    return str(task["componentRef"]["name"])


def _parameters(holder: dict[str, Any], place: str) -> dict[str, Any]:
    """Return the parameters at a place, where new ones may be put."""
    there = (holder.get(place) or {}).get("parameters")
    return there if there is not None else {}


def _size(found: Measured) -> int:
    return sum(len(names) for table in (found.inputs, found.outputs) for names in table.values())

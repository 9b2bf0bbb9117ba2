"""Resolve the inputs of one task: from names of its DAG to sources of the plan."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from argosy.errors import Mistake
from argosy.spec.fields import did_you_mean
from argosy.spec.model import (
    ABSENT,
    ArtifactSlot,
    Constant,
    JsonValue,
    Parameter,
    PipelineInput,
    Source,
    TaskOutput,
    Template,
)
from argosy.spec.templates import channels_in
from argosy.spec.values import typed_for

if TYPE_CHECKING:
    from collections.abc import Mapping

    from argosy.spec.graphs import LocalTask
    from argosy.spec.signatures import Slots

# kfp adds inputs of its own to a task: channels for placeholders, and resources that are placeholders.
CHANNEL_PREFIX: Final = "pipelinechannel--"
RESOURCE_INPUTS: Final = (
    "cpu_request", "cpu_limit", "memory_request", "memory_limit", "accelerator_type", "accelerator_count",
)  # fmt: skip
TEMPLATED: Final = ("STRING", "LIST", "STRUCT")


@dataclass(frozen=True, slots=True)
class Given:
    """What a DAG's component declares as inputs, and the sources it was given."""

    declared: Slots
    sources: Mapping[str, Source]


@dataclass(frozen=True, slots=True)
class Output:
    """An output that tasks of the same DAG can take: what it is in the plan."""

    source: TaskOutput
    slot: Parameter | ArtifactSlot


@dataclass(frozen=True, slots=True)
class Inputs:
    """The inputs of a task: those its component declares, those that kfp added."""

    declared: dict[str, Source] = field(default_factory=dict)
    channels: dict[str, Source] = field(default_factory=dict)

    def find(self, name: str, place: str) -> Source:
        """Return the source under a name, declared or added."""
        found = self.declared.get(name) or self.channels.get(name)
        if found is None:
            known = ", ".join(sorted([*self.declared, *self.channels])) or "none"
            raise Mistake(f"{place}: {name!r} is not given to this task; given: {known}")
        return found


def resolve_inputs(
    task: LocalTask, slots: Slots, given: Given, *, outputs: Mapping[str, Mapping[str, Output]]
) -> Inputs:
    """Resolve what a task is given.

    Args:
        task: The task as it stands in its DAG.
        slots: The inputs of its component.
        given: What the DAG's own component was given.
        outputs: The outputs of the tasks before it in the DAG, by task and name.

    Raises:
        Mistake: An input is unknown, missing, of the wrong kind, or names something that is not there.

    """
    _require_known(task, slots)
    inputs = Inputs()
    constants: dict[str, JsonValue] = {}
    for name, source in task.inputs.items():
        if isinstance(source, Constant):
            constants[name] = source.value
        elif (found := _resolve(source, slots.get(name), given, at=task.at(name), outputs=outputs)) is not None:
            (inputs.declared if name in slots else inputs.channels)[name] = found
    for name, value in constants.items():
        if name in slots:
            inputs.declared[name] = _constant(value, slots[name], inputs, task.at(name))
    return inputs


def with_defaults(inputs: Inputs, slots: Slots) -> dict[str, Source]:
    """Return the declared inputs with defaults for those that nobody gave."""
    defaults: dict[str, Source] = {
        name: Constant(slot.default)
        for name, slot in slots.items()
        if isinstance(slot, Parameter) and slot.default is not ABSENT
    }
    return {**defaults, **inputs.declared}


def require_complete(inputs: Inputs, slots: Slots, place: str) -> None:
    """Raise where an input that is not optional has no source."""
    missing = [name for name, slot in slots.items() if not slot.optional and name not in inputs.declared]
    if missing:
        raise Mistake(f"{place}.inputs: missing: {', '.join(missing)}; give a value, or make the input optional")


def _require_known(task: LocalTask, slots: Slots) -> None:
    for name in task.inputs:
        if name not in slots and not name.startswith(CHANNEL_PREFIX) and name not in RESOURCE_INPUTS:
            hint = did_you_mean(name, list(slots))
            known = ", ".join(slots) or "none"
            raise Mistake(f"{task.at(name)}: {task.component} has no such input{hint}; inputs: {known}")


def _resolve(
    source: PipelineInput | TaskOutput,
    slot: Parameter | ArtifactSlot | None,
    given: Given,
    *,
    at: str,
    outputs: Mapping[str, Mapping[str, Output]],
) -> Source | None:
    if isinstance(source, PipelineInput):
        if source.name not in given.declared:
            hint = did_you_mean(source.name, list(given.declared))
            raise Mistake(f"{at}: {source.name!r} is not an input of the component around{hint}")
        _require_same_kind(slot, given.declared[source.name], at)
        return given.sources.get(source.name)
    output = find_output(source, outputs, at)
    _require_same_kind(slot, output.slot, at)
    return output.source


def find_output(source: TaskOutput, outputs: Mapping[str, Mapping[str, Output]], place: str) -> Output:
    """Return the output that a local name stands for."""
    if source.task not in outputs:
        hint = did_you_mean(source.task, list(outputs))
        raise Mistake(f"{place}: {source.task!r} is not a task of this DAG{hint}")
    known = outputs[source.task]
    if source.output not in known:
        hint = did_you_mean(source.output, list(known))
        raise Mistake(f"{place}: {source.task!r} has no output {source.output!r}{hint}; it has: {', '.join(known)}")
    return known[source.output]


def _require_same_kind(wanted: Parameter | ArtifactSlot | None, got: Parameter | ArtifactSlot, place: str) -> None:
    if wanted is not None and isinstance(wanted, Parameter) != isinstance(got, Parameter):
        kinds = ("a parameter", "an artifact") if isinstance(wanted, Parameter) else ("an artifact", "a parameter")
        raise Mistake(f"{place}: got {got.name!r}, {kinds[1]}; {kinds[0]} is needed here")


def _constant(value: JsonValue, slot: Parameter | ArtifactSlot, inputs: Inputs, place: str) -> Source:
    if isinstance(slot, ArtifactSlot):
        raise Mistake(f"{place}: got a constant; an artifact is needed here")
    names = channels_in(value, place)
    result = typed_for(slot, value, place) if not names or slot.type in TEMPLATED else None
    if not names:
        return Constant(result)
    if result is None:
        raise Mistake(f"{place}: got a text with a placeholder; {slot.type} cannot be written as a text")
    return Template(result, {name: inputs.find(name, place) for name in names})

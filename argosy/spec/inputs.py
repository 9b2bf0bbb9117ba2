"""Resolve the inputs of one task: from names of its DAG to sources of the plan."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from argosy.errors import Mistake
from argosy.spec.fields import did_you_mean
from argosy.spec.fitting import called, require_fit, require_object
from argosy.spec.model import (
    ABSENT,
    ArtifactSlot,
    Constant,
    FieldOf,
    FinalStatus,
    FirstOf,
    JsonValue,
    Parameter,
    PipelineInput,
    RunValue,
    Slot,
    Source,
    TaskOutput,
    Template,
)
from argosy.spec.templates import RUN_PREFIX, channels_in
from argosy.spec.values import typed_for

if TYPE_CHECKING:
    from collections.abc import Mapping

    from argosy.spec.graphs import LocalSource, LocalTask
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

    source: TaskOutput | FirstOf
    slot: Slot


@dataclass(frozen=True, slots=True)
class Upstream:
    """A task of the same DAG, as those after it see it: the plan's tasks that it came to, and its outputs."""

    steps: frozenset[str]
    outputs: Mapping[str, Output]


@dataclass(frozen=True, slots=True)
class Inputs:
    """The inputs of a task: those its component declares, those that kfp added."""

    declared: dict[str, Source] = field(default_factory=dict)
    channels: dict[str, Source] = field(default_factory=dict)

    def find(self, name: str, place: str) -> Source:
        """Return the source under a name, declared or added; `$.` and a name is a value of the run."""
        if name.startswith(RUN_PREFIX):
            return RunValue(name.removeprefix(RUN_PREFIX))
        found = self.declared.get(name) or self.channels.get(name)
        if found is None:
            known = ", ".join(sorted([*self.declared, *self.channels])) or "none"
            raise Mistake(f"{place}: {name!r} is not given to this task; given: {known}")
        return found


def resolve_inputs(task: LocalTask, slots: Slots, given: Given, upstream: Mapping[str, Upstream]) -> Inputs:
    """Resolve what a task is given.

    Args:
        task: The task as it stands in its DAG.
        slots: The inputs of its component.
        given: What the DAG's own component was given.
        upstream: The tasks before it in the DAG.

    Raises:
        Mistake: An input is unknown, missing, of the wrong kind, or names something that is not there.

    """
    _require_known(task, slots)
    inputs = Inputs()
    constants: dict[str, JsonValue] = {}
    for name, source in task.inputs.items():
        if isinstance(source, Constant):
            constants[name] = source.value
            continue
        found, got = _resolve(source, given, at=task.at(name), upstream=upstream)
        require_fit(found, got, slots.get(name) or _of_kind(got, name in task.artifacts), task.at(name))
        if found is not None:
            (inputs.declared if name in slots else inputs.channels)[name] = found
    for name, value in constants.items():
        if name in slots:
            inputs.declared[name] = _constant(value, slots[name], inputs, task.at(name))
        else:
            inputs.channels[name] = Constant(value)
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
        if name in slots and name in task.artifacts and isinstance(slots[name], Parameter):
            raise Mistake(f"{task.at(name)}: {task.component} declares it as {called(slots[name])}")


def _resolve(
    source: LocalSource, given: Given, *, at: str, upstream: Mapping[str, Upstream]
) -> tuple[Source | None, Slot]:
    """Return the source of the plan, None where nobody gave one, and what is declared where it comes from."""
    match source:
        case FieldOf(inner, name):
            whole, slot = _resolve(inner, given, at=at, upstream=upstream)  # type: ignore[arg-type]  # a local source
            require_object(whole, slot, at)
            return None if whole is None else FieldOf(whole, name), slot
        case FinalStatus(name):
            return FinalStatus(name, tuple(sorted(_upstream(name, upstream, at).steps))), Parameter(name, "STRUCT")
        case PipelineInput(name):
            if name not in given.declared:
                hint = did_you_mean(name, list(given.declared))
                raise Mistake(f"{at}: {name!r} is not an input of the component around{hint}")
            return given.sources.get(name), given.declared[name]
        case TaskOutput():
            output = find_output(source, upstream, at)
            return output.source, output.slot
        case Constant():
            return source, Parameter("constant", "STRUCT")


def _of_kind(got: Slot, is_artifact: bool) -> Slot:
    """Return what an input takes that no component declares: anything of its kind."""
    if is_artifact:
        return ArtifactSlot(got.name, "", is_list=True)
    return Parameter(got.name, got.type if isinstance(got, Parameter) else "STRING")


def find_output(source: TaskOutput, upstream: Mapping[str, Upstream], place: str) -> Output:
    """Return the output that a local name stands for."""
    known = _upstream(source.task, upstream, place).outputs
    if source.output not in known:
        hint = did_you_mean(source.output, list(known))
        raise Mistake(f"{place}: {source.task!r} has no output {source.output!r}{hint}; it has: {', '.join(known)}")
    return known[source.output]


def find_outputs(
    source: TaskOutput | FirstOf, upstream: Mapping[str, Upstream], place: str, loops: tuple[str, ...]
) -> Output:
    """Return the output that a local name stands for, or the first of several inside some loops."""
    if isinstance(source, TaskOutput):
        return find_output(source, upstream, place)
    found = [find_output(each, upstream, place) for each in source.sources if isinstance(each, TaskOutput)]
    for other in found:
        require_fit(other.source, other.slot, found[0].slot, place)
    return Output(FirstOf(tuple(output.source for output in found), loops), found[0].slot)


def _upstream(name: str, upstream: Mapping[str, Upstream], place: str) -> Upstream:
    if name not in upstream:
        raise Mistake(f"{place}: {name!r} is not a task of this DAG{did_you_mean(name, list(upstream))}")
    return upstream[name]


def _constant(value: JsonValue, slot: Slot, inputs: Inputs, place: str) -> Source:
    if isinstance(slot, ArtifactSlot):
        raise Mistake(f"{place}: got a constant; an artifact is needed here")
    names = channels_in(value, place)
    result = typed_for(slot, value, place) if not names or slot.type in TEMPLATED else None
    if not names:
        return Constant(result)
    if result is None:
        raise Mistake(f"{place}: got a text with a placeholder; {slot.type} cannot be written as a text")
    return Template(result, {name: inputs.find(name, place) for name in names})

"""What sources and starts come to, given how far a plan has come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from argosy.errors import Mistake
from argosy.launcher.artifacts import Artifact, Artifacts, artifacts_in
from argosy.launcher.canonical import normal_json
from argosy.launcher.inputs import each_item, field_of, filled, final_status, gathered, parsed
from argosy.launcher.step import Input, shown
from argosy.spec.conditions import evaluate
from argosy.spec.fields import shorten
from argosy.spec.model import (
    ArtifactSlot,
    Collected,
    Constant,
    FieldOf,
    FinalStatus,
    FirstOf,
    Known,
    LoopItem,
    PipelineInput,
    RunValue,
    TaskOutput,
    Template,
)
from argosy.spec.templates import render_template

if TYPE_CHECKING:
    from argosy.spec.model import Loop, Source, Start, Task
    from argosy.spec.unrolling import Unrolling


@dataclass(frozen=True, slots=True)
class Place:
    """Where a source is read: the name of its reader, the loops around it, the round of each."""

    name: str
    loops: tuple[str, ...] = ()
    index: tuple[int, ...] = ()

    def round_of(self, producer: Task | FirstOf) -> tuple[int, ...]:
        """Return the rounds of the loops that a producer and the reader both stand in."""
        return self.index[: shared(producer.loops, self.loops)]


def shared(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    """Return how many loops, from the outside in, are the same."""
    count = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        count += 1
    return count


def instance_name(task: str, index: tuple[int, ...]) -> str:
    """Return the name of a task's instance in some rounds of the loops around it.

    A task that is itself one round of an unrolled loop, `task[2]`, has instances like `task[2,0]`.
    """
    if not index:
        return task
    head = f"{task[:-1]}," if task.endswith("]") else f"{task}["
    return f"{head}{','.join(map(str, index))}]"


def reason_to_skip(start: Start, place: Place, so_far: Unrolling) -> str:
    """Return why a task or loop whose upstream has ended is not started; empty where it is.

    A failed, skipped or refused task stops only what depends on it.

    Raises:
        Mistake: A condition reads a value that is not there.

    """
    for name in start.after:
        state = so_far.state(name, place.round_of(so_far.tasks[name]))
        tolerated = name in start.survives or (state == "skipped" and name in start.tolerates)
        if state != "ended" and not tolerated:
            return f"{name} {'failed' if state == 'failed' else 'was skipped'}"
    for choices in start.one_of:
        if all(so_far.state(name, place.round_of(so_far.tasks[name])) == "skipped" for name in choices):
            return f"{' and '.join(choices)} were skipped"
    for condition in start.conditions:
        found = {name: resolve(source, place, so_far) for name, source in condition.channels.items()}
        if not evaluate(condition, {name: entry.value if entry else None for name, entry in found.items()}):
            return "its condition does not hold"
    return ""


def loop_items(loop: Loop, place: Place, so_far: Unrolling) -> list[Input]:
    """Return the items of a loop, each with its own identity in keys; the list may be given as JSON text.

    Raises:
        Mistake: There is no list.

    """
    found = resolve(loop.items, place, so_far)
    wanted = "a list of artifacts" if isinstance(loop.item, ArtifactSlot) else "a list"
    value = None if found is None else found.value
    items = list(value.items) if isinstance(value, Artifacts) else parsed(value)
    if isinstance(value, Artifact) or not isinstance(items, list) or found is None:
        raise Mistake(f"loop {loop.name}: its items are {shorten(shown(value))}; {wanted} is needed")
    if not isinstance(loop.item, ArtifactSlot):
        items = [normal_json(item) for item in items]
    return each_item(found, items)


def resolve(source: Source, place: Place, so_far: Unrolling) -> Input | None:
    """Return what a source stands for, with the identity that it has in keys; None where nothing was given.

    Raises:
        Mistake: A text needs a value that was not given, or a field is taken of what has none.

    """
    match source:
        case TaskOutput() | FirstOf():
            producer = source if isinstance(source, FirstOf) else so_far.tasks[source.task]
            return _gathered(source, place.round_of(producer), so_far)
        case FieldOf(inner, name):
            return _field(resolve(inner, place, so_far), name, place)
        case Template():
            return _rendered(source, place, so_far)
        case Known(entry):
            return entry
        case Collected(sources, of_artifacts):
            found = [resolve(each, place, so_far) for each in sources]
            return gathered([entry for entry in found if entry is not None], of_artifacts=of_artifacts)
        case _:
            return _given(source, place, so_far)


def _given(
    source: Constant | PipelineInput | LoopItem | FinalStatus | RunValue, place: Place, so_far: Unrolling
) -> Input | None:
    """Return what a source stands for that takes nothing from another one."""
    value: Any
    match source:
        case LoopItem(loop):
            depth = place.loops.index(loop)
            return so_far.rounds[loop, place.index[:depth]][place.index[depth]]
        case PipelineInput(name):
            if name not in so_far.arguments:
                return None
            value = so_far.arguments[name]
            if isinstance(value, Input):
                return value
        case Constant(value):
            pass
        case FinalStatus():
            value = _final_status(source, place, so_far)
        case RunValue(name):
            value = so_far.run_values.get(name, place.name)
    return Input(value, shown(value))


def _rendered(source: Template, place: Place, so_far: Unrolling) -> Input:
    resolved = {name: resolve(channel, place, so_far) for name, channel in source.channels.items()}
    found = {name: entry for name, entry in resolved.items() if entry is not None}
    rendered = render_template(source, {name: entry.value for name, entry in found.items()})
    return filled(source.value, rendered, found)


def _gathered(source: TaskOutput | FirstOf, index: tuple[int, ...], so_far: Unrolling) -> Input | None:
    """Return an output below some rounds: of all rounds of the loops that are left, where there are any."""
    loops = so_far.tasks[source.task].loops if isinstance(source, TaskOutput) else source.loops
    if len(index) == len(loops):
        return _output(source, index, so_far) if isinstance(source, TaskOutput) else _first(source, index, so_far)
    rounds = so_far.rounds.get((loops[len(index)], index))
    if rounds is None:
        return None
    found = [_gathered(source, (*index, number), so_far) for number in range(len(rounds))]
    entries = [entry for entry in found if entry is not None]
    return gathered(entries, of_artifacts=is_artifact(source, so_far))


def _first(choice: FirstOf, index: tuple[int, ...], so_far: Unrolling) -> Input | None:
    place = Place("", choice.loops, index)
    found = (resolve(source, place, so_far) for source in choice.sources)
    return next((entry for entry in found if entry is not None), None)


def is_artifact(source: Source, so_far: Unrolling) -> bool:
    """Say whether a source stands for artifacts."""
    if isinstance(source, FirstOf):
        return is_artifact(source.sources[0], so_far)
    if isinstance(source, Known):
        return source.entry is not None and bool(artifacts_in(source.entry.value))
    if not isinstance(source, TaskOutput):
        return False
    return isinstance(so_far.tasks[source.task].component.outputs.get(source.output), ArtifactSlot)


def _output(source: TaskOutput, index: tuple[int, ...], so_far: Unrolling) -> Input | None:
    name, output = instance_name(source.task, index), source.output
    outcome = so_far.outcomes[name]
    if outcome.status in {"skipped", "failed"} and output not in outcome.outputs:
        return None
    slot = so_far.tasks[source.task].component.outputs.get(output)
    if output not in outcome.outputs and slot is not None and slot.optional:
        return None
    if output not in outcome.outputs:
        raise Mistake(f"tasks.{name}: it gave no output {output!r}; it gave {', '.join(outcome.outputs) or 'none'}")
    return outcome.outputs[output].as_input(outcome.key, output)


def _field(whole: Input | None, name: str, place: Place) -> Input | None:
    if whole is None:
        return None
    found = field_of(whole, name)
    if found is None:
        got = shorten(shown(whole.value))
        raise Mistake(f"tasks.{place.name}: {got} has no field {name!r}; give an object that has it")
    return found


def _final_status(group: FinalStatus, place: Place, so_far: Unrolling) -> dict[str, Any]:
    below = [(task, place.round_of(so_far.tasks[task])) for task in group.tasks]
    outcomes = (so_far.outcomes[each.name] for task, index in below for each in so_far.below(task, index))
    return final_status(
        [*group.settled, *(so_far.state(task, index) for task, index in below)],
        name=group.name,
        run=so_far.run_values.get("pipeline_job_resource_name", ""),
        message=next((outcome.error for outcome in outcomes if outcome.status == "failed"), ""),
    )

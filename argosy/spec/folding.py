"""Sources of a plan that has come some way: what is known already stands for itself."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from argosy.errors import Mistake
from argosy.spec.model import (
    Collected,
    Constant,
    FieldOf,
    FinalStatus,
    FirstOf,
    Known,
    LoopItem,
    PipelineInput,
    TaskOutput,
    Template,
)
from argosy.spec.resolution import Place, instance_name, is_artifact, resolve, shared

if TYPE_CHECKING:
    from collections.abc import Set

    from argosy.spec.model import Source, Task
    from argosy.spec.unrolling import Index, Unrolling


@dataclass(frozen=True)
class Standing:
    """How far a plan has come, and the names of tasks and loops that are sure to be skipped."""

    so_far: Unrolling
    gone: Set[str]

    def is_gone(self, name: str, index: Index) -> bool:
        """Say whether a task or loop in some rounds is sure to be skipped."""
        return instance_name(name, index) in self.gone


def fold(source: Source, place: Place, standing: Standing) -> Source:
    """Return a source with all that is known put in; `place.index` are the rounds of the loops that are unrolled.

    Raises:
        Mistake: A step that has ended did not give the output.

    """
    folded = _folded(source, place, standing)
    if isinstance(folded, Collected | FieldOf | Template) and is_settled(folded):
        # What cannot be resolved says so where it is read.
        with suppress(Mistake):
            return Known(resolve(folded, place, standing.so_far))
    return folded


def _folded(source: Source, place: Place, standing: Standing) -> Source:
    match source:
        case TaskOutput() | FirstOf():
            loops = source.loops if isinstance(source, FirstOf) else standing.so_far.tasks[source.task].loops
            return _below(source, loops, place.index[: shared(loops, place.loops)], standing)
        case LoopItem(loop):
            return _item(loop, place, standing)
        case FieldOf(inner):
            return replace(source, source=fold(inner, place, standing))
        case Template(_, channels):
            return replace(source, channels={name: fold(each, place, standing) for name, each in channels.items()})
        case FinalStatus():
            return _status(source, place, standing)
    return source


def is_settled(source: Source) -> bool:
    """Say whether all of a folded source is known."""
    match source:
        case Known() | Constant() | PipelineInput():
            return True
        case FieldOf(inner):
            return is_settled(inner)
        case Template(_, channels):
            return all(map(is_settled, channels.values()))
        case Collected(sources):
            return all(map(is_settled, sources))
    return False


def is_unrolled(task: Task, index: Index, so_far: Unrolling) -> bool:
    """Say whether the items are known of the next loop around a task, below some rounds."""
    return len(index) < len(task.loops) and (task.loops[len(index)], index) in so_far.rounds


def has_failed(task: Task, index: Index, so_far: Unrolling) -> bool:
    """Say whether some instance of a task below some rounds has failed already."""
    ended = (so_far.outcomes.get(each.name) for each in so_far.below(task.name, index))
    return any(outcome is not None and outcome.status == "failed" for outcome in ended)


def is_skipped(task: Task, index: Index, standing: Standing) -> bool:
    """Say whether a task is skipped below some rounds, or is sure to be: by itself, or with the loop around it."""
    if standing.so_far.is_over(task.name, index):
        return standing.so_far.state(task.name, index) == "skipped"
    return standing.is_gone(task.loops[len(index)] if len(index) < len(task.loops) else task.name, index)


def pending(task: Task, index: Index, standing: Standing) -> list[str]:
    """Return the names of what is left of a task below some rounds, once the known loops around it are unrolled."""
    if is_skipped(task, index, standing):
        return []
    names = [instance_name(task.name, rounds) for rounds in pending_rounds(task, index, standing.so_far)]
    return [name for name in names if name not in standing.gone]


def pending_rounds(task: Task, index: Index, so_far: Unrolling) -> list[Index]:
    """Return the rounds below which a task has not ended, as far down as the items of its loops are known."""
    if so_far.is_over(task.name, index):
        return []
    if not is_unrolled(task, index, so_far):
        return [index]
    count = len(so_far.rounds[task.loops[len(index)], index])
    return [found for number in range(count) for found in pending_rounds(task, (*index, number), so_far)]


def _item(loop: str, place: Place, standing: Standing) -> Source:
    depth = place.loops.index(loop)
    if depth < len(place.index):
        return Known(standing.so_far.rounds[loop, place.index[:depth]][place.index[depth]])
    return LoopItem(instance_name(loop, place.index))


def _below(source: TaskOutput | FirstOf, loops: tuple[str, ...], index: Index, standing: Standing) -> Source:
    """Return an output below some rounds: of each round of the loops that are left, where their items are known."""
    rounds = standing.so_far.rounds.get((loops[len(index)], index)) if len(index) < len(loops) else None
    if rounds is not None:
        each = tuple(_below(source, loops, (*index, number), standing) for number in range(len(rounds)))
        return Collected(each, is_artifact(source, standing.so_far))
    if len(index) < len(loops) and standing.is_gone(loops[len(index)], index):
        return Known(None)
    if isinstance(source, FirstOf):
        return _first(source, index, standing)
    if standing.is_gone(source.task, index):
        return Known(None)
    if not standing.so_far.is_over(source.task, index):
        return TaskOutput(instance_name(source.task, index), source.output)
    return Known(resolve(source, Place(source.task, loops[: len(index)], index), standing.so_far))


def _first(choice: FirstOf, index: Index, standing: Standing) -> Source:
    place = Place("", choice.loops, index)
    sources = [fold(source, place, standing) for source in choice.sources]
    if len(index) == len(choice.loops):
        while sources and is_settled(sources[0]):
            if entry := resolve(sources[0], place, standing.so_far):
                return Known(entry)
            sources = sources[1:]
    left = tuple(source for source in sources if source != Known(None))
    return FirstOf(left, _renamed(choice.loops, index)) if left else Known(None)


def _renamed(loops: tuple[str, ...], index: Index) -> tuple[str, ...]:
    """Return the names of the loops that are left below some rounds."""
    return tuple(instance_name(loop, index) for loop in loops[len(index) :])


def _status(group: FinalStatus, place: Place, standing: Standing) -> FinalStatus:
    names: list[str] = []
    settled: set[str] = set(group.settled)
    for name in group.tasks:
        task = standing.so_far.tasks[name]
        index = place.round_of(task)
        names += pending(task, index, standing)
        if is_skipped(task, index, standing):
            settled.add("skipped")
        elif standing.so_far.is_over(name, index):
            settled.add(standing.so_far.state(name, index))
        elif is_unrolled(task, index, standing.so_far):
            # As a whole a loop that has rounds is not skipped, whatever becomes of a task in each.
            settled.add("failed" if has_failed(task, index, standing.so_far) else "ended")
    return FinalStatus(group.name, tuple(names), tuple(sorted(settled)))

"""Which tasks of a plan may share a pod: alike ones, put together so that the order of the plan is kept.

A segment starts once all that its tasks wait for outside of it has ended, and ends with the last of them. So a task
joins one only where that is no question of meaning: it is skipped where the others are, or nothing outside depends on
whether it is; it is no exit handler; and a choice is made either within the segment or before it.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

from argosy.spec.model import Collected, FieldOf, FinalStatus, FirstOf, Loop, Task, TaskOutput, Template
from argosy.spec.starts import upstream

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping

    from argosy.spec.model import Pipeline, Source

    Alike: TypeAlias = Callable[[Task], Hashable | None]
    """Returns what tasks of one pod have to have in common; None for a task that has a pod of its own."""

MOST_BYTES: Final = 60_000
"""Of the tasks in one segment: Argo hands a template to a pod in one variable, of 128 KB with all that is escaped."""
OF_A_TASK: Final = 2_600
"""About as much as a task takes beside its source."""


@dataclass
class Segment:
    """Tasks and loops of a plan that one pod runs.

    Attributes:
        alike: What its tasks have in common.
        fate: On what it depends whether it is skipped: conditions, and choices by their tasks.
        items: Its tasks and loops outside of any loop, by name.
        size: About how many bytes its tasks take.

    """

    alike: Hashable
    fate: frozenset[object]
    items: dict[str, Task | Loop] = field(default_factory=dict)
    size: int = 0

    @property
    def is_shared(self) -> bool:
        """Whether its pod runs more than one step."""
        several = len(self.items) > 1 or any(isinstance(each, Loop) for each in self.items.values())
        return several and self.alike is not None


def segments(pipeline: Pipeline, alike: Alike) -> list[Segment]:
    """Partition the tasks and loops of a plan; those that share no pod are segments of one."""
    plan = _read(pipeline, alike)
    alone: set[str] = set()
    exact: set[str] = set()
    while True:
        found = _partition(plan, alone, exact)
        shared = [segment for segment in found if segment.is_shared]
        misfits = {name for segment in shared for name in _misfits(segment, plan)}
        early = {name for segment in shared for name in _skipped_by_themselves(segment, plan)} - misfits
        if not misfits and not early:
            return found
        alone |= misfits
        exact |= early


@dataclass(frozen=True)
class _Item:
    """A task or loop at the top of a plan.

    Attributes:
        within: The task itself, or the tasks within the loop.
        alike: What its pods have in common; None where it has a pod of its own.
        waits: The items that it waits for.
        fate: On what it depends whether it is skipped.
        choices: The items among which each choice is made that it takes.
        told_of: The items whose status it is told.

    """

    item: Task | Loop
    within: tuple[Task, ...]
    alike: Hashable | None
    waits: frozenset[str]
    fate: frozenset[object]
    choices: tuple[frozenset[str], ...]
    told_of: frozenset[str]


def _read(pipeline: Pipeline, alike: Alike) -> dict[str, _Item]:
    within: dict[str, list[Task]] = defaultdict(list)
    tops: dict[str, str] = {}
    for task in pipeline.tasks:
        tops[task.name] = task.loops[0] if task.loops else task.name
        within[tops[task.name]].append(task)
    found: dict[str, _Item] = {}
    for name, tasks in within.items():
        item = pipeline.loops[name] if tasks[0].loops else tasks[0]
        ends = list(leaves(source for task in tasks for source in task.inputs.values()))
        told_of = frozenset(tops[each] for leaf in ends if isinstance(leaf, FinalStatus) for each in leaf.tasks)
        survives = any(each.start.survives for each in (item, *tasks))
        kinds = {alike(task) for task in tasks}
        found[name] = _Item(
            item,
            tuple(tasks),
            kinds.pop() if len(kinds) == 1 and not told_of and not survives else None,
            frozenset(tops[each] for task in tasks for each in upstream(task, pipeline)) - {name},
            _fate(item, tasks, tops, found),
            tuple(frozenset(tops[each] for each in choice) for choice in _choices(item, tasks)),
            told_of,
        )
    return found


def _fate(
    item: Task | Loop, tasks: Iterable[Task], tops: Mapping[str, str], before: Mapping[str, _Item]
) -> frozenset[object]:
    """Return on what it depends whether an item is skipped: conditions, choices, and what skips what it waits for."""
    found: set[object] = {(each.text, repr(sorted(each.channels.items()))) for each in item.start.conditions}
    found |= {frozenset(tops[task] for task in choice) for choice in item.start.one_of}
    for start in (item.start, *(task.start for task in tasks)):
        for name in start.after:
            top = tops[name]
            if top != item.name and top in before and name not in (*start.tolerates, *start.survives):
                found |= before[top].fate
    return frozenset(found)


def _choices(item: Task | Loop, tasks: Iterable[Task]) -> Iterator[Iterable[str]]:
    for start in (item.start, *(task.start for task in tasks)):
        yield from start.one_of
    sources = [source for task in tasks for source in task.inputs.values()]
    for source in [*sources, *([item.items] if isinstance(item, Loop) else [])]:
        for choice in chosen(source):
            yield [leaf.task for leaf in leaves([choice]) if isinstance(leaf, TaskOutput)]


def _partition(plan: Mapping[str, _Item], alone: set[str], exact: set[str]) -> list[Segment]:
    """Put each item into the first segment that it may join; one of `exact` only where all are skipped together."""
    found: list[Segment] = []
    place: dict[str, int] = {}
    for name, each in plan.items():
        earliest = max((place[other] for other in each.waits), default=0)
        size = sum(OF_A_TASK + len(getattr(task.component.executor, "source", "") or "") for task in each.within)
        shared = None if name in alone else each.alike
        fitting = [
            number
            for number in range(earliest, len(found))
            if shared is not None
            and found[number].alike == shared
            and (found[number].fate == each.fate or (found[number].fate <= each.fate and name not in exact))
            and found[number].size + size <= MOST_BYTES
        ]
        place[name] = fitting[0] if fitting else len(found)
        if not fitting:
            found.append(Segment(shared, each.fate))
        found[place[name]].items[name] = each.item
        found[place[name]].size += size
    return found


def _misfits(segment: Segment, plan: Mapping[str, _Item]) -> Iterator[str]:
    """Yield the items that would change the meaning of a plan in any pod but their own."""
    ours = segment.items.keys()
    told_of = {other for each in plan.values() for other in each.told_of}
    for name in ours:
        mixed = any(choice & ours and not choice <= ours for choice in plan[name].choices)
        if mixed or name in told_of:
            yield name


def _skipped_by_themselves(segment: Segment, plan: Mapping[str, _Item]) -> Iterator[str]:
    """Yield the items that may be skipped where their segment is not, while something outside depends on it."""
    ours = segment.items.keys()
    followed = {other for name, each in plan.items() if name not in ours for other in each.waits}
    yield from (name for name in ours if plan[name].fate != segment.fate and name in followed)


def chosen(source: Source) -> Iterator[FirstOf]:
    """Yield the choices that a source is made of."""
    match source:
        case FirstOf():
            yield source
        case FieldOf(inner):
            yield from chosen(inner)
        case Template(_, channels):
            yield from (choice for each in channels.values() for choice in chosen(each))
        case Collected(inner):
            yield from (choice for each in inner for choice in chosen(each))


def leaves(sources: Iterable[Source]) -> Iterator[Source]:
    """Yield what sources are made of in the end."""
    for source in sources:
        match source:
            case FieldOf(inner):
                yield from leaves([inner])
            case Template(_, channels):
                yield from leaves(channels.values())
            case FirstOf(inner) | Collected(inner):
                yield from leaves(inner)
            case _:
                yield source

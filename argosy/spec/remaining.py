"""What is left of a plan that has come some way: finished steps as known values, known loops unrolled.

A plan that is handed to a cluster holds only what has to run. A round of a loop whose items are known is a task of its
own, named `task[2]`; what such rounds give is collected from each of them. Starts lose what was waited for already,
conditions that hold are gone, and so is whatever is sure to be skipped.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, TypeAlias

from argosy.errors import Mistake
from argosy.spec.conditions import evaluate
from argosy.spec.folding import Standing, fold, has_failed, is_settled, is_skipped, is_unrolled, pending, pending_rounds
from argosy.spec.model import Comparison, Condition, LiteralOperand, Loop, Start, Task
from argosy.spec.order import in_order
from argosy.spec.resolution import Place, instance_name, resolve, shared
from argosy.spec.starts import upstream

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from argosy.spec.model import Pipeline
    from argosy.spec.unrolling import Index, Unrolling

NEVER: Final = Condition("false", Comparison("==", LiteralOperand(True), LiteralOperand(False)), {})
Behind: TypeAlias = "dict[tuple[str, Index], tuple[str, ...]]"
"""By the name of a task or loop and its rounds: the tasks of the round that it follows, where a loop has a limit."""


def remaining(so_far: Unrolling) -> Pipeline:
    """Return the plan of what has not ended yet; run with the same arguments it ends as the whole plan would.

    Raises:
        Mistake: A step that has ended did not give an output that another one takes.

    """
    left = _Left(so_far)
    found = {
        instance_name(task.name, index): left.task(task, index)
        for task in so_far.pipeline.tasks
        for index in pending_rounds(task, (), so_far)
    }
    tasks = {name: replace(task, start=_known_to(found, task.start)) for name, task in found.items() if task}
    loops = {
        loop.name: replace(loop, start=_known_to(found, loop.start))
        for loop in left.loops.values()
        if any(loop.name in task.loops for task in tasks.values())
    }
    outputs = {name: fold(source, Place("outputs"), left.standing) for name, source in so_far.pipeline.outputs.items()}
    pipeline = replace(so_far.pipeline, loops=loops, outputs=outputs)
    order = in_order({name: upstream(task, pipeline) for name, task in tasks.items()}, "root")
    return replace(pipeline, tasks=tuple(tasks[name] for name in order))


def _known_to(found: Mapping[str, Task | None], start: Start) -> Start:
    """Return a start without the tasks that turned out to be skipped after it was made."""

    def kept(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name for name in names if found.get(name))

    return replace(start, after=kept(start.after), tolerates=kept(start.tolerates), survives=kept(start.survives))


def _limited(
    loops: tuple[str, ...], index: Index, standing: Standing
) -> Iterator[tuple[tuple[str, Index], tuple[str, ...]]]:
    """Yield what stands in unrolled loops with limits, with the tasks of the round that it follows."""
    so_far = standing.so_far
    for item in so_far.directly(loops):
        if not isinstance(item, Loop) or (item.name, index) not in so_far.rounds:
            continue
        within = (*loops, item.name)
        begun: list[tuple[str, ...]] = []
        for number in range(len(so_far.rounds[item.name, index])):
            below = (*index, number)
            yield from _limited(within, below, standing)
            names = tuple(name for task in _within(within, so_far) for name in pending(task, below, standing))
            if item.limit is None or not names:
                continue
            if len(begun) >= item.limit:
                yield from (((each.name, below), begun[-item.limit]) for each in so_far.directly(within))
            begun.append(names)


def _within(loops: tuple[str, ...], so_far: Unrolling) -> Iterator[Task]:
    return (task for task in so_far.pipeline.tasks if task.loops[: len(loops)] == loops)


@dataclass
class _Left:
    """What is left so far.

    Attributes:
        loops: The loops whose items are not known, by their names below the rounds around them.
        gone: Names of tasks and loops that are sure to be skipped.

    """

    so_far: Unrolling
    loops: dict[str, Loop] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.standing = Standing(self.so_far, self.gone)
        self.behind: Behind = dict(_limited((), (), self.standing))

    def task(self, task: Task, index: Index) -> Task | None:
        """Return a task in some rounds as it is left; None where it is sure to be skipped."""
        name, around = instance_name(task.name, index), task.loops[len(index) :]
        kept = all([self._loop(self.so_far.pipeline.loops[each], index) for each in around])
        start = self._start(task, index) if kept else None
        if start is None:
            self.gone.add(name)
            return None
        place = Place(task.name, task.loops, index)
        return replace(
            task,
            name=name,
            inputs={name: fold(source, place, self.standing) for name, source in task.inputs.items()},
            channels={name: fold(source, place, self.standing) for name, source in task.channels.items()},
            start=start,
            loops=tuple(instance_name(each, index) for each in around),
        )

    def _loop(self, loop: Loop, index: Index) -> bool:
        """Note a loop whose items are not known, and say whether it is left."""
        name = instance_name(loop.name, index)
        if name not in self.loops and name not in self.gone:
            start = self._start(loop, index)
            if start is not None:
                items = fold(loop.items, Place(loop.name, loop.loops, index), self.standing)
                loops = tuple(instance_name(each, index) for each in loop.loops[len(index) :])
                self.loops[name] = replace(loop, name=name, items=items, start=start, loops=loops)
        return name in self.loops

    def _start(self, item: Task | Loop, index: Index) -> Start | None:
        """Return what a task or loop still waits for; None, and noted, where it is sure to be skipped."""
        start = self._open_start(item, index)
        if start is None and len(index) < len(item.loops):
            # Whether its loop has rounds is another question, and what is collected of them is a list.
            return Start(conditions=(NEVER,))
        if start is None:
            self.gone.add(instance_name(item.name, index))
        return start

    def _open_start(self, item: Task | Loop, index: Index) -> Start | None:
        before = set(self.behind.get((item.name, index), ()))
        after, tolerates, survives = set[str](), set[str](), set[str]()
        for name in item.start.after:
            names = self._waited(name, item, index)
            if names is None:
                return None
            after.update(names)
            if name in item.start.survives:
                survives.update(names)
            elif name in item.start.tolerates or self._is_unrolled(name, item, index):
                # Of a loop that goes on some rounds of a task may be skipped: as a whole it is not.
                tolerates.update(names)
        one_of, conditions = self._choices(item, index), self._conditions(item, index)
        if one_of is None or conditions is None:
            return None
        survives |= before - after
        after |= before
        waits = [tuple(sorted(names)) for names in (after, tolerates, survives)]
        return Start(waits[0], waits[1], waits[2], conditions, tuple(one_of))

    def _at(self, name: str, item: Task | Loop, index: Index) -> tuple[Task, Index]:
        """Return a task that is waited for, and the rounds that it shares with who waits."""
        task = self.so_far.tasks[name]
        return task, index[: shared(task.loops, item.loops)]

    def _is_unrolled(self, name: str, item: Task | Loop, index: Index) -> bool:
        return is_unrolled(*self._at(name, item, index), self.so_far)

    def _waited(self, name: str, item: Task | Loop, index: Index) -> list[str] | None:
        """Return the names that stand for a task that is waited for; None where its end skips what waits."""
        task, at = self._at(name, item, index)
        if name not in item.start.survives:
            skipped = name not in item.start.tolerates and is_skipped(task, at, self.standing)
            if skipped or has_failed(task, at, self.so_far):
                return None
        return pending(task, at, self.standing)

    def _choices(self, item: Task | Loop, index: Index) -> list[tuple[str, ...]] | None:
        """Return the choices of which none was taken yet; None where one has nothing left."""
        found = []
        for choice in item.start.one_of:
            spots = [self._at(name, item, index) for name in choice]
            open_ = [spot for spot in spots if not is_skipped(*spot, self.standing)]
            if not open_:
                return None
            if not any(self.so_far.is_over(task.name, at) or is_unrolled(task, at, self.so_far) for task, at in open_):
                found.append(tuple(sorted(instance_name(task.name, at) for task, at in open_)))
        return sorted(found)

    def _conditions(self, item: Task | Loop, index: Index) -> tuple[Condition, ...] | None:
        """Return the conditions that are open; None where one does not hold."""
        place = Place(item.name, item.loops, index)
        found: list[Condition] = []
        for condition in item.start.conditions:
            channels = {name: fold(source, place, self.standing) for name, source in condition.channels.items()}
            folded = replace(condition, channels=channels)
            answer = self._answer(folded, place) if not found else None
            if answer is False:
                return None
            found += [] if answer else [folded]
        return tuple(found)

    def _answer(self, condition: Condition, place: Place) -> bool | None:
        """Return whether a condition holds; None where that is not known, or cannot be."""
        if not all(is_settled(source) for source in condition.channels.values()):
            return None
        entries = {name: resolve(source, place, self.so_far) for name, source in condition.channels.items()}
        try:
            return evaluate(condition, {name: entry.value if entry else None for name, entry in entries.items()})
        except Mistake:
            return None

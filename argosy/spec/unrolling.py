"""Unroll a plan while it runs: which instances of its tasks there are, and which may start.

A task outside loops has one instance. A loop makes the instances of its tasks, one for each item, as soon as its items
are known. Under a plan's shape that is the same count on every target.
"""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from argosy.errors import Mistake
from argosy.launcher.step import Outcome
from argosy.spec.model import Loop, Task
from argosy.spec.resolution import Place, instance_name, loop_items, reason_to_skip, shared
from argosy.spec.starts import upstream

if TYPE_CHECKING:
    from collections.abc import Mapping

    from argosy.launcher.step import Input
    from argosy.spec.model import Pipeline

Index: TypeAlias = tuple[int, ...]
State = Literal["ended", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class Instance:
    """A task in one round of each of the loops around it; its name is the task's, with the rounds in brackets."""

    task: Task
    index: Index = ()

    @property
    def name(self) -> str:
        """Return `task`, or `task[2]`, or `task[2,0]` for loops in loops, the outer round first."""
        return instance_name(self.task.name, self.index)


@dataclass(slots=True)
class _Waiting:
    """A task or loop of which some upstream tasks have not ended."""

    item: Task | Loop
    index: Index
    unmet: int = 0


@dataclass(slots=True)
class Unrolling:
    """How far a plan has come.

    Attributes:
        arguments: What the pipeline was given.
        run_values: What only the run knows, by name.
        outcomes: How each instance ended, by its name, in the order of ending; a loop that was skipped as a whole has
            one entry for each of its tasks.
        rounds: The items of each loop, by its name and the rounds of the loops around it.
        instances: The instances that there are so far, by task, in the order of their making.

    """

    pipeline: Pipeline
    arguments: Mapping[str, object]
    run_values: Mapping[str, str] = field(default_factory=dict)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    rounds: dict[tuple[str, Index], list[Input]] = field(default_factory=dict)
    instances: dict[str, list[Instance]] = field(default_factory=lambda: defaultdict(list))
    tasks: dict[str, Task] = field(default_factory=dict)
    _order: dict[str, int] = field(default_factory=dict)
    _states: dict[tuple[str, Index], State] = field(default_factory=dict)
    _left: dict[tuple[str, Index], int] = field(default_factory=dict)
    _failed: set[tuple[str, Index]] = field(default_factory=set)
    _left_of_round: dict[tuple[str, Index], int] = field(default_factory=dict)
    _next_round: dict[tuple[str, Index], int] = field(default_factory=dict)
    _waiting: dict[tuple[str, Index], list[_Waiting]] = field(default_factory=lambda: defaultdict(list))
    _below: dict[tuple[str, Index], list[Instance]] = field(default_factory=lambda: defaultdict(list))
    _ready: list[Instance] = field(default_factory=list)
    _loops: deque[tuple[Loop, Index]] = field(default_factory=deque)
    _within: dict[str, list[Task]] = field(default_factory=lambda: defaultdict(list))
    _directly: dict[tuple[str, ...], list[Task | Loop]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        for order, task in enumerate(self.pipeline.tasks):
            self.tasks[task.name] = task
            self._order[task.name] = order
            self._directly[task.loops].append(task)
            for name in task.loops:
                self._within[name].append(task)
        for loop in self.pipeline.loops.values():
            self._directly[loop.loops].append(loop)
        for item in self._directly[()]:
            self._add(item, ())

    def ready(self) -> list[Instance]:
        """Return the instances that became ready since the last call, in plan order."""
        while self._loops:
            self._expand(*self._loops.popleft())
        found, self._ready = self._ready, []
        return sorted(found, key=lambda instance: (self._order[instance.task.name], instance.index))

    def end(self, instance: Instance, outcome: Outcome) -> None:
        """Note how an instance ended; others may have become ready."""
        self.outcomes[instance.name] = outcome
        state: State = outcome.status if outcome.status in {"failed", "skipped"} else "ended"
        self._complete(instance.task, instance.index, state)

    def state(self, task: str, index: Index) -> State:
        """Return how the instances of a task below some rounds ended together; all of them have."""
        return self._states[task, index]

    def upstream(self, instance: Instance) -> list[str]:
        """Return the names of the instances that an instance waited for, those that its loops waited for included."""
        found = []
        for name in upstream(instance.task, self.pipeline):
            index = instance.index[: shared(self.tasks[name].loops, instance.task.loops)]
            found += [each.name for each in self.below(name, index)]
        return found

    def below(self, task: str, index: Index) -> list[Instance]:
        """Return the instances of a task below some rounds, in the order of their making."""
        return self._below[task, index]

    def is_over(self, task: str, index: Index = ()) -> bool:
        """Say whether every instance of a task below some rounds has ended."""
        return (task, index) in self._states

    def directly(self, loops: tuple[str, ...]) -> list[Task | Loop]:
        """Return the tasks and loops that stand in some loops and in no other one."""
        return self._directly[loops]

    def _add(self, item: Task | Loop, index: Index) -> None:
        waiting = _Waiting(item, index)
        for name in item.start.after:
            key = name, index[: shared(self.tasks[name].loops, item.loops)]
            if key not in self._states:
                self._waiting[key].append(waiting)
                waiting.unmet += 1
        if not waiting.unmet:
            self._release(waiting)

    def _release(self, waiting: _Waiting) -> None:
        if isinstance(waiting.item, Task):
            self._ready.append(self._made(waiting.item, waiting.index))
        else:
            self._loops.append((waiting.item, waiting.index))

    def _made(self, task: Task, index: Index) -> Instance:
        instance = Instance(task, index)
        self.instances[task.name].append(instance)
        for depth in range(len(index) + 1):
            self._below[task.name, index[:depth]].append(instance)
        return instance

    def _expand(self, loop: Loop, index: Index) -> None:
        """Make the rounds of a loop, whose items are known now."""
        place = Place(loop.name, loop.loops, index)
        try:
            skip = reason_to_skip(loop.start, place, self)
            items = [] if skip else loop_items(loop, place, self)
        except Mistake as error:
            outcome = Outcome("failed", error=str(error), exit_code=error.exit_code)
            self._give_up(loop, index, outcome, state="failed")
            return
        if skip:
            self._give_up(loop, index, Outcome("skipped", reason=skip), state="skipped")
            return
        self.rounds[loop.name, index] = items
        self._next_round[loop.name, index] = 0
        if not items:
            self._give_up(loop, index, Outcome("skipped", reason="its loop has no items"), state="ended")
        for task in self._within[loop.name]:
            self._left[task.name, index] = len(items)
        for _ in items[: loop.limit]:
            self._start_round(loop, index)

    def _start_round(self, loop: Loop, index: Index) -> None:
        number = self._next_round[loop.name, index]
        if number == len(self.rounds[loop.name, index]):
            return
        self._next_round[loop.name, index] += 1
        below = (*index, number)
        self._left_of_round[loop.name, below] = len(self._within[loop.name])
        for item in self._directly[*loop.loops, loop.name]:
            self._add(item, below)

    def _give_up(self, loop: Loop, index: Index, outcome: Outcome, *, state: State) -> None:
        """End all tasks of a loop that has no rounds; each has one instance that stands for none."""
        for task in self._within[loop.name]:
            self.outcomes[self._made(task, index).name] = outcome
        for task in self._within[loop.name]:
            self._complete(task, index, state)

    def _complete(self, task: Task, index: Index, state: State) -> None:
        """Note the end of a task below some rounds, and of the rounds around it that end with it."""
        while True:
            self._states[task.name, index] = state
            for waiting in self._waiting.pop((task.name, index), ()):
                waiting.unmet -= 1
                if not waiting.unmet:
                    self._release(waiting)
            if not index:
                return
            loop = self.pipeline.loops[task.loops[len(index) - 1]]
            self._left_of_round[loop.name, index] -= 1
            if not self._left_of_round[loop.name, index] and loop.limit is not None:
                self._start_round(loop, index[:-1])
            above = task.name, index[:-1]
            if state == "failed":
                self._failed.add(above)
            self._left[above] -= 1
            if self._left[above]:
                return
            index, state = index[:-1], "failed" if above in self._failed else "ended"

"""Which DAG template each task stands in, and what passes between them.

A plan is flat and Argo's loops are templates: a loop is a DAG of its own, with a round below it. What a task takes from
outside its loops enters each of them as an input; what is taken from within a loop leaves each as an output.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from argosy.argo.names import slug, unique
from argosy.argo.unsupported import refusal
from argosy.launcher.argo import ITEMS
from argosy.spec.model import Collected, FieldOf, FinalStatus, FirstOf, Known, LoopItem, TaskOutput, Template
from argosy.spec.resolution import shared

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping

    from argosy.launcher.store import Store
    from argosy.spec.model import Condition, Loop, Pipeline, Source, Start, Task

Path: TypeAlias = tuple[str, ...]
"""The loops around a DAG, from the outside in; empty for that of the pipeline."""
Produced: TypeAlias = "TaskOutput | FirstOf"
"""What a DAG makes: an output of a task, or the first of several that is there."""
Atom: TypeAlias = "TaskOutput | FirstOf | LoopItem"


@dataclass(frozen=True)
class Scope:
    """One DAG: what enters it and what leaves it, with the names of its parameters; `nodes` are its tasks' names."""

    path: Path
    inputs: dict[Atom, str] = field(default_factory=dict)
    outputs: dict[Produced, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Scopes:
    """All DAGs of a pipeline, by path.

    Attributes:
        node_names: The names of tasks and loops in their DAG, by the plan's; a loop has a `/` in front.
        feeding: List outputs that loops run over.
        measured: Outputs that are, or may depend on, measurements.
        store: Where values go that are known but too large for a manifest; None where nothing is known ahead.
        scheduled: Whether a schedule starts the runs, and says their time.

    """

    pipeline: Pipeline
    tasks: Mapping[str, Task]
    node_names: Mapping[str, str]
    scopes: Mapping[Path, Scope]
    feeding: frozenset[TaskOutput]
    measured: frozenset[TaskOutput]
    store: Store | None = None
    scheduled: bool = False

    def node(self, task: str, path: Path) -> str | None:
        """Return the name of what stands for a task in a DAG: itself, or the loop around it; None for one outside."""
        loops = self.tasks[task].loops
        if loops[: len(path)] != path:
            return None
        return self.node_names[task] if len(loops) == len(path) else self.loop_node(loops[len(path)])

    def loop_node(self, loop: str) -> str:
        """Return the name of a loop in the DAG around it."""
        return self.node_names[f"/{loop}"]

    def loops_of(self, source: Produced) -> Path:
        """Return the loops that a source is made in."""
        return source.loops if isinstance(source, FirstOf) else self.tasks[source.task].loops

    def depth(self, source: Produced, path: Path) -> int:
        """Return over how many loops a source is gathered where it is read."""
        loops = self.loops_of(source)
        return len(loops) - shared(loops, path)

    def tasks_of(self, choice: FirstOf) -> set[str]:
        """Return the tasks whose outputs a choice is among."""
        return {leaf.task for leaf in _leaves(choice) if isinstance(leaf, TaskOutput)}

    def is_measured(self, source: Source) -> bool:
        """Say whether a source is, or may depend on, a measurement."""
        if isinstance(source, Known):
            return source.entry is not None and source.entry.measured
        items = {name: loop.items for name, loop in self.pipeline.loops.items()}
        return _depends(source, self.measured, items)


def read_scopes(pipeline: Pipeline, store: Store | None = None, *, scheduled: bool = False) -> Scopes:
    """Return the DAGs of a pipeline."""
    tasks = {task.name: task for task in pipeline.tasks}
    paths: list[Path] = [(), *((*loop.loops, loop.name) for loop in pipeline.loops.values())]
    scopes = {path: Scope(path) for path in paths}
    feeding, measured = _feeding(pipeline), _measured(pipeline)
    found = Scopes(pipeline, tasks, _node_names(pipeline), scopes, feeding, measured, store, scheduled)
    for path, source in _reads(pipeline):
        for atom in atoms(source):
            _pass(atom, path, found)
    return found


def atoms(source: Source) -> Iterator[Atom]:
    """Yield the outputs and items that a source is made of."""
    match source:
        case TaskOutput() | FirstOf() | LoopItem():
            yield source
        case FieldOf(inner):
            yield from atoms(inner)
        case Template(_, channels):
            for each in channels.values():
                yield from atoms(each)
        case Collected(sources):
            for each in sources:
                yield from atoms(each)


def _leaves(source: Source) -> Iterator[TaskOutput | LoopItem]:
    for atom in atoms(source):
        if isinstance(atom, FirstOf):
            for each in atom.sources:
                yield from _leaves(each)
        else:
            yield atom


def items_of(loop: Loop, tasks: Mapping[str, Task]) -> Source:
    """Return the source of a loop's items: a list output is taken in the form that Argo expands."""
    return _as_items(loop.items, loop, tasks)


def _as_items(source: Source, loop: Loop, tasks: Mapping[str, Task]) -> Source:
    match source:
        case TaskOutput(task, output) if shared(tasks[task].loops, loop.loops) == len(tasks[task].loops):
            return TaskOutput(task, f"{output}{ITEMS}")
        case FirstOf(sources, loops):
            return FirstOf(tuple(_as_items(each, loop, tasks) for each in sources), loops)
    return source


def _feeding(pipeline: Pipeline) -> frozenset[TaskOutput]:
    tasks = {task.name: task for task in pipeline.tasks}
    found = {leaf for loop in pipeline.loops.values() for leaf in _leaves(items_of(loop, tasks))}
    feeding = [leaf for leaf in found if isinstance(leaf, TaskOutput) and leaf.output.endswith(ITEMS)]
    return frozenset(TaskOutput(one.task, one.output.removesuffix(ITEMS)) for one in feeding)


def _reads(pipeline: Pipeline) -> Iterator[tuple[Path, Source]]:
    """Yield every source with the DAG that it is read in."""
    tasks = {task.name: task for task in pipeline.tasks}
    for task in pipeline.tasks:
        for source in (*task.inputs.values(), *task.channels.values(), *_condition_sources(task.start)):
            _require_statuses_here(source, task, tasks)
            yield task.loops, source
    for loop in pipeline.loops.values():
        for source in (items_of(loop, tasks), *_condition_sources(loop.start)):
            yield loop.loops, source
    for source in pipeline.outputs.values():
        yield (), source


def _condition_sources(start: Start) -> Iterator[Source]:
    conditions: Iterable[Condition] = start.conditions
    for condition in conditions:
        yield from condition.channels.values()


def _require_statuses_here(source: Source, task: Task, tasks: Mapping[str, Task]) -> None:
    if isinstance(source, FinalStatus) and any(
        tasks[name].loops[: len(task.loops)] != task.loops for name in source.tasks
    ):
        raise refusal(f"tasks.{task.name}", "status of tasks in another loop", source.name)


def _pass(atom: Atom, path: Path, scopes: Scopes) -> None:
    """Note what an atom passes through: out of the loops around it, into those around its reader."""
    if isinstance(atom, LoopItem):
        owner = path[: path.index(atom.loop) + 1]
        scopes.scopes[owner].inputs.setdefault(atom, "item")
        name = f"{scopes.loop_node(atom.loop)}-item"
        for depth in range(len(owner) + 1, len(path) + 1):
            _note(scopes.scopes[path[:depth]].inputs, atom, name)
        return
    if isinstance(atom, FirstOf):
        for source in atom.sources:
            for each in atoms(source):
                _pass(each, atom.loops, scopes)
    loops = scopes.loops_of(atom)
    common = shared(loops, path)
    first = next(leaf for leaf in _leaves(atom) if isinstance(leaf, TaskOutput))
    name = f"{scopes.node_names[first.task]}-{first.output}"
    for depth in range(common + 1, len(loops) + 1):
        _note(scopes.scopes[loops[:depth]].outputs, atom, name)
    for depth in range(common + 1, len(path) + 1):
        _note(scopes.scopes[path[:depth]].inputs, atom, name)


def _note(names: dict, atom: Atom, name: str) -> None:  # type: ignore[type-arg]  # of atoms, or of outputs alone
    if atom not in names:
        names[atom] = unique(name, names.values())


def _node_names(pipeline: Pipeline) -> dict[str, str]:
    found: dict[str, str] = {}
    for task in pipeline.tasks:
        found[task.name] = unique(slug(task.name), found.values())
    for loop in pipeline.loops.values():
        found[f"/{loop.name}"] = unique(slug(loop.name.rpartition("/")[2]), found.values())
    return found


def _measured(pipeline: Pipeline) -> frozenset[TaskOutput]:
    """Return the outputs that are declared measurements, and all of those that depend on one."""
    found: set[TaskOutput] = set()
    items: dict[str, Source] = {loop.name: loop.items for loop in pipeline.loops.values()}

    for task in pipeline.tasks:
        # Where a container runs a plan, that says of each output whether it depends on a measurement.
        has_plan = getattr(task.component.executor, "plan", None) is not None
        every = not has_plan and any(_depends(source, found, items) for source in task.inputs.values())
        names = task.component.outputs if every else task.component.declaration.measurements
        found.update(TaskOutput(task.name, name) for name in names)
    return frozenset(found)


def _depends(source: Source, measured: Container[TaskOutput], items: Mapping[str, Source]) -> bool:
    return any(
        _depends(items[leaf.loop], measured, items) if isinstance(leaf, LoopItem) else leaf in measured
        for leaf in _leaves(source)
    )

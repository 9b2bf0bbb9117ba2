"""Put alike tasks of a plan into one: a task whose container runs a plan of its own.

What the tasks take from elsewhere are inputs of that plan, what others take from them its outputs. Both plans come to
the same; but what comes after a task that succeeded waits for those it shares a pod with, and does not start where one
of them fails.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, TypeAlias

from argosy.launcher.artifacts import Artifacts, artifacts_in
from argosy.spec.model import (
    ArtifactSlot,
    Collected,
    Component,
    Declaration,
    Executor,
    FieldOf,
    FirstOf,
    Known,
    Loop,
    Parameter,
    Pipeline,
    PipelineInput,
    Start,
    Task,
    TaskOutput,
    Template,
)
from argosy.spec.order import in_order
from argosy.spec.segments import leaves, segments
from argosy.spec.starts import upstream

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from argosy.spec.model import Condition, Slot, Source
    from argosy.spec.segments import Alike, Segment

TOLD: Final = ("pipeline_job_name", "pipeline_job_resource_name", "pipeline_job_uuid")
"""What the tasks of a plan within a pod are told of the run, beside their own names."""
Change: TypeAlias = Callable[["Source"], "Source | None"]
"""Returns what stands for a whole source; None where its parts are to be looked at."""


def fuse(pipeline: Pipeline, alike: Alike, is_measured: Callable[[Source], bool]) -> Pipeline:
    """Return a plan whose alike tasks are one where they can be.

    Args:
        pipeline: A plan, or what is left of one.
        alike: Returns what the pods of tasks have in common; None for a task that has a pod of its own.
        is_measured: Says whether a source is, or may depend on, a measurement.

    """
    found = pipeline
    for segment in segments(pipeline, alike):
        if segment.is_shared:
            found = _Fusing(found, segment, is_measured).fused()
    return found


@dataclass
class _Fusing:
    """One segment on its way to be a task.

    Attributes:
        inputs: What the segment takes from elsewhere, by the name of the input.
        outputs: What is taken of it, by the name of the output.

    """

    pipeline: Pipeline
    segment: Segment
    is_measured: Callable[[Source], bool]
    inputs: dict[str, Source] = field(default_factory=dict)
    outputs: dict[str, Source] = field(default_factory=dict)

    def __post_init__(self) -> None:
        tops = self.segment.items.keys()
        self.tasks = [task for task in self.pipeline.tasks if (task.loops[0] if task.loops else task.name) in tops]
        self.loops = [loop for loop in self.pipeline.loops.values() if (*loop.loops, loop.name)[0] in tops]
        self.names = {task.name for task in self.tasks}
        first, last = self.tasks[0].name, self.tasks[-1].name
        self.name = first if first == last else f"{first}-to-{last}"

    def fused(self) -> Pipeline:
        """Return the plan with one task in place of the segment."""
        rest = [task for task in self.pipeline.tasks if task.name not in self.names]
        ours = {loop.name for loop in self.loops}
        loops = [loop for loop in self.pipeline.loops.values() if loop.name not in ours]
        changed = [
            replace(
                task,
                inputs=self._changed(task.inputs),
                start=self._after(task.start),
                channels=self._changed(task.channels),
            )
            for task in rest
        ]
        around = {
            loop.name: replace(loop, items=_change(loop.items, self._of_fused), start=self._after(loop.start))
            for loop in loops
        }
        outputs = self._changed(self.pipeline.outputs)
        tasks = {task.name: task for task in (*changed, self._task())}
        plan = replace(self.pipeline, loops=around, outputs=outputs)
        order = in_order({name: upstream(task, plan) for name, task in tasks.items()}, "root")
        return replace(plan, tasks=tuple(tasks[name] for name in order))

    def _task(self) -> Task:
        head = self.tasks[0]
        conditions = self._entry_conditions()
        tasks = tuple(
            replace(
                task,
                inputs=self._inner(task.inputs),
                channels=self._inner(task.channels),
                start=self._within(task.start, conditions),
            )
            for task in self.tasks
        )
        loops = {
            loop.name: replace(
                loop, items=_change(loop.items, self._of_outside), start=self._within(loop.start, conditions)
            )
            for loop in self.loops
        }
        slots = {name: self._slot(name, source) for name, source in self.inputs.items()}
        plan = Pipeline(self.pipeline.name, "", slots, tasks, loops, dict(self.outputs))
        outputs = {name: self._slot(name, source) for name, source in self.outputs.items()}
        measured = tuple(name for name, source in self.outputs.items() if self.is_measured(source))
        image = getattr(head.component.executor, "image", "")
        component = Component(self.name, slots, outputs, Executor(image, plan=plan), Declaration(measurements=measured))
        start = self._start(conditions)
        return Task(self.name, component, dict(self.inputs), start, platform=head.platform)

    def _entry_conditions(self) -> tuple[Condition, ...]:
        """Return the conditions that all of the segment has: those of what stands at its beginning."""
        first = self.tasks[0]
        top: Task | Loop = self.pipeline.loops[first.loops[0]] if first.loops else first
        return top.start.conditions

    def _start(self, conditions: tuple[Condition, ...]) -> Start:
        starts = [*(task.start for task in self.tasks), *(loop.start for loop in self.loops)]
        after = {name for start in starts for name in start.after} - self.names
        strict = {name for start in starts for name in start.after if name not in start.tolerates}
        one_of = {choice for start in starts for choice in start.one_of if not set(choice) & self.names}
        return Start(tuple(sorted(after)), tuple(sorted(after - strict)), (), conditions, tuple(sorted(one_of)))

    def _within(self, start: Start, conditions: tuple[Condition, ...]) -> Start:
        """Return a start without what the segment has waited for already."""
        open_ = [each for each in start.conditions if each not in conditions]
        kept = tuple(
            replace(each, channels={name: _change(source, self._of_outside) for name, source in each.channels.items()})
            for each in open_
        )
        return Start(
            tuple(name for name in start.after if name in self.names),
            tuple(name for name in start.tolerates if name in self.names),
            tuple(name for name in start.survives if name in self.names),
            kept,
            tuple(choice for choice in start.one_of if set(choice) <= self.names),
        )

    def _after(self, start: Start) -> Start:
        """Return a start that waits for the whole segment instead of a task in it."""

        def named(names: Iterable[str]) -> tuple[str, ...]:
            return tuple(dict.fromkeys(self.name if name in self.names else name for name in names))

        after, tolerates, survives = named(start.after), named(start.tolerates), named(start.survives)
        strict = set(start.after) - set(start.tolerates) - set(start.survives)
        if strict & self.names:
            tolerates = tuple(name for name in tolerates if name != self.name)
            survives = tuple(name for name in survives if name != self.name)
        conditions = tuple(replace(each, channels=self._changed(each.channels)) for each in start.conditions)
        one_of = tuple(choice for choice in map(named, start.one_of) if self.name not in choice or len(choice) > 1)
        return Start(after, tolerates, survives, conditions, one_of)

    def _changed(self, sources: Mapping[str, Source]) -> dict[str, Source]:
        return {name: _change(source, self._of_fused) for name, source in sources.items()}

    def _inner(self, sources: Mapping[str, Source]) -> dict[str, Source]:
        return {name: _change(source, self._of_outside) for name, source in sources.items()}

    def _of_fused(self, source: Source) -> Source | None:
        """Return the output of the fused task that stands for what others take of the segment."""
        if not isinstance(source, TaskOutput | FirstOf) or not _tasks_of(source) <= self.names:
            return None
        return TaskOutput(self.name, _noted(source, self.outputs, self._called(source)))

    def _of_outside(self, source: Source) -> Source | None:
        """Return the input of the segment's plan that stands for what it takes from elsewhere."""
        if isinstance(source, Known | PipelineInput) or (
            isinstance(source, TaskOutput | FirstOf) and not _tasks_of(source) & self.names
        ):
            return PipelineInput(_noted(source, self.inputs, self._called(source)))
        return source if isinstance(source, TaskOutput | FirstOf) else None

    def _called(self, source: Source) -> str:
        match source:
            case PipelineInput(name):
                return name
            case TaskOutput(task, output):
                return f"{task}-{output}".replace("[", "-").replace("]", "").replace(",", "-")
            case FirstOf():
                return "chosen"
        return "known"

    def _slot(self, name: str, source: Source) -> Slot:
        """Return the type of what enters or leaves: of what rounds gave it is a list."""
        tasks = {task.name: task for task in self.pipeline.tasks}
        match source:
            case PipelineInput(given):
                slot = self.pipeline.inputs[given]
            case FirstOf(sources):
                return self._slot(name, sources[0])
            case TaskOutput(task, output):
                slot = tasks[task].component.outputs[output]
                if tasks[task].loops:
                    return (
                        replace(slot, name=name, is_list=True, optional=True)
                        if isinstance(slot, ArtifactSlot)
                        else Parameter(name, "LIST", optional=True)
                    )
            case Known(entry):
                value = entry.value if entry else None
                if artifacts_in(value):
                    return ArtifactSlot(name, "system.Artifact", is_list=isinstance(value, Artifacts), optional=True)
                return Parameter(name, "STRUCT", optional=True)
            case _:
                raise TypeError(f"{source} neither enters nor leaves a segment")
        return replace(slot, name=name, optional=True)


def _tasks_of(source: Source) -> set[str]:
    return {leaf.task for leaf in leaves([source]) if isinstance(leaf, TaskOutput)}


def _noted(source: Source, names: dict[str, Source], wanted: str) -> str:
    """Return the name of a source among others, noted where it is new."""
    known = next((name for name, each in names.items() if each == source), None)
    if known is not None:
        return known
    name, number = wanted, 2
    while name in names:
        name, number = f"{wanted}-{number}", number + 1
    names[name] = source
    return name


def _change(source: Source, change: Change) -> Source:
    """Return a source with what stands for its parts."""
    found = change(source)
    if found is not None:
        return found
    match source:
        case FieldOf(inner):
            return replace(source, source=_change(inner, change))
        case Template(_, channels):
            return replace(source, channels={name: _change(each, change) for name, each in channels.items()})
        case FirstOf(sources) | Collected(sources):
            return replace(source, sources=tuple(_change(each, change) for each in sources))
    return source

"""Flatten a DAG with its groups into tasks and loops.

A group (`dsl.If` and its kin, `dsl.ParallelFor`, `dsl.ExitHandler`, a nested pipeline) vanishes; what held for it
holds for its tasks: they wait for what it waited for and carry its condition. A task after a group waits for all tasks
of the group, tolerates that some of them were skipped by conditions of their own, and is itself skipped where the group
is: it carries the group's condition too. A loop stays as a value of its own, which its tasks name.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from argosy.errors import Mistake
from argosy.spec.components import Group, Step
from argosy.spec.conditions import channel_names, read_expression
from argosy.spec.fitting import collected, kind_of, require_declared, require_items
from argosy.spec.inputs import (
    Given,
    Inputs,
    Output,
    Upstream,
    find_output,
    find_outputs,
    require_complete,
    resolve_inputs,
    with_defaults,
)
from argosy.spec.model import (
    ArtifactSlot,
    Condition,
    Executor,
    FinalStatus,
    Loop,
    LoopItem,
    Parameter,
    PipelineInput,
    RunValue,
    Source,
    Task,
    TaskOutput,
    Template,
)
from argosy.spec.names import component_of, plan_names
from argosy.spec.order import in_order
from argosy.spec.platform import UNKEYED, runtime_sources
from argosy.spec.starts import Prerequisites, producers
from argosy.spec.templates import channels_in, run_values_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from argosy.spec.graphs import Graph, Iterator, LocalTask
    from argosy.spec.model import JsonValue, Retry
    from argosy.spec.signatures import Slots


@dataclass(frozen=True, slots=True)
class Flat:
    """The tasks of a pipeline in topological order, its loops by name, its outputs."""

    tasks: tuple[Task, ...]
    loops: Mapping[str, Loop]
    outputs: Mapping[str, Source]


@dataclass(frozen=True, slots=True)
class Node(Upstream):
    """A flattened task of a DAG; `before` is what it means to come after it."""

    before: Prerequisites


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a task stands: `path` names the groups around it and itself, `loops` those of them that are loops."""

    path: tuple[str, ...]
    given: Given
    prerequisites: Prerequisites
    loops: tuple[str, ...] = ()
    retry: Retry | None = None


@dataclass(frozen=True, slots=True)
class Flattening:
    """The tasks and loops found so far, and what does not change while a pipeline is flattened."""

    components: Mapping[str, Step | Group]
    names: Mapping[tuple[str, ...], str]
    tasks: dict[str, Task] = field(default_factory=dict)
    loops: dict[str, Loop] = field(default_factory=dict)


def flatten(root: Group, components: Mapping[str, Step | Group]) -> Flat:
    """Return the tasks, loops and outputs of a pipeline.

    Raises:
        Mistake: A name leads nowhere, tasks wait for each other, or an input does not fit.
        Unsupported: A placeholder stands for what no target knows.

    """
    plan = Flattening(components, plan_names(root.graph, components))
    given = Given(root.inputs, {name: PipelineInput(name) for name in root.inputs})
    nodes = _flatten_graph(root.graph, Scope((), given, Prerequisites()), plan)
    outputs = _graph_outputs(root, nodes, ())
    require_declared({name: output.slot for name, output in outputs.items()}, root.outputs, root.graph.place)
    waits = {name: {*task.start.after, *_before_loops(task, plan)} for name, task in plan.tasks.items()}
    order = in_order(waits, root.graph.place)
    sources: dict[str, Source] = {name: output.source for name, output in outputs.items()}
    return Flat(tuple(plan.tasks[name] for name in order), plan.loops, sources)


def _before_loops(task: Task, plan: Flattening) -> set[str]:
    return {name for loop in task.loops for name in plan.loops[loop].start.after}


def _flatten_graph(graph: Graph, around: Scope, plan: Flattening) -> dict[str, Node]:
    nodes: dict[str, Node] = {}
    for name in in_order({name: task.after for name, task in graph.tasks.items()}, f"{graph.place}.tasks"):
        task = graph.tasks[name]
        prerequisites = _prerequisites(task, around, nodes)
        retry = task.retry or around.retry
        scope = replace(around, path=(*around.path, name), prerequisites=prerequisites, retry=retry)
        nodes[name] = _flatten_task(task, scope, nodes, plan)
    return nodes


def _prerequisites(task: LocalTask, around: Scope, nodes: Mapping[str, Node]) -> Prerequisites:
    if not task.survives:
        return around.prerequisites.joined(nodes[other].before for other in task.after)
    steps = frozenset().union(*(nodes[other].steps for other in task.after))
    return around.prerequisites.joined([Prerequisites(ended=steps)])


def _flatten_task(task: LocalTask, scope: Scope, nodes: Mapping[str, Node], plan: Flattening) -> Node:
    component = component_of(task, plan.components)
    slots = component.inputs if isinstance(component, Group) else component.component.inputs
    inputs = resolve_inputs(task, slots, scope.given, nodes)
    outer = inner = _with_condition(scope, task, slots, inputs)
    if task.iterator is not None:
        inputs, outer, inner = _enter_loop(task, task.iterator, slots, inputs, scope=outer, plan=plan)
    if isinstance(component, Step):
        flat = _flatten_step(task, component, inner, inputs=inputs, nodes=nodes, plan=plan)
        plan.tasks[flat.name] = flat
        outputs = {key: Output(TaskOutput(flat.name, key), slot) for key, slot in component.component.outputs.items()}
        if task.iterator is None:
            return Node(frozenset({flat.name}), outputs, Prerequisites(hard=frozenset({flat.name})))
        steps = frozenset({flat.name})
    else:
        inner = replace(inner, given=_given(task, inputs, slots))
        within = _flatten_graph(component.graph, inner, plan)
        steps = frozenset().union(*(node.steps for node in within.values()))
        outputs = _graph_outputs(component, within, inner.loops)
    if task.iterator is not None:
        outputs = {key: replace(output, slot=collected(output.slot)) for key, output in outputs.items()}
    if isinstance(component, Group):
        found = {key: output.slot for key, output in outputs.items()}
        require_declared(found, component.outputs, component.graph.place)
    before = replace(outer.prerequisites, ended=frozenset())  # what a group survives, those after it need not
    return Node(steps, outputs, before.joined([Prerequisites(soft=steps)]))


def _given(task: LocalTask, inputs: Inputs, slots: Slots) -> Given:
    """Return what a DAG is given, which is what its component declares."""
    require_complete(inputs, slots, task.place)
    for name in inputs.channels:
        raise Mistake(f"{task.at(name)}: {task.component} has no such input; inputs: {', '.join(slots) or 'none'}")
    return Given(slots, with_defaults(inputs, slots))


def _enter_loop(
    task: LocalTask, iterator: Iterator, slots: Slots, inputs: Inputs, *, scope: Scope, plan: Flattening
) -> tuple[Inputs, Scope, Scope]:
    """Return the inputs of one round, the scope of the loop, and that of its tasks, which wait for nothing outside."""
    name = "/".join(scope.path)
    place = f"{task.place}.{'artifact' if iterator.over_artifacts else 'parameter'}Iterator"
    item = slots.get(iterator.item_input)
    if item is None or isinstance(item, ArtifactSlot) is not iterator.over_artifacts:
        known = ", ".join(slots) or "none"
        raise Mistake(f"{place}.itemInput: {iterator.item_input!r} is no such input of the loop; inputs: {known}")
    items = _items(iterator, inputs, slots, place)
    outer = replace(scope, prerequisites=scope.prerequisites.waiting_for(producers([items])))
    plan.loops[name] = Loop(name, items, item, scope.loops, outer.prerequisites.start(), iterator.limit)
    round_inputs = Inputs({**inputs.declared, iterator.item_input: LoopItem(name)}, inputs.channels)
    inner = Prerequisites(ended=scope.prerequisites.ended)
    return round_inputs, outer, replace(scope, prerequisites=inner, loops=(*scope.loops, name))


def _items(iterator: Iterator, inputs: Inputs, slots: Slots, place: str) -> Source:
    if isinstance(iterator.items, str):
        found = inputs.find(iterator.items, place)
        if iterator.items in slots:
            kind = "inputArtifact" if iterator.over_artifacts else "inputParameter"
            require_items(found, slots[iterator.items], f"{place}.items.{kind}")
        return found
    if channels := channels_in(iterator.items.value, f"{place}.items.raw"):
        raise Mistake(f"{place}.items.raw: holds a placeholder ({channels[0]}); give the list as a value of its own")
    return iterator.items


def _flatten_step(
    task: LocalTask, step: Step, scope: Scope, *, inputs: Inputs, nodes: Mapping[str, Node], plan: Flattening
) -> Task:
    require_complete(inputs, step.component.inputs, task.place)
    channels = _channels(task, step, scope, inputs=inputs, nodes=nodes)
    sources = [*inputs.declared.values(), *inputs.channels.values(), *channels.values()]
    return Task(
        name=plan.names[scope.path],
        component=step.component,
        inputs=inputs.declared,
        start=scope.prerequisites.waiting_for(producers(sources)).start(),
        loops=scope.loops,
        retry=scope.retry,
        timeout_s=step.timeout_s,
        cache=task.cache and UNKEYED.isdisjoint(step.platform) and not _differs_by_run(task, step, inputs),
        cache_salt=task.cache_salt,
        platform=step.platform,
        channels=channels,
    )


def _channels(
    task: LocalTask, step: Step, scope: Scope, *, inputs: Inputs, nodes: Mapping[str, Node]
) -> dict[str, Source]:
    """Return what placeholders in image, environment and platform stand for."""
    place = f"{task.place}: image, env or platform"
    found = {name: inputs.find(name, place) for name in channels_in(_templated(step), place)}
    for local in runtime_sources(dict(step.platform)):
        if isinstance(local, TaskOutput):
            found[f"{local.task}.{local.output}"] = find_output(local, nodes, place).source
        elif local.name in scope.given.sources:
            found[local.name] = scope.given.sources[local.name]
    return found


def _templated(step: Step) -> list[JsonValue]:
    executor = step.component.executor
    texts: list[JsonValue] = [dict(step.platform)]
    return [*texts, executor.image, *executor.env.values()] if isinstance(executor, Executor) else texts


def _differs_by_run(task: LocalTask, step: Step, inputs: Inputs) -> bool:
    """Say whether a step is told what differs from run to run, so that no earlier result can stand for it."""
    executor = step.component.executor
    argv = (*executor.command, *executor.args) if isinstance(executor, Executor) and executor.source is None else ()
    own = run_values_in(argv, f"{task.place}: command") or "{{$.pipeline" in str(_templated(step))
    return bool(own) or any(_is_of_the_run(source) for source in inputs.declared.values())


def _is_of_the_run(source: Source) -> bool:
    if isinstance(source, Template):
        return any(_is_of_the_run(channel) for channel in source.channels.values())
    return isinstance(source, RunValue | FinalStatus)


def _with_condition(scope: Scope, task: LocalTask, slots: Slots, inputs: Inputs) -> Scope:
    if task.condition is None:
        return scope
    place = f"{task.place}.triggerPolicy.condition"
    types = {name: slot.type for name, slot in slots.items() if isinstance(slot, Parameter)}
    expression = read_expression(task.condition, types, place)
    given = Inputs(with_defaults(inputs, slots), inputs.channels)
    channels = {name: given.find(name, place) for name in channel_names(expression)}
    own = Prerequisites(conditions=(Condition(task.condition, expression, channels),))
    joined = scope.prerequisites.joined([own]).waiting_for(producers(channels.values()))
    return replace(scope, prerequisites=joined)


def _graph_outputs(group: Group, nodes: Mapping[str, Node], loops: tuple[str, ...]) -> dict[str, Output]:
    found = {}
    for name, source in group.graph.outputs.items():
        place = f"{group.graph.place}.outputs.{kind_of(group.outputs[name])}.{name}"
        found[name] = find_outputs(source, nodes, place, loops)
    return found

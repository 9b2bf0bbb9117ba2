"""Flatten a DAG with its groups (`dsl.If`, `dsl.Elif`, `dsl.Else`) into tasks.

A group vanishes; what held for it holds for its tasks: they wait for what it waited for and carry its
condition. A task after a group waits for all tasks of the group, tolerates that some of them were skipped by
conditions of their own, and is itself skipped where the group is: it carries the group's condition too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from argosy.spec.components import Group, Step
from argosy.spec.conditions import channel_names, read_expression
from argosy.spec.inputs import (
    Given,
    Inputs,
    Output,
    find_output,
    require_complete,
    resolve_inputs,
    with_defaults,
)
from argosy.spec.model import Condition, Parameter, PipelineInput, Source, Task, TaskOutput, Template
from argosy.spec.names import component_of, plan_names
from argosy.spec.order import in_order
from argosy.spec.templates import channels_in
from argosy.spec.unsupported import refuse

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from argosy.spec.graphs import Graph, LocalTask
    from argosy.spec.signatures import Slots


@dataclass(frozen=True, slots=True)
class Prerequisites:
    """What comes before a task: `hard` must have run, `soft` may have been skipped."""

    hard: frozenset[str] = frozenset()
    soft: frozenset[str] = frozenset()
    conditions: tuple[Condition, ...] = ()

    def joined(self, others: Iterable[Prerequisites]) -> Prerequisites:
        """Return these and all others together."""
        every = [self, *others]
        conditions: list[Condition] = []
        for one in every:
            conditions += [condition for condition in one.conditions if condition not in conditions]
        return Prerequisites(
            hard=frozenset().union(*(one.hard for one in every)),
            soft=frozenset().union(*(one.soft for one in every)),
            conditions=tuple(conditions),
        )


@dataclass(frozen=True, slots=True)
class Node:
    """A flattened task of a DAG; `before` is what it means to come after it."""

    steps: frozenset[str]
    before: Prerequisites
    outputs: Mapping[str, Output]


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a DAG stands; `path` names its groups from the outside in."""

    path: tuple[str, ...]
    given: Given
    prerequisites: Prerequisites


@dataclass(frozen=True, slots=True)
class Flattening:
    """The tasks found so far, and what does not change while a pipeline is flattened."""

    components: Mapping[str, Step | Group]
    names: Mapping[tuple[str, ...], str]
    tasks: list[Task] = field(default_factory=list)


def flatten(root: Group, components: Mapping[str, Step | Group]) -> tuple[tuple[Task, ...], dict[str, TaskOutput]]:
    """Return the tasks of a pipeline in topological order, and its outputs.

    Raises:
        Mistake: A name leads nowhere, tasks wait for each other, or an input does not fit.
        Unsupported: A group is not one of conditions.

    """
    plan = Flattening(components, plan_names(root.graph, components))
    given = Given(root.inputs, {name: PipelineInput(name) for name in root.inputs})
    nodes = _flatten_graph(root.graph, Scope((), given, Prerequisites()), plan)
    outputs = {name: output.source for name, output in _graph_outputs(root.graph, nodes).items()}
    tasks = {task.name: task for task in plan.tasks}
    order = in_order({name: task.after for name, task in tasks.items()}, root.graph.place)
    return tuple(tasks[name] for name in order), outputs


def _flatten_graph(graph: Graph, scope: Scope, plan: Flattening) -> dict[str, Node]:
    nodes: dict[str, Node] = {}
    outputs: dict[str, Mapping[str, Output]] = {}
    for name in in_order({name: task.after for name, task in graph.tasks.items()}, f"{graph.place}.tasks"):
        task = graph.tasks[name]
        component = component_of(task, plan.components)
        slots = component.inputs if isinstance(component, Group) else component.component.inputs
        inputs = resolve_inputs(task, slots, scope.given, outputs=outputs)
        before = scope.prerequisites.joined(nodes[other].before for other in task.after)
        inner = Scope((*scope.path, name), Given(slots, with_defaults(inputs, slots)), before)
        inner = _with_condition(inner, task, slots, inputs)
        if isinstance(component, Group):
            nodes[name] = _flatten_group(task, component, inner, plan)
        else:
            nodes[name] = _flatten_step(task, component, inner, inputs=inputs, plan=plan)
        outputs[name] = nodes[name].outputs
    return nodes


def _flatten_step(task: LocalTask, step: Step, scope: Scope, *, inputs: Inputs, plan: Flattening) -> Node:
    require_complete(inputs, step.component.inputs, task.place)
    name = plan.names[scope.path]
    needs = scope.prerequisites
    hard = needs.hard.union(_producers([*inputs.declared.values(), *inputs.channels.values()]))
    asked = channels_in(dict(step.platform), f"{task.place}: resources")
    flat = Task(
        name=name,
        component=step.component,
        inputs=inputs.declared,
        after=tuple(sorted(hard | needs.soft)),
        tolerates=tuple(sorted(needs.soft - hard)),
        conditions=needs.conditions,
        retry=task.retry,
        timeout_s=step.timeout_s,
        cache=task.cache,
        cache_salt=task.cache_salt,
        platform=step.platform,
        channels={channel: inputs.find(channel, task.place) for channel in asked},
    )
    plan.tasks.append(flat)
    outputs = {key: Output(TaskOutput(name, key), slot) for key, slot in step.component.outputs.items()}
    return Node(frozenset({name}), Prerequisites(hard=frozenset({name})), outputs)


def _flatten_group(task: LocalTask, group: Group, scope: Scope, plan: Flattening) -> Node:
    if task.condition is None and not all(inner.condition for inner in group.graph.tasks.values()):
        refuse(f"{task.place}.componentRef.name", "nested pipeline", task.component)
    if task.retry is not None:
        refuse(f"{task.place}.retryPolicy", "retry of a group")
    nodes = _flatten_graph(group.graph, scope, plan)
    steps = frozenset().union(*(node.steps for node in nodes.values()))
    before = scope.prerequisites.joined([Prerequisites(soft=steps)])
    return Node(steps, before, _graph_outputs(group.graph, nodes))


def _with_condition(scope: Scope, task: LocalTask, slots: Slots, inputs: Inputs) -> Scope:
    if task.condition is None:
        return scope
    place = f"{task.place}.triggerPolicy.condition"
    types = {name: slot.type for name, slot in slots.items() if isinstance(slot, Parameter)}
    expression = read_expression(task.condition, types, place)
    given = Inputs(dict(scope.given.sources), inputs.channels)
    channels = {name: given.find(name, place) for name in channel_names(expression)}
    own = Prerequisites(_producers(channels.values()), conditions=(Condition(task.condition, expression, channels),))
    return Scope(scope.path, scope.given, scope.prerequisites.joined([own]))


def _graph_outputs(graph: Graph, nodes: Mapping[str, Node]) -> dict[str, Output]:
    outputs = {name: node.outputs for name, node in nodes.items()}
    return {
        name: find_output(source, outputs, f"{graph.place}.outputs.{name}") for name, source in graph.outputs.items()
    }


def _producers(sources: Iterable[Source]) -> frozenset[str]:
    found: set[str] = set()
    for source in sources:
        if isinstance(source, TaskOutput):
            found.add(source.task)
        elif isinstance(source, Template):
            found |= _producers(source.channels.values())
    return frozenset(found)

"""Read the components of a spec: a signature, and either a container or a DAG."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from argosy.errors import Mistake
from argosy.spec.declaration import require_known_names
from argosy.spec.executors import ReadExecutor, read_executor
from argosy.spec.fields import did_you_mean
from argosy.spec.graphs import Graph, read_graph
from argosy.spec.model import Component
from argosy.spec.platform import ExecutorPlatform, Platform
from argosy.spec.signatures import Slots, read_inputs, read_outputs
from argosy.spec.unsupported import refuse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from argosy.spec.fields import Fields
    from argosy.spec.model import JsonValue


@dataclass(frozen=True, slots=True)
class Step:
    """A component that a container runs, or that imports."""

    component: Component
    timeout_s: float | None
    platform: dict[str, JsonValue]


@dataclass(frozen=True, slots=True)
class Group:
    """A component that is a DAG of its own."""

    inputs: Slots
    outputs: Slots
    graph: Graph


def read_executors(fields: Fields) -> dict[str, ReadExecutor]:
    """Read `deploymentSpec`."""
    return {label: read_executor(entry) for label, entry in fields.entries("executors")}


def read_components(
    fields: Fields, executors: Mapping[str, ReadExecutor], platform: Platform
) -> dict[str, Step | Group]:
    """Read `components` of the whole spec, which `fields` is."""
    for label in platform.executors:
        if label not in executors:
            raise Mistake(
                f"platforms.kubernetes.deploymentSpec.executors.{label}: no such executor"
                f"{did_you_mean(label, list(executors))}"
            )
    return {name: _read_component(name, entry, executors, platform) for name, entry in fields.entries("components")}


def read_group(fields: Fields) -> Group:
    """Read a component that has a `dag`."""
    group = Group(read_inputs(fields), read_outputs(fields), read_graph(fields.object("dag")))
    for name in sorted(set(group.outputs).symmetric_difference(group.graph.outputs)):
        raise Mistake(f"{fields.place}: output {name!r} needs a place in outputDefinitions and in dag.outputs, got one")
    return group


def _read_component(
    name: str, fields: Fields, executors: Mapping[str, ReadExecutor], platform: Platform
) -> Step | Group:
    if "singlePlatformSpecs" in fields:
        refuse(fields.at("singlePlatformSpecs"), "platform part of a component")
    if "taskConfigPassthroughs" in fields:
        refuse(fields.at("taskConfigPassthroughs"), "task config passthrough")
    if "dag" in fields:
        return read_group(fields)
    label = fields.text("executorLabel")
    if label not in executors:
        hint = did_you_mean(label, list(executors))
        raise Mistake(f"{fields.at('executorLabel')}: {label!r} is not among deploymentSpec.executors{hint}")
    return _step(name, fields, executors[label], platform.executors.get(label, ExecutorPlatform()))


def _step(name: str, fields: Fields, read: ReadExecutor, placed: ExecutorPlatform) -> Step:
    inputs, outputs = read_inputs(fields), read_outputs(fields)
    require_known_names(read.declaration, inputs, outputs, place=f"{read.place}.env")
    kept: dict[str, JsonValue] = dict(placed.kept)
    if read.resources:
        kept["resources"] = read.resources
    component = Component(name, inputs, outputs, read.executor, read.declaration)
    return Step(component, placed.timeout_s, kept)

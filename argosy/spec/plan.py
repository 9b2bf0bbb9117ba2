"""What each task of a pipeline comes to, given how the tasks before it ended.

The same rules serve `argosy plan`, the local runner and the planner in front of a cluster.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from argosy.errors import Mistake, Unsupported
from argosy.launcher.step import Input, OutputSlot, Step
from argosy.spec.conditions import evaluate
from argosy.spec.model import ABSENT, ArtifactSlot, Constant, PipelineInput, Task, TaskOutput, Template
from argosy.spec.templates import render_template

if TYPE_CHECKING:
    from collections.abc import Mapping

    from argosy.launcher.step import Outcome
    from argosy.spec.model import JsonValue, Source


@dataclass(frozen=True)
class Readiness:
    """Whether a task whose upstream tasks have ended may start; `skip` says why not, else it is empty."""

    skip: str = ""


def readiness(task: Task, arguments: Mapping[str, JsonValue], outcomes: Mapping[str, Outcome]) -> Readiness:
    """Say what becomes of a task: a failed, skipped or refused task stops only what depends on it."""
    for name in task.after:
        status = outcomes[name].status
        if status == "failed" or (status == "skipped" and name not in task.tolerates):
            return Readiness(f"{name} {'failed' if status == 'failed' else 'was skipped'}")
    for condition in task.conditions:
        values = {name: resolve(source, arguments, outcomes).value for name, source in condition.channels.items()}
        if not evaluate(condition, values):
            return Readiness("its condition does not hold")
    return Readiness()


def build_step(task: Task, arguments: Mapping[str, JsonValue], outcomes: Mapping[str, Outcome]) -> Step:
    """Resolve a ready task into a step.

    Raises:
        Unsupported: The component is no lightweight Python component.

    """
    component, executor, declared = task.component, task.component.executor, task.component.declaration
    if executor.source is None or executor.function is None:
        raise Unsupported(
            f"tasks.{task.name}: a container component (image {executor.image}); this machine runs lightweight "
            "Python components; write it with @dsl.component"
        )
    inputs = {
        name: resolve(source, arguments, outcomes)
        for name, source in task.inputs.items()
        # An optional parameter of the pipeline that nobody gave is not given to the step either.
        if not (isinstance(source, PipelineInput) and source.name not in arguments)
    }
    for name, slot in component.inputs.items():
        if name not in inputs and not isinstance(slot, ArtifactSlot) and slot.default is not ABSENT:
            inputs[name] = Input(slot.default, slot.default)
    return Step(
        name=task.name,
        source=executor.source,
        function=executor.function,
        kind=declared.kind,
        env=executor.env,
        reads=declared.reads,
        declared_env=declared.env,
        measurements=frozenset(declared.measurements),
        natural_key=declared.key,
        inputs=inputs,
        outputs={name: _output_slot(slot) for name, slot in component.outputs.items()},
        cache=task.cache,
        salt=task.cache_salt,
        timeout_s=task.timeout_s,
    )


def resolve(source: Source, arguments: Mapping[str, JsonValue], outcomes: Mapping[str, Outcome]) -> Input:
    """Return what a source stands for, with the identity that it has in keys."""
    match source:
        case Constant(value):
            return Input(value, value)
        case PipelineInput(name):
            return Input(arguments[name], arguments[name])
        case TaskOutput(task, output):
            return _task_output(task, output, outcomes)
        case Template(value, channels):
            found = {name: resolve(channel, arguments, outcomes) for name, channel in channels.items()}
            rendered = render_template(source, {name: entry.value for name, entry in found.items()})
            measured = any(entry.measured for entry in found.values())
            identity: Any = [value, {name: entry.identity for name, entry in found.items()}] if measured else rendered
            return Input(rendered, identity, measured)


def _task_output(task: str, output: str, outcomes: Mapping[str, Outcome]) -> Input:
    outcome = outcomes[task]
    if output not in outcome.outputs:
        raise Mistake(f"tasks.{task}: it gave no output {output!r}; it gave {', '.join(outcome.outputs) or 'none'}")
    return outcome.outputs[output].as_input(outcome.key, output)


def _output_slot(slot: Any) -> OutputSlot:
    if isinstance(slot, ArtifactSlot):
        return OutputSlot(slot.schema_title, is_artifact=True)
    return OutputSlot(slot.type, is_artifact=False)

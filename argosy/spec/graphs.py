"""Read the DAGs of a spec as they stand: names are local, nothing is resolved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from argosy.errors import Mistake
from argosy.spec.model import Absent, Constant, PipelineInput, Retry, TaskOutput
from argosy.spec.unsupported import refuse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from argosy.spec.fields import Fields

LocalSource = Constant | PipelineInput | TaskOutput
STRATEGIES: Final = ("", "TRIGGER_STRATEGY_UNSPECIFIED", "ALL_UPSTREAM_TASKS_SUCCEEDED")


@dataclass(frozen=True, slots=True)
class LocalTask:
    """A task of a DAG; `PipelineInput` means an input of the component around it."""

    name: str
    place: str
    component: str
    inputs: Mapping[str, LocalSource]
    artifacts: frozenset[str]
    """Which of the inputs are given as artifacts."""
    after: tuple[str, ...]
    """Every task of the same DAG that this one waits for, sorted."""
    condition: str | None
    retry: Retry | None
    cache: bool
    cache_salt: str

    def at(self, name: str) -> str:
        """Return the place of an input."""
        return f"{self.place}.inputs.{'artifacts' if name in self.artifacts else 'parameters'}.{name}"


@dataclass(frozen=True, slots=True)
class Graph:
    """A DAG: its tasks by name, and which task's output each of its own outputs is."""

    place: str
    tasks: Mapping[str, LocalTask]
    outputs: Mapping[str, TaskOutput]


def read_graph(fields: Fields) -> Graph:
    """Read the `dag` of a component."""
    tasks = {name: _read_task(name, entry) for name, entry in fields.entries("tasks")}
    if not tasks:
        raise Mistake(f"{fields.at('tasks')}: no tasks; a pipeline needs at least one")
    graph = Graph(fields.place, tasks, _read_outputs(fields.object("outputs")))
    for task in tasks.values():
        for name in task.after:
            if name not in tasks:
                raise Mistake(f"{task.place}: waits for {name!r}, which is not a task of this DAG")
    return graph


def _read_task(name: str, fields: Fields) -> LocalTask:
    _refuse_iterators(fields)
    inputs, artifacts = _read_inputs(fields.object("inputs"))
    after = {source.task for source in inputs.values() if isinstance(source, TaskOutput)}
    caching = fields.object("cachingOptions")
    fields.object("taskInfo").text("name", default="")
    return LocalTask(
        name=name,
        place=fields.place,
        component=fields.object("componentRef").text("name"),
        inputs=inputs,
        artifacts=artifacts,
        after=tuple(sorted(after.union(fields.texts("dependentTasks")))),
        condition=_read_condition(fields.object("triggerPolicy")),
        retry=_read_retry(fields.object("retryPolicy")),
        cache=caching.flag("enableCache"),
        cache_salt=caching.text("cacheKey", default=""),
    )


def _refuse_iterators(fields: Fields) -> None:
    if "parameterIterator" in fields:
        refuse(fields.at("parameterIterator"), "loop over parameters")
    if "artifactIterator" in fields:
        refuse(fields.at("artifactIterator"), "loop over artifacts")


def _read_inputs(fields: Fields) -> tuple[dict[str, LocalSource], frozenset[str]]:
    parameters = {name: _read_parameter_source(entry) for name, entry in fields.entries("parameters")}
    artifacts = {name: _read_artifact_source(entry) for name, entry in fields.entries("artifacts")}
    for name in artifacts:
        if name in parameters:
            raise Mistake(f"{fields.at('artifacts')}.{name}: {name!r} is given as a parameter too; give it once")
    return {**parameters, **artifacts}, frozenset(artifacts)


def _read_parameter_source(fields: Fields) -> LocalSource:
    if "parameterExpressionSelector" in fields:
        refuse(fields.at("parameterExpressionSelector"), "expression on a loop item")
    if "taskFinalStatus" in fields:
        refuse(fields.at("taskFinalStatus"), "final status input")
    if "componentInputParameter" in fields:
        return PipelineInput(fields.text("componentInputParameter"))
    if "taskOutputParameter" in fields:
        output = fields.object("taskOutputParameter")
        return TaskOutput(output.text("producerTask"), output.text("outputParameterKey"))
    return _read_constant(fields.object("runtimeValue"), fields.place)


def _read_constant(fields: Fields, place: str) -> Constant:
    value = fields.json("constant")
    if isinstance(value, Absent):
        raise Mistake(
            f"{place}: no source; allowed: runtimeValue.constant, componentInputParameter, taskOutputParameter"
        )
    return Constant(value)


def _read_artifact_source(fields: Fields) -> LocalSource:
    if "componentInputArtifact" in fields:
        return PipelineInput(fields.text("componentInputArtifact"))
    if "taskOutputArtifact" not in fields:
        raise Mistake(f"{fields.place}: no source; allowed: componentInputArtifact, taskOutputArtifact")
    output = fields.object("taskOutputArtifact")
    return TaskOutput(output.text("producerTask"), output.text("outputArtifactKey"))


def _read_condition(fields: Fields) -> str | None:
    strategy = fields.text("strategy", default="")
    if strategy == "ALL_UPSTREAM_TASKS_COMPLETED":
        refuse(fields.at("strategy"), "exit handler", strategy)
    if strategy not in STRATEGIES:
        raise Mistake(f"{fields.at('strategy')}: got {strategy!r}; allowed: {', '.join(STRATEGIES[1:])}")
    return fields.text("condition", default="") or None


def _read_retry(fields: Fields) -> Retry | None:
    retry = Retry(
        max_count=int(fields.number("maxRetryCount", default=0)),
        backoff_s=_read_seconds(fields, "backoffDuration", "0s"),
        factor=fields.number("backoffFactor", default=2.0),
        max_backoff_s=_read_seconds(fields, "backoffMaxDuration", "3600s"),
    )
    return retry if retry.max_count > 0 else None


def _read_seconds(fields: Fields, key: str, default: str) -> float:
    text = fields.text(key, default=default)
    try:
        return float(text.removesuffix("s"))
    except ValueError as error:
        raise Mistake(f"{fields.at(key)}: got {text!r}; seconds such as '30s' are needed here") from error


def _read_outputs(fields: Fields) -> dict[str, TaskOutput]:
    outputs = {name: _read_parameter_output(entry) for name, entry in fields.entries("parameters")}
    for name, entry in fields.entries("artifacts"):
        selectors = entry.objects("artifactSelectors")
        if len(selectors) != 1:
            refuse(entry.at("artifactSelectors"), "OneOf")
        outputs[name] = TaskOutput(selectors[0].text("producerSubtask"), selectors[0].text("outputArtifactKey"))
    return outputs


def _read_parameter_output(fields: Fields) -> TaskOutput:
    if "valueFromOneof" in fields:
        refuse(fields.at("valueFromOneof"), "OneOf")
    selector = fields.object("valueFromParameter")
    return TaskOutput(selector.text("producerSubtask"), selector.text("outputParameterKey"))

"""Read the DAGs of a spec as they stand: names are local, nothing is resolved."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from argosy.errors import Mistake
from argosy.spec.fields import shorten
from argosy.spec.model import Absent, Constant, FieldOf, FinalStatus, FirstOf, PipelineInput, Retry, TaskOutput
from argosy.spec.values import require_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from argosy.spec.fields import Fields
    from argosy.spec.model import JsonValue

LocalSource: TypeAlias = Constant | PipelineInput | TaskOutput | FieldOf | FinalStatus
ANY_END: Final = "ALL_UPSTREAM_TASKS_COMPLETED"
STRATEGIES: Final = ("", "TRIGGER_STRATEGY_UNSPECIFIED", "ALL_UPSTREAM_TASKS_SUCCEEDED", ANY_END)
FIELD: Final = re.compile(r"""parseJson\(string_value\)\[(['"])(?P<name>.+)\1\]""")


@dataclass(frozen=True, slots=True)
class Iterator:
    """A task that runs once for each item: the items are an input of the task, or stand here."""

    item_input: str
    items: str | Constant
    over_artifacts: bool
    limit: int | None


@dataclass(frozen=True, slots=True)
class LocalTask:
    """A task of a DAG; `PipelineInput` means an input of the component around it.

    Names in a `FinalStatus` are those of this DAG too.
    """

    name: str
    place: str
    component: str
    inputs: Mapping[str, LocalSource]
    artifacts: frozenset[str]
    """Which of the inputs are given as artifacts."""
    after: tuple[str, ...]
    """Every task of the same DAG that this one waits for, sorted."""
    condition: str | None
    survives: bool
    """Whether it starts however the tasks before it ended."""
    iterator: Iterator | None
    retry: Retry | None
    cache: bool
    cache_salt: str

    def at(self, name: str) -> str:
        """Return the place of an input."""
        return f"{self.place}.inputs.{'artifacts' if name in self.artifacts else 'parameters'}.{name}"


@dataclass(frozen=True, slots=True)
class Graph:
    """A DAG: its tasks by name, and which task's output each of its own outputs is, or the first of which."""

    place: str
    tasks: Mapping[str, LocalTask]
    outputs: Mapping[str, TaskOutput | FirstOf]


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
    inputs, artifacts = _read_inputs(fields.object("inputs"))
    after = {task for source in inputs.values() for task in _tasks_of(source)}
    trigger = fields.object("triggerPolicy")
    caching = fields.object("cachingOptions")
    fields.object("taskInfo").text("name", default="")
    return LocalTask(
        name=name,
        place=fields.place,
        component=fields.object("componentRef").text("name"),
        inputs=inputs,
        artifacts=artifacts,
        after=tuple(sorted(after.union(fields.texts("dependentTasks")))),
        condition=trigger.text("condition", default="") or None,
        survives=_read_strategy(trigger) == ANY_END,
        iterator=_read_iterator(fields, inputs),
        retry=_read_retry(fields.object("retryPolicy")),
        cache=caching.flag("enableCache"),
        cache_salt=caching.text("cacheKey", default=""),
    )


def _tasks_of(source: LocalSource) -> tuple[str, ...]:
    match source:
        case TaskOutput(task):
            return (task,)
        case FinalStatus(_, tasks):
            return tasks
        case FieldOf(inner):
            return _tasks_of(inner)  # type: ignore[arg-type]  # a local source holds local ones
    return ()


def _read_iterator(fields: Fields, inputs: Mapping[str, LocalSource]) -> Iterator | None:
    found = [key for key in ("parameterIterator", "artifactIterator") if key in fields]
    if len(found) > 1:
        raise Mistake(f"{fields.place}: both parameterIterator and artifactIterator; a loop has one list of items")
    limit = int(fields.object("iteratorPolicy").number("parallelismLimit", default=0))
    if not found:
        return None
    iterator = fields.object(found[0])
    over_artifacts = found[0] == "artifactIterator"
    items = iterator.object("items")
    source = _read_items(items, "inputArtifact" if over_artifacts else "inputParameter", inputs)
    return Iterator(iterator.text("itemInput"), source, over_artifacts, limit if limit > 0 else None)


def _read_items(fields: Fields, key: str, inputs: Mapping[str, LocalSource]) -> str | Constant:
    if key == "inputParameter" and "raw" in fields:
        return Constant(_json_list(fields.text("raw"), fields.at("raw")))
    name = fields.text(key)
    if name not in inputs:
        raise Mistake(f"{fields.at(key)}: {name!r} is not an input of the task; inputs: {', '.join(inputs) or 'none'}")
    return name


def _json_list(text: str, place: str) -> list[JsonValue]:
    try:
        items = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Mistake(f"{place}: got {shorten(text)}; a list in JSON is needed here") from error
    if not isinstance(items, list):
        raise Mistake(f"{place}: got {shorten(items)}; a list in JSON is needed here")
    require_json(items, place)
    return items


def _read_inputs(fields: Fields) -> tuple[dict[str, LocalSource], frozenset[str]]:
    parameters = {name: _read_parameter_source(entry) for name, entry in fields.entries("parameters")}
    artifacts = {name: _read_artifact_source(entry) for name, entry in fields.entries("artifacts")}
    for name in artifacts:
        if name in parameters:
            raise Mistake(f"{fields.at('artifacts')}.{name}: {name!r} is given as a parameter too; give it once")
    return {**parameters, **artifacts}, frozenset(artifacts)


def _read_parameter_source(fields: Fields) -> LocalSource:
    selector = fields.text("parameterExpressionSelector", default="")
    source = _read_whole_source(fields)
    if not selector:
        return source
    match = FIELD.fullmatch(selector)
    if match is None:
        place = fields.at("parameterExpressionSelector")
        raise Mistake(f'{place}: got {selector!r}; only parseJson(string_value)["name"] is read here')
    return FieldOf(source, match["name"])


def _read_whole_source(fields: Fields) -> LocalSource:
    if "taskFinalStatus" in fields:
        producer = fields.object("taskFinalStatus").text("producerTask")
        return FinalStatus(producer, (producer,))
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
            f"{place}: no source; allowed: runtimeValue.constant, componentInputParameter, taskOutputParameter, "
            "taskFinalStatus"
        )
    require_json(value, f"{place}.runtimeValue.constant")
    return Constant(value)


def _read_artifact_source(fields: Fields) -> LocalSource:
    if "componentInputArtifact" in fields:
        return PipelineInput(fields.text("componentInputArtifact"))
    if "taskOutputArtifact" not in fields:
        raise Mistake(f"{fields.place}: no source; allowed: componentInputArtifact, taskOutputArtifact")
    output = fields.object("taskOutputArtifact")
    return TaskOutput(output.text("producerTask"), output.text("outputArtifactKey"))


def _read_strategy(fields: Fields) -> str:
    strategy = fields.text("strategy", default="")
    if strategy not in STRATEGIES:
        raise Mistake(f"{fields.at('strategy')}: got {strategy!r}; allowed: {', '.join(STRATEGIES[1:])}")
    return strategy


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


def _read_outputs(fields: Fields) -> dict[str, TaskOutput | FirstOf]:
    outputs: dict[str, TaskOutput | FirstOf] = {}
    for name, entry in fields.entries("parameters"):
        if "valueFromOneof" in entry:
            among = entry.object("valueFromOneof")
            outputs[name] = _selected(among, "parameterSelectors", "outputParameterKey")
        else:
            outputs[name] = _output(entry.object("valueFromParameter"), "outputParameterKey")
    for name, entry in fields.entries("artifacts"):
        outputs[name] = _selected(entry, "artifactSelectors", "outputArtifactKey")
    return outputs


def _selected(fields: Fields, key: str, output_key: str) -> TaskOutput | FirstOf:
    found = [_output(selector, output_key) for selector in fields.objects(key)]
    if not found:
        raise Mistake(f"{fields.at(key)}: empty; an output of a task is needed here")
    return found[0] if len(found) == 1 else FirstOf(tuple(found))


def _output(selector: Fields, output_key: str) -> TaskOutput:
    return TaskOutput(selector.text("producerSubtask"), selector.text(output_key))

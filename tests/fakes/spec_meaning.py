"""What a PipelineSpec means, straight from its JSON: a second opinion on plans and their unrolling.

A DAG is run task by task; a group is one call that runs its own DAG. Nothing here is flattened or resolved ahead, and
nothing of the project's own reading is used.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.spec_values import ABSENT, MISSING, Nothing, Wrong, field_of, fitted, holds, parsed, text_of, whole

Path = tuple[str, ...]
Index = tuple[int, ...]
Object = dict[str, Any]


@dataclass
class Ended:
    """How a task ended, and its outputs."""

    status: str
    outputs: Object = field(default_factory=dict)


def computed(spec: Object, component: Object, given: Object) -> Object:
    """Return the outputs of a step, which depend on nothing but its component and what it was given.

    Raises:
        Wrong: The image says that the step fails.

    """
    label = component["executorLabel"]
    image = spec["deploymentSpec"]["executors"][label]["container"]["image"]
    seed = hashlib.sha256(json.dumps([label, given], sort_keys=True).encode()).hexdigest()
    if image == "fails" or (image == "flaky" and int(seed, 16) % 3 == 0):
        raise Wrong("it fails")
    types = {name: slot.get("parameterType", "") for name, slot in _slots(component, "outputDefinitions").items()}
    return {name: _made(type_, hashlib.sha256(f"{seed} {name}".encode()).hexdigest()) for name, type_ in types.items()}


def _made(type_: str, digest: str) -> Any:
    number = int(digest, 16)
    values = {
        "NUMBER_INTEGER": number % 4,
        "NUMBER_DOUBLE": number % 8 / 4,
        "STRING": ("yes", "", 'it\'s "☃"', "{{", '{"a": 3}')[number % 5],
        "BOOLEAN": number % 2 == 0,
        "LIST": [0, {"a": 1}, "two"][: number % 4],
        "STRUCT": {"a": number % 3, "b": ["x"]},
    }
    return values.get(type_, f"sha256:{digest}")


@dataclass
class Meaning:
    """A run of a spec.

    Attributes:
        statuses: How each step ended, by its path and the rounds of the loops around it.
        given: What each step that ran was given.
        order: Pairs of paths under rounds that they share: the first has to end before the second begins.
        paths: The paths of all steps.

    """

    spec: Object
    job: str = "job"
    statuses: dict[tuple[Path, Index], str] = field(default_factory=dict)
    given: dict[tuple[Path, Index], Object] = field(default_factory=dict)
    order: set[tuple[Path, Path, Index]] = field(default_factory=set)
    outputs: Object = field(default_factory=dict)

    def __post_init__(self) -> None:
        root = self.spec["root"]
        slots = root.get("inputDefinitions", {}).get("parameters", {})
        inputs = {name: fitted(slot["defaultValue"], slot) for name, slot in slots.items()}
        self.paths = list(self._paths(root, ()))
        self.outputs = self._dag(root, inputs, (), (), doomed=False).outputs

    def told(self) -> Any:
        """Return all that a plan has to agree with, by the plan's names."""
        names = {path: self.name(path) for path in self.paths}
        retries = {name: self.retries(path) for path, name in names.items()}
        statuses = {(names[path], index): status for (path, index), status in self.statuses.items()}
        given = {(names[path], index): repr(sorted(given.items())) for (path, index), given in self.given.items()}
        return retries, statuses, given, self.outputs

    def name(self, path: Path) -> str:
        """Return the plan's name of a step: its own, with the names of groups in front where that is not enough."""
        for length in (1, 2):
            if sum(other[-length:] == path[-length:] for other in self.paths) == 1 or len(path) == length:
                return "-".join(path[-length:])
        return "-".join(path)

    def retries(self, path: Path) -> int:
        """Return how often a step is repeated: as its own task says, or the nearest group around it."""
        component, found = self.spec["root"], 0
        for name in path:
            task = component["dag"]["tasks"][name]
            found = task.get("retryPolicy", {}).get("maxRetryCount") or found
            component = self._component(task)
        return found

    def _component(self, task: Object) -> Object:
        return self.spec["components"][task["componentRef"]["name"]]

    def _paths(self, component: Object, path: Path) -> Any:
        for name, task in component["dag"]["tasks"].items():
            inner = self._component(task)
            yield from self._paths(inner, (*path, name)) if "dag" in inner else [(*path, name)]

    def _dag(self, component: Object, inputs: Object, path: Path, index: Index, *, doomed: bool) -> Ended:
        ended: dict[str, Ended] = {}
        tasks = component["dag"]["tasks"]
        while len(ended) < len(tasks):
            name = next(name for name in tasks if name not in ended and ended.keys() >= _upstream(tasks[name]))
            self.order |= {((*path, other), (*path, name), index) for other in _upstream(tasks[name])}
            ended[name] = self._task(tasks[name], ended, inputs, (*path, name), index, doomed)
        outputs = component["dag"].get("outputs", {})
        found = {name: _selected(each, ended) for each in outputs.values() for name, each in each.items()}
        return Ended("failed" if any(each.status == "failed" for each in ended.values()) else "ended", found)

    def _task(
        self,
        task: Object,
        before: dict[str, Ended],
        around: Object,
        path: Path,
        index: Index,
        doomed: bool,
    ) -> Ended:
        component = self._component(task)
        survives = task.get("triggerPolicy", {}).get("strategy") == "ALL_UPSTREAM_TASKS_COMPLETED"
        if not survives and any(before[name].status != "ended" for name in _upstream(task)):
            return self._all(component, path, index, "skipped")
        given, wrong = self._given(task, before, around, survives)
        iterator = task.get("parameterIterator") or task.get("artifactIterator")
        try:
            given = self._rendered(task, given)
            if (condition := task.get("triggerPolicy", {}).get("condition")) and not doomed:
                asked = [given[name] for name in re.findall(r"parameter_values\['(.+?)'\]", condition)]
                if MISSING in asked or not holds(condition, given):
                    return self._all(component, path, index, "skipped")
        except Wrong:
            wrong = True
        if iterator is not None:
            if doomed:
                return self._all(component, path, index, "failed")
            return self._loop(iterator, component, given, path, index, wrong)
        return self._run(component, given, path, index, doomed or wrong)

    def _given(self, task: Object, before: dict[str, Ended], around: Object, survives: bool) -> tuple[Object, bool]:
        """Return what a task is given, and whether some of it has no value that fits."""
        given, wrong = {}, False
        for name, source in _sources(task):
            try:
                given[name] = _value(source, before, around, survives)
            except Wrong:
                wrong = True
        return given, wrong

    def _run(self, component: Object, given: Object, path: Path, index: Index, doomed: bool) -> Ended:
        slots = _slots(component, "inputDefinitions")
        if "dag" in component:
            return self._dag(component, _with_defaults(given, slots), path, index, doomed=doomed)
        if MISSING in given.values() or doomed:
            return self._all(component, path, index, "skipped" if MISSING in given.values() else "failed")
        try:
            inputs = {name: fitted(given.get(name, ABSENT), slot) for name, slot in slots.items()}
            inputs = {name: value for name, value in inputs.items() if value is not ABSENT}
            self.given[path, index] = inputs
            outputs = computed(self.spec, component, inputs)
        except Wrong:
            return self._all(component, path, index, "failed")
        self.statuses[path, index] = "ran"
        return Ended("ended", outputs)

    def _loop(
        self,
        iterator: Object,
        component: Object,
        given: Object,
        path: Path,
        index: Index,
        wrong: bool,
    ) -> Ended:
        source = iterator["items"]
        items = json.loads(source["raw"]) if "raw" in source else given.get(next(iter(source.values())))
        if items is MISSING:
            return self._all(component, path, index, "skipped")
        items = parsed(items)
        if not isinstance(items, list):
            return self._all(component, path, index, "failed")
        rounds = [
            self._run(component, {**given, iterator["itemInput"]: item}, path, (*index, number), doomed=wrong)
            for number, item in enumerate(items)
        ]
        if not rounds:
            self._all(component, path, index, "skipped")
        slots = _slots(component, "outputDefinitions")
        outputs = {name: _collected(name, rounds, is_flat="artifactType" in slot) for name, slot in slots.items()}
        return Ended("failed" if any(each.status == "failed" for each in rounds) else "ended", outputs)

    def _all(self, component: Object, path: Path, index: Index, status: str) -> Ended:
        for below in self._paths(component, path) if "dag" in component else [path]:
            self.statuses[below, index] = status
        return Ended(status, dict.fromkeys(_slots(component, "outputDefinitions"), MISSING))

    def _rendered(self, task: Object, given: Object) -> Object:
        """Fill in the placeholders of constants."""
        constants = {name for name, source in _sources(task) if "runtimeValue" in source}
        return {name: self._text(value, given) if name in constants else value for name, value in given.items()}

    def _text(self, value: Any, given: Object) -> Any:
        if isinstance(value, list):
            return [self._text(item, given) for item in value]
        if isinstance(value, dict):
            return {self._text(key, given): self._text(item, given) for key, item in value.items()}
        if not isinstance(value, str):
            return value
        value = value.replace("{{$.pipeline_job_name}}", self.job)
        return re.sub(r"\{\{\$\.inputs\.parameters\['(.+?)'\]\}\}", lambda match: text_of(given[match[1]]), value)


def _value(source: Object, before: dict[str, Ended], around: Object, survives: bool) -> Any:
    value: Any
    if "taskFinalStatus" in source:
        name = source["taskFinalStatus"]["producerTask"]
        return {"state": "FAILED" if before[name].status == "failed" else "COMPLETE", "pipelineTaskName": name}
    if "runtimeValue" in source:
        return whole(source["runtimeValue"]["constant"])
    (key,) = [each for each in source if each != "parameterExpressionSelector"]
    if key.startswith("componentInput"):
        value = around.get(source[key], ABSENT)
    else:
        value = _output_of(source[key], before)
        value = ABSENT if value is MISSING and survives else value
    return field_of(value) if "parameterExpressionSelector" in source and not isinstance(value, Nothing) else value


def _sources(task: Object) -> list[tuple[str, Object]]:
    return [pair for kind in ("parameters", "artifacts") for pair in task.get("inputs", {}).get(kind, {}).items()]


def _slots(component: Object, key: str) -> dict[str, Object]:
    found = component.get(key, {})
    return {**found.get("parameters", {}), **found.get("artifacts", {})}


def _with_defaults(given: Object, slots: dict[str, Object]) -> Object:
    defaults = {name: whole(slot["defaultValue"]) for name, slot in slots.items() if "defaultValue" in slot}
    return {**defaults, **{name: value for name, value in given.items() if value is not ABSENT}}


def _upstream(task: Object) -> set[str]:
    produced = [next(iter(source.values())) for _, source in _sources(task)]
    return {each["producerTask"] for each in produced if isinstance(each, dict) and "producerTask" in each} | set(
        task.get("dependentTasks", ())
    )


def _output_of(source: dict[str, str], ended: dict[str, Ended]) -> Any:
    task = source.get("producerTask") or source["producerSubtask"]
    key = source.get("outputParameterKey") or source["outputArtifactKey"]
    return ended[task].outputs.get(key, MISSING)


def _selected(output: Object, ended: dict[str, Ended]) -> Any:
    """Return an output of a DAG: a task's, or the first of several that there is."""
    if "valueFromParameter" in output:
        return _output_of(output["valueFromParameter"], ended)
    selectors = (
        output["artifactSelectors"] if "artifactSelectors" in output else output["valueFromOneof"]["parameterSelectors"]
    )
    found = [_output_of(selector, ended) for selector in selectors]
    if len(found) == 1:
        return found[0]
    return next((value for value in found if not isinstance(value, Nothing)), MISSING)


def _collected(name: str, rounds: list[Ended], *, is_flat: bool) -> list[Any]:
    found = [each.outputs[name] for each in rounds if not isinstance(each.outputs[name], Nothing)]
    if not is_flat:
        return found
    return [artifact for each in found for artifact in (each if isinstance(each, list) else [each])]

"""Valid PipelineSpecs made by Hypothesis: steps in conditions, branches, loops, nested pipelines, exit handlers.

Hypothesis chooses the size and a seed, which decides all else: even choices reach deep specs, at a tenth of the time.
Whether a made step fails is written in its image: `fails` always does, `flaky` with some of its inputs.
"""

from __future__ import annotations

import copy
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from tests.fakes.specs import a_component, a_container, a_parameter, a_spec, a_task, an_artifact, constant, definitions

if TYPE_CHECKING:
    from collections.abc import Callable

ARTIFACT, ARTIFACTS, UNTYPED = "ARTIFACT", "ARTIFACTS", "UNTYPED"
PARAMETERS = ("NUMBER_INTEGER", "NUMBER_DOUBLE", "STRING", "BOOLEAN", "LIST", "STRUCT")
NUMBERS = ("NUMBER_INTEGER", "NUMBER_DOUBLE")
ENDED = "ALL_UPSTREAM_TASKS_COMPLETED"
VALUES: dict[str, tuple[Any, ...]] = {
    "NUMBER_INTEGER": (0.0, 3, -7.0, 2**53, 2**63 + 1),
    "NUMBER_DOUBLE": (0.5, 2.0, 1, -1e-9, 1e300),
    "STRING": ("", "yes", 'it\'s "quoted" \\ {{item}} {{', "snö ☃ \U0001f600\n\t", "{{workflow.name}}", "null", "3"),
    "BOOLEAN": (True, False),
    "LIST": ([], [1.0, 2.0, 0.5], ["a", None, {"b": [True, 2.0]}], [[1], [], ["{{"]]),
    "STRUCT": ({}, {"a": 1.0, "b": "x"}, {"ü ' \"": [{"c": None}], "a": {"{{": 2.5}}),
}
RAW = ("[]", "[1, 2]", '["x", "{{", "it\'s"]', '[{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]', "[true]", "[[0], [1, 2]]")
LITERALS = {
    "NUMBER_INTEGER": ("int({}) > 1", "int({}) != 2", "double(int({})) <= 1.5"),
    "NUMBER_DOUBLE": ("{} >= 0.5", "{} < double(1)"),
    "STRING": ("{} == 'yes'", "{} != ''", "'b' < {}"),
    "BOOLEAN": ("{} == true", "{} != true"),
}


@dataclass(frozen=True)
class Channel:
    """What a task of a DAG can take: its name and type, and the source that names it there."""

    name: str
    type: str
    source: dict[str, Any]


@dataclass
class Scope:
    """A DAG in the making."""

    depth: int = 0
    tasks: dict[str, Any] = field(default_factory=dict)
    channels: list[Channel] = field(default_factory=list)


def specs(tasks: int = 5) -> st.SearchStrategy[dict[str, Any]]:
    """Make pipelines of up to `tasks` tasks at their root."""
    return st.builds(a_made_spec, st.integers(1, tasks), st.integers(0, 2**32))


def a_made_spec(tasks: int, seed: int) -> dict[str, Any]:
    """Return a pipeline of so many tasks at its root, groups counted as one."""
    maker = _Maker(random.Random(seed))
    scope = Scope()
    inputs = {}
    for number in range(maker.random.randrange(3)):
        type_ = maker.choice(PARAMETERS)
        inputs[f"p{number}"] = _slot(type_, defaultValue=maker.choice(VALUES[type_]))
        channel = Channel(f"pipelinechannel--p{number}", type_, {"componentInputParameter": f"p{number}"})
        scope.channels.append(channel)
    for _ in range(tasks):
        maker.add(scope)
    spec = a_spec(scope.tasks, maker.components, parameters=inputs, executors=maker.executors)
    outputs, slots = maker.outputs(scope, None)
    spec["root"]["dag"]["outputs"] = outputs
    spec["root"]["outputDefinitions"] = definitions(slots)
    return spec


def shuffled(spec: dict[str, Any], seed: int) -> dict[str, Any]:
    """Return a spec whose objects name their fields in another order."""
    chance = random.Random(seed)

    def turned(value: Any) -> Any:
        if isinstance(value, list):
            return [turned(item) for item in value]
        if not isinstance(value, dict):
            return value
        return {key: turned(value[key]) for key in chance.sample(list(value), len(value))}

    return turned(spec)


def _slot(type_: str, **more: Any) -> dict[str, Any]:
    if type_ in {ARTIFACT, ARTIFACTS}:
        return an_artifact(**({"isArtifactList": True} if type_ == ARTIFACTS else {}))
    return a_parameter("STRING" if type_ == UNTYPED else type_, **more)


def _given(name: str, type_: str) -> Channel:
    kind = "componentInputArtifact" if type_ in {ARTIFACT, ARTIFACTS} else "componentInputParameter"
    return Channel(name, type_, {kind: name})


def _produced(task: str, key: str, type_: str) -> Channel:
    kind = "Artifact" if type_ in {ARTIFACT, ARTIFACTS} else "Parameter"
    kind, word = f"taskOutput{kind}", f"output{kind}Key"
    return Channel(f"pipelinechannel--{task}-{key}", type_, {kind: {"producerTask": task, word: key}})


def _fits(channel: Channel, wanted: str) -> bool:
    is_parameter = channel.type not in {ARTIFACT, ARTIFACTS}
    return (
        channel.type == wanted
        or (wanted == "STRING" and is_parameter)
        or (wanted in NUMBERS and channel.type in NUMBERS)
        or (wanted in PARAMETERS and channel.type == UNTYPED)
        or (wanted == ARTIFACTS and channel.type == ARTIFACT)
    )


class _Maker:
    """Makes tasks with their components and executors; every choice is the seed's."""

    def __init__(self, chances: random.Random) -> None:
        self.random = chances
        self.count = 0
        self.components: dict[str, Any] = {}
        self.executors: dict[str, Any] = {}

    def chance(self, percent: int) -> bool:
        return self.random.randrange(100) < percent

    def choice(self, options: Any) -> Any:
        return self.random.choice(list(options))

    def name(self, prefix: str) -> str:
        self.count += 1
        return f"{prefix}-{self.count}"

    def add(self, scope: Scope) -> None:
        """Add a task, or a group of tasks, to a DAG."""
        kinds: list[Callable[[Scope], None]] = [self.step]
        if scope.depth < 3:
            kinds += [self.step, self.condition, self.branches, self.loop, self.loop, self.pipeline]
        if scope.depth == 0:
            kinds.append(self.exit_handler)
        self.choice(kinds)(scope)

    def place(self, scope: Scope, name: str, task: dict[str, Any], outputs: dict[str, str]) -> None:
        """Put a task into its DAG, with what any task may have."""
        if scope.tasks and self.chance(30):
            task["dependentTasks"] = [self.choice(scope.tasks)]
        if self.chance(15):
            task["retryPolicy"] = {"maxRetryCount": self.choice([1, 3]), "backoffDuration": "0s"}
        task["cachingOptions"] = {"enableCache": True} if self.chance(70) else {}
        scope.tasks[name] = task
        scope.channels += [_produced(name, key, type_) for key, type_ in outputs.items()]

    def step(self, scope: Scope) -> None:
        name = self.name("step")
        task, outputs = self.a_step(scope, name)
        upstream = any("taskOutput" in str(source) for source in task["inputs"].values())
        if upstream and self.chance(15):
            task["triggerPolicy"] = {"strategy": ENDED}
        self.place(scope, name, task, outputs)

    def a_step(self, scope: Scope, name: str) -> tuple[dict[str, Any], dict[str, str]]:
        """Return the task of a new component that a container runs, and the types of its outputs."""
        slots: dict[str, Any] = {}
        sources: dict[str, Any] = {}
        for number in range(self.random.randrange(4)):
            self.an_input(scope, f"in{number}", slots, sources)
        types = [self.choice([*PARAMETERS, ARTIFACT, ARTIFACT]) for _ in range(self.random.randrange(3))]
        outputs = {f"out{number}": type_ for number, type_ in enumerate(types)}
        image = self.choice(["fine"] * 8 + ["fails", "flaky"])
        label = f"exec-{name}"
        more: dict[str, Any] = {"env": [{"name": "A", "value": "1"}]} if self.chance(20) else {}
        if self.chance(20):
            more["resources"] = {"resourceCpuLimit": "2", "accelerator": {"resourceType": "t4", "resourceCount": "1"}}
        self.executors[label] = a_container(image=image, **more)
        declared = {key: _slot(type_) for key, type_ in outputs.items()}
        self.components[f"comp-{name}"] = a_component(label, inputs=slots, outputs=declared)
        return a_task(f"comp-{name}", **sources), outputs

    def an_input(self, scope: Scope, name: str, slots: dict[str, Any], sources: dict[str, Any]) -> None:
        """Declare an input, and give it a value of its own, one of a channel, or nothing."""
        wanted = self.choice([*PARAMETERS, ARTIFACT, ARTIFACTS])
        fitting = [channel for channel in scope.channels if _fits(channel, wanted)]
        slots[name] = _slot(wanted)
        if fitting and self.chance(60):
            sources[name] = self.choice(fitting).source
        elif wanted in {ARTIFACT, ARTIFACTS}:
            slots[name]["isOptional"] = True
        else:
            way = self.choice([self.constant, self.field, self.template, self.nothing])
            way(scope, name, slots[name], sources)

    def constant(self, _: Scope, name: str, slot: dict[str, Any], sources: dict[str, Any]) -> None:
        sources[name] = constant(self.choice(VALUES[slot["parameterType"]]))

    def nothing(self, _: Scope, name: str, slot: dict[str, Any], sources: dict[str, Any]) -> None:
        """Give null, or nothing at all: there is a default, or the input is optional."""
        if self.chance(50):
            slot["defaultValue"] = self.choice(VALUES[slot["parameterType"]])
        else:
            slot["isOptional"] = True
        if self.chance(30):
            sources[name] = constant(None)

    def field(self, scope: Scope, name: str, slot: dict[str, Any], sources: dict[str, Any]) -> None:
        whole = [channel for channel in scope.channels if channel.type in {"STRUCT", UNTYPED}]
        if not whole:
            self.constant(scope, name, slot, sources)
            return
        selector = {"parameterExpressionSelector": 'parseJson(string_value)["a"]'}
        sources[name] = {**self.choice(whole).source, **selector}

    def template(self, scope: Scope, name: str, slot: dict[str, Any], sources: dict[str, Any]) -> None:
        plain = [channel for channel in scope.channels if channel.type in PARAMETERS]
        wanted = slot["parameterType"]
        if not plain or wanted not in {"STRING", "LIST", "STRUCT"}:
            self.constant(scope, name, slot, sources)
            return
        channel = self.choice(plain)
        hole = f"{{{{$.inputs.parameters['{channel.name}']}}}}"
        text = self.choice([hole, f"é {{{{ {hole}{hole}", f"{hole} of {{{{$.pipeline_job_name}}}}"])
        sources[name] = constant({"STRING": text, "LIST": [text, 1.0], "STRUCT": {"k": [text]}}[wanted])
        sources.setdefault(channel.name, channel.source)

    def group(
        self,
        scope: Scope,
        name: str,
        fill: Callable[[Scope], None],
        taken: list[Channel] | None = None,
        item: Any = None,
    ) -> tuple[dict[str, Any], dict[str, str]]:
        """Return the task of a new DAG, and the types of its outputs.

        Args:
            taken: What the DAG has to be given of what is around it.
            item: The channel that stands for the item where the DAG is a loop.

        """
        given = {channel.name: channel for channel in taken or ()}
        for channel in scope.channels:
            if self.chance(50):
                given.setdefault(channel.name, channel)
        inner = Scope(scope.depth + 1, channels=[_given(name, channel.type) for name, channel in given.items()])
        slots = {name: _slot(channel.type) for name, channel in given.items()}
        if item is not None:
            inner.channels.append(item)
            slots[item.name] = _slot(item.type)
        fill(inner)
        outputs, declared = self.outputs(inner, item)
        component = {
            "dag": {"tasks": inner.tasks, "outputs": outputs},
            "inputDefinitions": definitions(slots),
            "outputDefinitions": definitions(declared),
        }
        self.components[f"comp-{name}"] = component
        types = {key: _type_of(slot) for key, slot in declared.items()}
        return a_task(f"comp-{name}", **{name: channel.source for name, channel in given.items()}), types

    def outputs(self, scope: Scope, item: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Choose what a DAG gives out; return the selectors, and the declarations, which for a loop are lists."""
        outputs: dict[str, Any] = {}
        slots: dict[str, Any] = {}
        for channel in [each for each in scope.channels if "taskOutput" in str(each.source)]:
            if not self.chance(50):
                continue
            name = f"of-{channel.name.removeprefix('pipelinechannel--')}"
            is_artifact = channel.type in {ARTIFACT, ARTIFACTS}
            (produced,) = channel.source.values()
            selector = {key.replace("producerTask", "producerSubtask"): text for key, text in produced.items()}
            if is_artifact:
                outputs.setdefault("artifacts", {})[name] = {"artifactSelectors": [selector]}
            else:
                outputs.setdefault("parameters", {})[name] = {"valueFromParameter": selector}
            slots[name] = _slot(channel.type if item is None else ARTIFACTS if is_artifact else "LIST")
        return outputs, slots

    def some(self, scope: Scope) -> None:
        for _ in range(self.random.randint(1, 2)):
            self.add(scope)

    def pipeline(self, scope: Scope) -> None:
        name = self.name("pipeline")
        task, outputs = self.group(scope, name, self.some)
        if self.chance(20):
            task["triggerPolicy"] = {"strategy": ENDED}
        self.place(scope, name, task, outputs)
        if self.chance(30):
            self.place(scope, f"{name}-again", copy.deepcopy(task), outputs)

    def condition(self, scope: Scope) -> None:
        if asked := self.comparison(scope):
            name = self.name("condition")
            task, outputs = self.group(scope, name, self.some, taken=[asked[0]])
            self.place(scope, name, {**task, "triggerPolicy": {"condition": asked[1]}}, outputs)
        else:
            self.step(scope)

    def comparison(self, scope: Scope) -> tuple[Channel, str] | None:
        plain = [channel for channel in scope.channels if channel.type in LITERALS]
        if not plain:
            return None
        channel = self.choice(plain)
        value = f"inputs.parameter_values['{channel.name}']"
        text = self.choice(LITERALS[channel.type]).format(value)
        more = self.choice(LITERALS[channel.type]).format(value)
        return channel, self.choice([text, f"!({text})", f"{text} && !({more})"])

    def branches(self, scope: Scope) -> None:
        """Add `dsl.If` and `dsl.Else`, whose outputs join in a `dsl.OneOf`."""
        asked = self.comparison(scope)
        if asked is None:
            self.step(scope)
            return
        name, type_ = self.name("condition-branches"), self.choice([*PARAMETERS, ARTIFACT])
        texts = [asked[1], f"!({asked[1]})"]

        def fill(inner: Scope) -> None:
            for text in texts:
                branch, step = self.name("condition"), self.name("step")
                channel = _given(asked[0].name, asked[0].type)
                task, _ = self.group(inner, branch, lambda deep, step=step: self.joined(deep, step, type_), [channel])
                self.expose(branch, step, type_)
                self.place(inner, branch, {**task, "triggerPolicy": {"condition": text}}, {})
                inner.tasks[branch].pop("dependentTasks", None)

        task, outputs = self.group(scope, name, fill, [asked[0]])
        self.choose_one(name, type_)
        self.place(scope, name, task, {**outputs, "one": type_})

    def joined(self, scope: Scope, name: str, type_: str) -> None:
        task, outputs = self.a_step(scope, name)
        self.components[f"comp-{name}"]["outputDefinitions"] = definitions(
            {**{key: _slot(each) for key, each in outputs.items()}, "joined": _slot(type_)}
        )
        self.place(scope, name, task, outputs)

    def expose(self, branch: str, step: str, type_: str) -> None:
        self._output(branch, "joined", type_, [(step, "joined")])

    def choose_one(self, name: str, type_: str) -> None:
        tasks = self.components[f"comp-{name}"]["dag"]["tasks"]
        self._output(name, "one", type_, [(branch, "joined") for branch in tasks])

    def _output(self, group: str, name: str, type_: str, producers: list[tuple[str, str]]) -> None:
        """Add an output to a DAG: one task's, or the first of several."""
        component = self.components[f"comp-{group}"]
        is_artifact = type_ == ARTIFACT
        kind, word = ("artifacts", "outputArtifactKey") if is_artifact else ("parameters", "outputParameterKey")
        selectors = [{"producerSubtask": task, word: key} for task, key in producers]
        chosen: Any = {"valueFromOneof": {"parameterSelectors": selectors}}
        if is_artifact:
            chosen = {"artifactSelectors": selectors}
        elif len(selectors) == 1:
            chosen = {"valueFromParameter": selectors[0]}
        component["dag"]["outputs"].setdefault(kind, {})[name] = chosen
        component["outputDefinitions"].setdefault(kind, {})[name] = _slot(type_)

    def loop(self, scope: Scope) -> None:
        """Add `dsl.ParallelFor`: over a list in the spec, a list that a task gives, or artifacts."""
        name = self.name("for-loop")
        lists = [channel for channel in scope.channels if channel.type in {"LIST", "STRING", ARTIFACTS}]
        item_name = f"pipelinechannel--{name}-item"
        given = self.choice(lists) if lists and self.chance(60) else None
        over_artifacts = given is not None and given.type == ARTIFACTS
        kind = "artifactIterator" if over_artifacts else "parameterIterator"
        item = _given(item_name, ARTIFACT if over_artifacts else UNTYPED)
        taken = [given] if given else []
        if self.chance(15):
            task, outputs = self.looped_step(scope, name, taken, item)
        else:
            task, outputs = self.group(scope, name, self.some, taken=taken, item=item)
        word = "inputArtifact" if over_artifacts else "inputParameter"
        items = {"raw": self.choice(RAW)} if given is None else {word: given.name}
        task[kind] = {"itemInput": item_name, "items": items}
        if self.chance(40):
            task["iteratorPolicy"] = {"parallelismLimit": self.choice([1, 2])}
        self.place(scope, name, task, outputs)

    def looped_step(
        self, scope: Scope, name: str, taken: list[Channel], item: Channel
    ) -> tuple[dict[str, Any], dict[str, str]]:
        """Return the task of a component that runs once for each item, without a DAG around it."""
        task, outputs = self.a_step(scope, name)
        for channel in [*taken, item]:
            kind = "artifacts" if channel.type in {ARTIFACT, ARTIFACTS} else "parameters"
            if channel is item:
                self.components[f"comp-{name}"]["inputDefinitions"].setdefault(kind, {})[item.name] = _slot(item.type)
            else:
                task["inputs"].setdefault(kind, {})[channel.name] = channel.source
        return task, {key: ARTIFACTS if each in {ARTIFACT, ARTIFACTS} else "LIST" for key, each in outputs.items()}

    def exit_handler(self, scope: Scope) -> None:
        """Add a group and the task that runs however the group ended."""
        name, last = self.name("exit-handler"), self.name("last")
        task, outputs = self.group(scope, name, self.some)
        self.place(scope, name, task, outputs)
        exit_task, _ = self.a_step(Scope(3, channels=[each for each in scope.channels if name not in str(each)]), last)
        self.components[f"comp-{last}"]["inputDefinitions"].setdefault("parameters", {})["status"] = a_parameter(
            "TASK_FINAL_STATUS", isOptional=True
        )
        status = {"taskFinalStatus": {"producerTask": name}}
        exit_task["inputs"].setdefault("parameters", {})["status"] = status
        exit_task |= {"dependentTasks": [name], "triggerPolicy": {"strategy": ENDED}}
        scope.tasks[last] = exit_task


def _type_of(slot: dict[str, Any]) -> str:
    if "parameterType" in slot:
        return slot["parameterType"]
    return ARTIFACTS if slot.get("isArtifactList") else ARTIFACT

"""Small PipelineSpecs, in the form that kfp compiles to, built without kfp."""

from __future__ import annotations

import copy
from typing import Any

PROGRAM = (
    'program_path=$(mktemp -d)\n\nprintf "%s" "$0" > "$program_path/ephemeral_component.py"\n'
    "_KFP_RUNTIME=true python3 -m kfp.dsl.executor_main --component_module_path "
    '"$program_path/ephemeral_component.py" "$@"\n'
)
PREAMBLE = "\nimport kfp\nfrom kfp import dsl\nfrom kfp.dsl import *\nfrom typing import *\n\n"


def a_parameter(type_: str = "STRING", **more: Any) -> dict[str, Any]:
    """Return the definition of a parameter; `defaultValue`, `isOptional` and the like follow by name."""
    return {"parameterType": type_, **more}


def an_artifact(title: str = "system.Dataset", **more: Any) -> dict[str, Any]:
    """Return the definition of an artifact."""
    return {"artifactType": {"schemaTitle": title, "schemaVersion": "0.0.1"}, **more}


def definitions(slots: dict[str, dict[str, Any]] | None) -> dict[str, Any]:
    """Return `inputDefinitions` or `outputDefinitions` of slots by name."""
    found: dict[str, Any] = {}
    for name, slot in (slots or {}).items():
        found.setdefault("artifacts" if "artifactType" in slot else "parameters", {})[name] = slot
    return found


def a_component(
    label: str,
    *,
    inputs: dict[str, dict[str, Any]] | None = None,
    outputs: dict[str, dict[str, Any]] | None = None,
) -> dict[str, Any]:
    """Return a component that a container runs."""
    return {"executorLabel": label, "inputDefinitions": definitions(inputs), "outputDefinitions": definitions(outputs)}


def a_group(
    tasks: dict[str, Any],
    *,
    inputs: dict[str, dict[str, Any]] | None = None,
    outputs: dict[str, tuple[str, str]] | None = None,
) -> dict[str, Any]:
    """Return a component that is a DAG; `outputs` names a task's output for each parameter of its own."""
    selected = {
        name: {"valueFromParameter": {"producerSubtask": task, "outputParameterKey": key}}
        for name, (task, key) in (outputs or {}).items()
    }
    own = definitions({name: a_parameter() for name in selected})
    dag = {"tasks": tasks, "outputs": {"parameters": selected}}
    return {"dag": dag, "inputDefinitions": definitions(inputs), "outputDefinitions": own}


def a_container(**more: Any) -> dict[str, Any]:
    """Return an executor with a container."""
    return {"container": {"image": "python:3.11", "command": ["python", "-c", "pass"], **more}}


def a_lightweight(source: str, function: str, *, install: str = "", **more: Any) -> dict[str, Any]:
    """Return the executor of a lightweight Python component."""
    script = ["sh", "-c", f'\nPIP_DISABLE_PIP_VERSION_CHECK=1 {install} && "$0" "$@"\n'] if install else []
    command = [*script, "sh", "-ec", PROGRAM, PREAMBLE + source]
    return a_container(command=command, args=["--executor_input", "{{$}}", "--function_to_execute", function], **more)


def constant(value: Any) -> dict[str, Any]:
    """Return the source of a parameter that the spec gives."""
    return {"runtimeValue": {"constant": value}}


def outer(name: str) -> dict[str, Any]:
    """Return the source of a parameter that the component around was given."""
    return {"componentInputParameter": name}


def output_of(task: str, key: str = "Output") -> dict[str, Any]:
    """Return the source of a parameter that is a task's output."""
    return {"taskOutputParameter": {"producerTask": task, "outputParameterKey": key}}


def artifact_of(task: str, key: str) -> dict[str, Any]:
    """Return the source of an artifact that is a task's output."""
    return {"taskOutputArtifact": {"producerTask": task, "outputArtifactKey": key}}


def a_task(component: str, **inputs: dict[str, Any]) -> dict[str, Any]:
    """Return a task with its inputs by name; further fields are set with `with_field`."""
    found: dict[str, Any] = {}
    for name, source in inputs.items():
        found.setdefault("artifacts" if "Artifact" in next(iter(source)) else "parameters", {})[name] = source
    task = {"componentRef": {"name": component}, "cachingOptions": {"enableCache": True}}
    return {**task, "inputs": found, "taskInfo": {"name": component}}


def a_condition_task(component: str, condition: str, **inputs: dict[str, Any]) -> dict[str, Any]:
    """Return a task with a trigger."""
    return {**a_task(component, **inputs), "triggerPolicy": {"condition": condition}}


def a_spec(
    tasks: dict[str, Any],
    components: dict[str, Any],
    *,
    parameters: dict[str, dict[str, Any]] | None = None,
    executors: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Return a pipeline; an executor is added for every label that has none."""
    labels = [one["executorLabel"] for one in components.values() if "executorLabel" in one]
    return {
        "pipelineInfo": {"name": "small", "description": "A small one."},
        "schemaVersion": "2.1.0",
        "sdkVersion": "kfp-2.17.0",
        "components": components,
        "deploymentSpec": {"executors": {**{label: a_container() for label in labels}, **(executors or {})}},
        "root": {"dag": {"tasks": tasks}, "inputDefinitions": definitions(parameters)},
    }


def train_spec() -> dict[str, Any]:
    """Return a pipeline of one task, `train`, with an input `rows` and an output `Output`."""
    component = a_component(
        "exec-train", inputs={"rows": a_parameter("NUMBER_INTEGER")}, outputs={"Output": a_parameter()}
    )
    return a_spec(
        {"train": a_task("comp-train", rows=outer("rows"))},
        {"comp-train": component},
        parameters={"rows": a_parameter("NUMBER_INTEGER", defaultValue=3.0, isOptional=True)},
    )


def with_field(spec: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Return a copy of a spec with the field at a dotted path set; objects on the way are made."""
    changed = copy.deepcopy(spec)
    *parents, last = path.split(".")
    place = changed
    for name in parents:
        place = place.setdefault(name, {})
    place[last] = value
    return changed


def a_chain(length: int) -> dict[str, Any]:
    """Return a pipeline of tasks that each take the output of the one before, with a component each."""
    slots = {"text": a_parameter()}
    components = {
        f"comp-step-{i}": a_component(f"exec-step-{i}", inputs=slots, outputs={"Output": a_parameter()})
        for i in range(length)
    }
    tasks = {
        f"step-{i}": a_task(f"comp-step-{i}", text=output_of(f"step-{i - 1}") if i else constant("start"))
        for i in range(length)
    }
    return a_spec(tasks, components)

"""Write large pipelines as kfp compiles them: a component and an executor for each task, with its whole source text."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ITEM = "pipelinechannel--loop-item-param-1"
PROGRAM = (
    'program_path=$(mktemp -d)\n\nprintf "%s" "$0" > "$program_path/ephemeral_component.py"\n'
    "_KFP_RUNTIME=true python3 -m kfp.dsl.executor_main --component_module_path "
    '"$program_path/ephemeral_component.py" "$@"\n'
)
SOURCE = (
    "\nimport kfp\nfrom kfp import dsl\nfrom kfp.dsl import *\nfrom typing import *\n\n"
    "def add(n: int) -> int:\n"
    + "".join(f'    """Line {i} of a function that is as long as functions in steps are."""\n' for i in range(8))
    + "    return n + 1\n"
)
NUMBER = {"parameters": {"n": {"parameterType": "NUMBER_INTEGER"}}}
OUTPUT = {"parameters": {"Output": {"parameterType": "NUMBER_INTEGER"}}}


def write_spec(shape: str, tasks: int, path: Path) -> None:
    """Write a pipeline of a shape, and so many tasks or rounds."""
    spec = SHAPES[shape](tasks)
    # Through JSON, so that no part is written once and referred to after.
    path.write_text(yaml.dump(json.loads(json.dumps(spec)), Dumper=yaml.CSafeDumper), encoding="utf-8")


def chain(tasks: int) -> dict[str, Any]:
    """Return tasks of which each takes the result of the one before."""
    names = [f"add-{i}" for i in range(tasks)]
    sources = [_constant(1), *({"taskOutputParameter": _output(name)} for name in names[:-1])]
    return _pipeline({name: _task(name, source) for name, source in zip(names, sources, strict=True)})


def wide(tasks: int) -> dict[str, Any]:
    """Return tasks of which none waits for another."""
    return _pipeline({f"add-{i}": _task(f"add-{i}", _constant(i)) for i in range(tasks)})


def loop(rounds: int) -> dict[str, Any]:
    """Return a loop of one task, and a task that takes what all rounds gave."""
    inner = {"add": _task("add", {"componentInputParameter": ITEM})}
    selected = {"valueFromParameter": {"producerSubtask": "add", "outputParameterKey": "Output"}}
    items = {"itemInput": ITEM, "items": {"raw": json.dumps(list(range(rounds)))}}
    spec = _pipeline({**inner, "total": _task("total", {"taskOutputParameter": _output("for-loop-1")})})
    spec["components"]["comp-for-loop-1"] = {
        "dag": {"tasks": inner, "outputs": {"parameters": {"Output": selected}}},
        "inputDefinitions": {"parameters": {ITEM: {"parameterType": "NUMBER_INTEGER"}}},
        "outputDefinitions": {"parameters": {"Output": {"parameterType": "LIST"}}},
    }
    spec["components"]["comp-total"]["inputDefinitions"] = {"parameters": {"n": {"parameterType": "LIST"}}}
    tasks = spec["root"]["dag"]["tasks"]
    del tasks["add"]
    tasks["for-loop-1"] = {"componentRef": {"name": "comp-for-loop-1"}, "parameterIterator": items}
    return spec


SHAPES: dict[str, Callable[[int], dict[str, Any]]] = {"chain": chain, "wide": wide, "loop": loop}


def _constant(value: int) -> dict[str, Any]:
    return {"runtimeValue": {"constant": float(value)}}


def _output(task: str) -> dict[str, str]:
    return {"producerTask": task, "outputParameterKey": "Output"}


def _task(name: str, source: dict[str, Any]) -> dict[str, Any]:
    return {
        "cachingOptions": {"enableCache": True},
        "componentRef": {"name": f"comp-{name}"},
        "inputs": {"parameters": {"n": source}},
        "taskInfo": {"name": name},
    }


def _pipeline(tasks: dict[str, Any]) -> dict[str, Any]:
    component = {"inputDefinitions": NUMBER, "outputDefinitions": OUTPUT}
    container = {
        "args": ["--executor_input", "{{$}}", "--function_to_execute", "add"],
        "command": ["sh", "-ec", PROGRAM, SOURCE],
        "image": "python:3.11",
    }
    return {
        "components": {f"comp-{name}": {"executorLabel": f"exec-{name}", **component} for name in tasks},
        "deploymentSpec": {"executors": {f"exec-{name}": {"container": container} for name in tasks}},
        "pipelineInfo": {"name": "large"},
        "root": {"dag": {"tasks": dict(tasks)}},
        "schemaVersion": "2.1.0",
        "sdkVersion": "kfp-2.17.0",
    }

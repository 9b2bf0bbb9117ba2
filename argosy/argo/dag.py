"""DAG templates: that of the pipeline, and for each loop the loop and its round.

A loop takes two templates, because Argo skips a task without items just as one whose condition does not hold, and what
comes after has to tell the two apart: `LOOP` is skipped or runs, and `LOOP-round` below it runs once for each item.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from argosy.argo.conditions import when
from argosy.argo.depends import depends, ended, loop_waits, read_waits
from argosy.argo.expressions import Reader, as_argument, as_expression, passed_on, pieces_of
from argosy.argo.loops import items_argument
from argosy.argo.names import unique
from argosy.spec.model import LoopItem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from argosy.argo.depends import Waits
    from argosy.argo.scopes import Path, Scopes
    from argosy.spec.model import Loop, Start, Task

ROOT: Final = "main"
GUARD: Final = "fail-if-any-failed"


@dataclass(frozen=True)
class Names:
    """The names of templates: of each task's container, of each loop, and whether the guard is needed."""

    containers: Mapping[str, str]
    loops: Mapping[str, str]
    rounds: Mapping[str, str]


def dag_templates(scopes: Scopes, names: Names) -> list[dict[str, Any]]:
    """Return the DAG templates of a pipeline, its own first, then those of loops from the outside in."""
    reader = Reader(scopes, "outputs", ())
    outputs = {name: as_expression(pieces_of(source, reader)) for name, source in scopes.pipeline.outputs.items()}
    found = [_dag(ROOT, (), scopes, names, outputs=outputs)]
    for path in sorted(scopes.scopes, key=len):
        if path:
            found += [_loop_template(path, scopes, names), _round_template(path, scopes, names)]
    return found


def guarded(scopes: Scopes) -> bool:
    """Say whether some DAG of a pipeline needs the guard."""
    return any(_survived(path, scopes) for path in scopes.scopes)


def _dag(name: str, path: Path, scopes: Scopes, names: Names, *, outputs: Mapping[str, str]) -> dict[str, Any]:
    tasks = [_task(task, scopes, names) for task in scopes.pipeline.tasks if task.loops == path]
    tasks += [_loop_task(loop, scopes, names) for loop in scopes.pipeline.loops.values() if loop.loops == path]
    if survived := _survived(path, scopes):
        tasks.append(_guard_task(survived, [task["name"] for task in tasks]))
    template: dict[str, Any] = {"name": name}
    if inputs := scopes.scopes[path].inputs:
        template["inputs"] = {"parameters": [{"name": each} for each in inputs.values()]}
    if outputs:
        expressions = [{"name": each, "valueFrom": {"expression": text}} for each, text in outputs.items()]
        template["outputs"] = {"parameters": expressions}
    # What does not depend on a failure goes on, as on the other targets.
    return template | {"dag": {"failFast": False, "tasks": tasks}}


def _task(task: Task, scopes: Scopes, names: Names) -> dict[str, Any]:
    waits = read_waits(task.start, task.loops, scopes)
    reader = Reader(scopes, task.name, task.loops, waits.sure)
    arguments = {name: as_argument(pieces_of(source, reader)) for name, source in task.inputs.items()}
    node = {"name": scopes.node_names[task.name], "template": names.containers[task.name]}
    return {**node, **_starts(task.start, waits, reader), **_arguments(arguments)}


def _loop_task(loop: Loop, scopes: Scopes, names: Names) -> dict[str, Any]:
    waits = loop_waits(loop, scopes)
    reader = Reader(scopes, loop.name, loop.loops, waits.sure)
    arguments = {"items": items_argument(loop, reader)}
    for atom, name in _taken(loop, scopes):
        arguments[name] = as_argument(passed_on(atom, reader))
    node = {"name": scopes.loop_node(loop.name), "template": names.loops[loop.name]}
    return {**node, **_starts(loop.start, waits, reader), **_arguments(arguments)}


def _starts(start: Start, waits: Waits, reader: Reader) -> dict[str, str]:
    fields = {"depends": depends(waits.nodes), "when": when(start.conditions, reader)}
    return {name: text for name, text in fields.items() if text}


def _arguments(values: Mapping[str, str]) -> dict[str, Any]:
    parameters = [{"name": name, "value": value} for name, value in values.items()]
    return {"arguments": {"parameters": parameters}} if parameters else {}


def _taken(loop: Loop, scopes: Scopes) -> Iterator[tuple[Any, str]]:
    """Yield what a loop takes from around it, with the names of its inputs."""
    for atom, name in scopes.scopes[(*loop.loops, loop.name)].inputs.items():
        if atom != LoopItem(loop.name):
            yield atom, name


def _loop_template(path: Path, scopes: Scopes, names: Names) -> dict[str, Any]:
    loop = scopes.pipeline.loops[path[-1]]
    taken = [name for _, name in _taken(loop, scopes)]
    has_item = LoopItem(loop.name) in scopes.scopes[path].inputs
    given = {"item": "{{item}}"} if has_item else {}
    given |= {name: f"{{{{inputs.parameters.{name}}}}}" for name in taken}
    node = {"name": "rounds", "template": names.rounds[loop.name], "withParam": "{{inputs.parameters.items}}"}
    template: dict[str, Any] = {
        "name": names.loops[loop.name],
        "inputs": {"parameters": [{"name": name} for name in ("items", *taken)]},
    }
    if loop.limit is not None:
        template["parallelism"] = loop.limit
    if outputs := scopes.scopes[path].outputs:
        template["outputs"] = {
            "parameters": [
                # Without items nothing is gathered, which is a list too.
                {"name": name, "valueFrom": {"expression": f'tasks.rounds.outputs.parameters["{name}"] ?? "[]"'}}
                for name in outputs.values()
            ]
        }
    return template | {"dag": {"failFast": False, "tasks": [{**node, **_arguments(given)}]}}


def _round_template(path: Path, scopes: Scopes, names: Names) -> dict[str, Any]:
    reader = Reader(scopes, path[-1], path)
    outputs = {name: as_expression(passed_on(output, reader)) for output, name in scopes.scopes[path].outputs.items()}
    return _dag(names.rounds[path[-1]], path, scopes, names, outputs=outputs)


def _survived(path: Path, scopes: Scopes) -> list[str]:
    """Return the nodes of a DAG whose failure something starts after, and which the end of the DAG would hide."""
    waits: dict[str, Waits] = {}
    for task in scopes.pipeline.tasks:
        if task.loops == path:
            waits[scopes.node_names[task.name]] = read_waits(task.start, path, scopes)
    for loop in scopes.pipeline.loops.values():
        if loop.loops == path:
            waits[scopes.loop_node(loop.name)] = loop_waits(loop, scopes)
    lenient = {node for each in waits.values() for node, wait in each.nodes.items() if wait != "succeeded"}
    found: set[str] = set()
    while lenient - found:
        found |= lenient
        lenient = {node for name in found for node in waits[name].nodes}
    return [node for node in waits if node in found]


def _guard_task(survived: list[str], taken: list[str]) -> dict[str, Any]:
    arguments = {"ends": ", ".join(f"{node}: {{{{tasks.{node}.status}}}}" for node in survived)}
    condition = " || ".join(ended(node, "Failed", "Errored") for node in survived)
    return {"name": unique(GUARD, taken), "template": GUARD, "depends": condition, **_arguments(arguments)}

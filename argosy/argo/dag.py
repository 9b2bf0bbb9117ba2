"""DAG templates: that of the pipeline, and for each loop the loop and its round.

A loop takes two templates, because Argo skips a task without items just as one whose condition does not hold, and what
comes after has to tell the two apart: `LOOP` is skipped or runs, and `LOOP-round` below it runs once for each item.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from argosy.argo.channels import channel_arguments
from argosy.argo.conditions import when
from argosy.argo.depends import choices_around, depends, ended
from argosy.argo.expressions import Reader, as_argument, as_expression, passed_on, pieces_of
from argosy.argo.loops import items_argument
from argosy.argo.names import unique
from argosy.argo.nodes import Node, dag_nodes, needed_choices, needed_conditions, needed_waits, survived_nodes
from argosy.spec.model import LoopItem, Task

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from argosy.argo.scopes import Path, Scopes
    from argosy.spec.model import Loop

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
    return any(survived_nodes(dag_nodes(path, scopes)) for path in scopes.scopes)


def _dag(name: str, path: Path, scopes: Scopes, names: Names, *, outputs: Mapping[str, str]) -> dict[str, Any]:
    nodes = dag_nodes(path, scopes)
    tasks = [
        _task(node, node.item, nodes, names)
        if isinstance(node.item, Task)
        else _loop_task(node, node.item, nodes, names)
        for node in nodes.values()
    ]
    if survived := survived_nodes(nodes):
        tasks.append(_guard_task(survived, nodes))
    template: dict[str, Any] = {"name": name}
    if inputs := scopes.scopes[path].inputs:
        template["inputs"] = {"parameters": [{"name": each} for each in inputs.values()]}
    if outputs:
        expressions = [{"name": each, "valueFrom": {"expression": text}} for each, text in outputs.items()]
        template["outputs"] = {"parameters": expressions}
    # What does not depend on a failure goes on, as on the other targets.
    return template | {"dag": {"failFast": False, "tasks": tasks}}


def _task(node: Node, task: Task, nodes: Mapping[str, Node], names: Names) -> dict[str, Any]:
    arguments = {name: as_argument(pieces_of(source, node.reader)) for name, source in task.inputs.items()}
    arguments |= channel_arguments(task, node.reader)
    return {"name": node.name, "template": names.containers[task.name], **_starts(node, nodes), **_arguments(arguments)}


def _loop_task(node: Node, loop: Loop, nodes: Mapping[str, Node], names: Names) -> dict[str, Any]:
    arguments = {"items": items_argument(loop, node.reader)}
    for atom, name in _taken(loop, node.reader.scopes):
        arguments[name] = as_argument(passed_on(atom, node.reader))
    return {"name": node.name, "template": names.loops[loop.name], **_starts(node, nodes), **_arguments(arguments)}


def _starts(node: Node, nodes: Mapping[str, Node]) -> dict[str, str]:
    fields = {
        "depends": depends(needed_waits(node, nodes), needed_choices(node, nodes)),
        "when": when(needed_conditions(node, nodes), node.reader, choices_around(node.item, node.reader.scopes)),
    }
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


def _guard_task(survived: list[str], taken: Iterable[str]) -> dict[str, Any]:
    arguments = {"ends": ", ".join(f"{node}: {{{{tasks.{node}.status}}}}" for node in survived)}
    condition = " || ".join(ended(node, "Failed", "Errored") for node in survived)
    return {"name": unique(GUARD, taken), "template": GUARD, "depends": condition, **_arguments(arguments)}

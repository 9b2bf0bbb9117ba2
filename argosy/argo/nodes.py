"""The tasks of one DAG template, and the least that has to be said of what each waits for.

In a plan every task names all that it waits for and every condition around it. What another task that it waits for has
waited for already need not be said again: a DAG that a reviewer reads shows only what is new.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from argosy.argo.depends import Waits, loop_waits, read_waits
from argosy.argo.expressions import Reader
from argosy.spec.model import Loop, Task
from argosy.spec.order import in_order

if TYPE_CHECKING:
    from collections.abc import Mapping

    from argosy.argo.depends import Wait
    from argosy.argo.scopes import Path, Scopes
    from argosy.spec.model import Condition


@dataclass(frozen=True)
class Node:
    """A task of a DAG template: a task of the plan, or a loop.

    Attributes:
        certain: The nodes that have succeeded when this one starts, those before the ones it waits for included.

    """

    name: str
    item: Task | Loop
    waits: Waits
    reader: Reader
    certain: frozenset[str]


def dag_nodes(path: Path, scopes: Scopes) -> dict[str, Node]:
    """Return the nodes of a DAG by name, in topological order."""
    items: dict[str, Task | Loop] = {
        scopes.node_names[task.name]: task for task in scopes.pipeline.tasks if task.loops == path
    }
    items |= {scopes.loop_node(loop.name): loop for loop in scopes.pipeline.loops.values() if loop.loops == path}
    waits = {
        name: loop_waits(item, scopes) if isinstance(item, Loop) else read_waits(item.start, path, scopes)
        for name, item in items.items()
    }
    nodes: dict[str, Node] = {}
    for name in in_order({name: each.nodes for name, each in waits.items()}, "/".join(path) or "root"):
        sure = waits[name].sure
        certain = sure.union(*(nodes[other].certain for other in sure))
        reader = Reader(scopes, items[name].name, path, certain)
        nodes[name] = Node(name, items[name], waits[name], reader, certain)
    return nodes


def needed_waits(node: Node, nodes: Mapping[str, Node]) -> dict[str, Wait]:
    """Return what a node waits for without what follows from the rest."""
    implied = frozenset().union(*(nodes[other].certain for other in node.waits.sure))
    return {other: wait for other, wait in node.waits.nodes.items() if other not in implied}


def needed_choices(node: Node, nodes: Mapping[str, Node]) -> list[tuple[str, ...]]:
    """Return the choices of a node of which nothing before it says that one was taken."""
    return [
        choice
        for choice in node.waits.choices
        if node.certain.isdisjoint(choice) and not any(choice in nodes[other].waits.choices for other in node.certain)
    ]


def needed_conditions(node: Node, nodes: Mapping[str, Node]) -> list[Condition]:
    """Return the conditions of a node that did not hold for a node before it already."""
    return [
        condition
        for condition in node.item.start.conditions
        if not any(condition in nodes[other].item.start.conditions for other in node.certain)
    ]


def survived_nodes(nodes: Mapping[str, Node]) -> list[str]:
    """Return the nodes whose failure something starts after, so that the end of the DAG would hide it.

    A node that failed is not tolerated, but what it skipped is: behind that it may be out of sight as well.
    """
    found: set[str] = set()
    for node in nodes.values():
        for other, wait in node.waits.nodes.items():
            if wait != "succeeded":
                hidden = _before(other, nodes) | ({other} if wait == "ended" else set())
                found |= hidden - node.certain
    return [name for name in nodes if name in found]


def _before(name: str, nodes: Mapping[str, Node]) -> set[str]:
    found: set[str] = set()
    queue = [*nodes[name].waits.nodes]
    while queue:
        other = queue.pop()
        queue += [] if other in found else nodes[other].waits.nodes
        found.add(other)
    return found

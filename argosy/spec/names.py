"""Names of tasks in the plan: their own, with their group's in front if need be."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from argosy.errors import Mistake
from argosy.spec.components import Group, Step
from argosy.spec.fields import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from argosy.spec.graphs import Graph, LocalTask

Path = tuple[str, ...]


def plan_names(graph: Graph, components: Mapping[str, Step | Group]) -> dict[Path, str]:
    """Return the plan's name of every step by its path.

    A path holds the names of the groups around a step, then its own.

    Raises:
        Mistake: A task refers to a component that is not there, or to one that it is part of.

    """
    paths = list(_step_paths(graph, components, (), ()))
    last = Counter(path[-1] for path in paths)
    last_two = Counter(path[-2:] for path in paths)
    names = {path: _name(path, last[path[-1]], last_two[path[-2:]]) for path in paths}
    for name, count in Counter(names.values()).items():
        if count > 1:
            raise Mistake(f"{graph.place}.tasks: {count} tasks would be called {name!r}; rename one of them")
    return names


def component_of(task: LocalTask, components: Mapping[str, Step | Group]) -> Step | Group:
    """Return the component that a task refers to."""
    if task.component not in components:
        hint = did_you_mean(task.component, list(components))
        raise Mistake(f"{task.place}.componentRef.name: {task.component!r} is not among components{hint}")
    return components[task.component]


def _step_paths(
    graph: Graph, components: Mapping[str, Step | Group], path: Path, within: tuple[str, ...]
) -> Iterator[Path]:
    for task in graph.tasks.values():
        component = component_of(task, components)
        if isinstance(component, Step):
            yield (*path, task.name)
            continue
        if task.component in within:
            raise Mistake(f"{task.place}.componentRef.name: {task.component!r} would be part of itself")
        yield from _step_paths(component.graph, components, (*path, task.name), (*within, task.component))


def _name(path: Path, with_last: int, with_last_two: int) -> str:
    if with_last == 1 or len(path) == 1:
        return path[-1]
    return "-".join(path[-2:] if with_last_two == 1 else path)

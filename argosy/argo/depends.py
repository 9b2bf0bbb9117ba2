"""What a DAG task waits for: Argo's `depends`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from argosy.argo.scopes import atoms, items_of
from argosy.argo.unsupported import refusal
from argosy.spec.model import FirstOf, Loop
from argosy.spec.resolution import shared

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from argosy.argo.scopes import Path, Scopes
    from argosy.spec.model import Start, Task

Wait = Literal["succeeded", "not failed", "ended"]
ENDS: Final[Mapping[Wait, tuple[str, ...]]] = {
    "succeeded": ("Succeeded",),
    "not failed": ("Succeeded", "Skipped", "Omitted"),
    "ended": ("Succeeded", "Failed", "Errored", "Skipped", "Omitted"),
}
RAN: Final[Mapping[Wait, tuple[str, ...]]] = {
    "succeeded": ("Succeeded",),
    "not failed": ("Succeeded",),
    "ended": ("Succeeded", "Failed", "Errored"),
}
STRICTEST: Final[tuple[Wait, ...]] = ("succeeded", "not failed", "ended")


@dataclass(frozen=True)
class Waits:
    """What a node waits for: the other nodes of its DAG, and tasks outside of it.

    Attributes:
        choices: Groups of nodes of which at least one must not have been skipped.

    """

    nodes: Mapping[str, Wait]
    outside: Mapping[str, Wait]
    choices: tuple[tuple[str, ...], ...] = ()

    @property
    def sure(self) -> frozenset[str]:
        """The nodes that have succeeded once this one starts."""
        return frozenset(node for node, wait in self.nodes.items() if wait == "succeeded")


def read_waits(start: Start, path: Path, scopes: Scopes) -> Waits:
    """Return what a start means in the DAG that it stands in; of several tasks of one loop the strictest counts."""
    nodes: dict[str, Wait] = {}
    outside: dict[str, Wait] = {}
    for task, wait in _waits(start).items():
        _put(task, wait, scopes.node(task, path), nodes=nodes, outside=outside)
    found = [tuple(dict.fromkeys(scopes.node(task, path) for task in choice)) for choice in start.one_of]
    choices = tuple(tuple(node for node in choice if node) for choice in found if None not in choice)
    return Waits(dict(sorted(nodes.items())), outside, choices)


def depends(waits: Mapping[str, Wait], choices: Iterable[tuple[str, ...]] = ()) -> str | None:
    """Return the field of a DAG task; None where it waits for nothing."""
    texts = [ended(node, *ENDS[wait]) for node, wait in waits.items()]
    for choice in choices:
        ran = [f"{node}.{end}" for node in choice for end in RAN[waits[node]]]
        texts += [f"({' || '.join(ran)})" if len(ran) > 1 else ran[0]]
    return " && ".join(texts) or None


def ended(node: str, *ends: str) -> str:
    """Return the condition that a node ended in one of some ways."""
    text = " || ".join(f"{node}.{end}" for end in ends)
    return f"({text})" if len(ends) > 1 else text


def loop_waits(loop: Loop, scopes: Scopes) -> Waits:
    """Return what a loop waits for: its own start, and what its tasks take from around it, which enters with it.

    Raises:
        Unsupported: A task in it would be skipped where the loop must not be, or the other way round.

    """
    own = read_waits(loop.start, loop.loops, scopes)
    nodes, outside = dict(own.nodes), dict(own.outside)
    for name, start in _starts_within(loop, scopes):
        for task, wait in _waits(start).items():
            loops = scopes.tasks[task].loops
            if loops[: len(loop.loops) + 1] == (*loop.loops, loop.name):
                continue
            ours = _waits(loop.start).get(task)
            stricter = STRICTEST.index(wait) < STRICTEST.index(ours or "ended")
            if (stricter and ours == "ended") or (stricter and _may_be_skipped(task, loop, scopes)):
                raise refusal(f"tasks.{name}.dependentTasks", "wait in a loop", f"waits for {task}")
            if ours is None:
                _put(task, wait, scopes.node(task, loop.loops), nodes=nodes, outside=outside)
    return Waits(dict(sorted(nodes.items())), outside, own.choices)


def choices_around(item: Task | Loop, scopes: Scopes) -> list[FirstOf]:
    """Return the choices among tasks outside of its loops that an item takes: it is skipped where none was taken.

    Raises:
        Unsupported: What was chosen does not enter the loop, so that the item cannot tell.

    """
    around = [scopes.pipeline.loops[name] for name in item.loops]
    found = []
    for choice in item.start.one_of:
        outside = all(scopes.node(task, item.loops) is None for task in choice)
        if outside and not any(choice in loop.start.one_of for loop in around):
            taken = [each for each in _choices_of(item, scopes) if scopes.tasks_of(each) == set(choice)]
            if not taken or scopes.depth(taken[0], item.loops):
                raise refusal(f"tasks.{item.name}.dependentTasks", "wait in a loop", f"waits for {' or '.join(choice)}")
            found.append(taken[0])
    return found


def _choices_of(item: Task | Loop, scopes: Scopes) -> list[FirstOf]:
    sources = [items_of(item, scopes.tasks)] if isinstance(item, Loop) else [*item.inputs.values()]
    sources += [channel for condition in item.start.conditions for channel in condition.channels.values()]
    return [atom for source in sources for atom in atoms(source) if isinstance(atom, FirstOf)]


def _around(loop: Loop, scopes: Scopes) -> list[Loop]:
    """Return a loop with the loops around it."""
    return [loop, *(scopes.pipeline.loops[each] for each in loop.loops)]


def _waits(start: Start) -> dict[str, Wait]:
    return {
        task: "ended" if task in start.survives else "not failed" if task in start.tolerates else "succeeded"
        for task in start.after
    }


def _put(task: str, wait: Wait, node: str | None, *, nodes: dict[str, Wait], outside: dict[str, Wait]) -> None:
    """Note what is waited for; of several tasks that one node stands for the strictest counts."""
    if node is None:
        outside[task] = wait
    else:
        nodes[node] = min(wait, nodes.get(node, wait), key=STRICTEST.index)


def _starts_within(loop: Loop, scopes: Scopes) -> Iterator[tuple[str, Start]]:
    for task in scopes.pipeline.tasks:
        if loop.name in task.loops:
            yield task.name, task.start
    for inner in scopes.pipeline.loops.values():
        if loop.name in inner.loops:
            yield inner.name, inner.start


def _may_be_skipped(name: str, loop: Loop, scopes: Scopes) -> bool:
    """Say whether a task outside a loop may be skipped where the loop is not."""
    around = _around(loop, scopes)
    holding = [condition for each in around for condition in each.start.conditions]
    chosen = [choice for each in around for choice in each.start.one_of]
    queue, seen = [name], set[str]()
    while queue:
        task = scopes.tasks[queue.pop()]
        depth = shared(task.loops, loop.loops)
        # Seen from outside of a loop, its tasks are skipped only where the whole loop is.
        start = scopes.pipeline.loops[task.loops[depth]].start if len(task.loops) > depth else task.start
        if any(each not in holding for each in start.conditions) or any(each not in chosen for each in start.one_of):
            return True
        strict = [each for each, wait in _waits(start).items() if wait == "succeeded" and each not in seen]
        seen.update(strict)
        queue += strict
    return False

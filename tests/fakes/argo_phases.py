"""What Argo's controller makes of the graph of a DAG: who comes after whom, and the phase of the whole."""

from collections.abc import Mapping

from tests.fakes.argo_nodes import BAD, Node


def dag_phase(nodes: Mapping[str, Node], waits: Mapping[str, list[str]]) -> str:
    """Return the phase of a DAG: that of its leaves, where what was skipped or omitted is as what came before it.

    A task that succeeds hides the failure of what it came after.
    """
    followers = {name: [other for other in nodes if name in waits[other]] for name in nodes}
    reached: dict[str, str] = {}
    queue = [(name, "Succeeded") for name in nodes if not waits[name]]
    seen = set()
    while queue:
        name, phase = queue.pop(0)
        if (name, phase) in seen:
            continue
        seen.add((name, phase))
        if nodes[name].phase not in {"Skipped", "Omitted"}:
            phase = nodes[name].phase
        if not followers[name] and reached.get(name) not in BAD:
            reached[name] = phase
        queue += [(other, phase) for other in followers[name]]
    bad = [phase for _, phase in sorted(reached.items()) if phase in BAD]
    return bad[-1] if bad else "Succeeded"


def ancestors(name: str, waits: Mapping[str, list[str]]) -> set[str]:
    """Return all that a task comes after, directly or not."""
    found: set[str] = set()
    queue = list(waits[name])
    while queue:
        other = queue.pop()
        queue += [] if other in found else waits[other]
        found.add(other)
    return found

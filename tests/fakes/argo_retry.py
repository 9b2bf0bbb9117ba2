"""What `argo retry` does to a Workflow (4.1): failed pods and what came after them are forgotten, the rest is kept."""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.argo_nodes import BAD, now, pod_name

GROUPS = {"DAG", "TaskGroup"}
COMPLETED = "workflows.argoproj.io/completed"
Document = dict[str, Any]


class RetryError(Exception):
    """A workflow that cannot be retried."""


def retried(workflow: Mapping[str, Any]) -> tuple[Document, list[str]]:
    """Return a failed workflow as it is to go on, and the names of the pods to delete."""
    phase = workflow["status"].get("phase", "")
    if phase not in BAD:
        raise RetryError(f"Cannot retry a workflow in phase {phase}")
    found, name = copy.deepcopy(dict(workflow)), workflow["metadata"]["name"]
    nodes: dict[str, Document] = found["status"]["nodes"]
    graph = _Graph(nodes)
    for each in graph.from_top(name):
        if each not in graph.forgotten and graph.is_to_run_again(each):
            graph.forget(each)
    kept = {own: _kept(node, graph) for own, node in nodes.items() if own not in graph.forgotten}
    pods = [nodes[own] for own in sorted(graph.forgotten) if nodes[own]["type"] == "Pod"]
    found["status"] |= {"phase": "", "startedAt": now(), "finishedAt": None, "nodes": kept}
    found["status"].pop("message", None)
    found["metadata"].get("labels", {}).pop(COMPLETED, None)
    found["spec"].pop("shutdown", None)
    return found, [pod_name(name, node["name"], node["templateName"]) for node in pods]


def _kept(node: Document, graph: "_Graph") -> Document:
    """Return a node without those that are forgotten; begun anew, where one below it is."""
    for name in ("children", "outboundNodes"):
        if name in node:
            node[name] = [each for each in node[name] if each not in graph.forgotten]
    if node["id"] not in graph.begun:
        return node
    phase = "Skipped" if node["phase"] == "Skipped" else "Running"
    rest = {name: value for name, value in node.items() if name not in {"message", "finishedAt"}}
    return {**rest, "phase": phase, "startedAt": now()}


@dataclass
class _Graph:
    """The nodes of a workflow as a graph.

    Attributes:
        parents: One parent of each node that has some.
        forgotten: Ids of nodes that are to be made anew.
        begun: Ids of nodes that stand around them.

    """

    nodes: Mapping[str, Document]
    parents: dict[str, str] = field(default_factory=dict)
    forgotten: set[str] = field(default_factory=set)
    begun: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        for own in sorted(self.nodes):
            self.parents |= dict.fromkeys(self.children(own), own)

    def children(self, own: str) -> list[str]:
        return list(self.nodes[own].get("children", []))

    def from_top(self, root: str) -> Iterator[str]:
        """Yield ids, breadth first."""
        queue = [root]
        for own in queue:
            yield own
            queue += [each for each in self.children(own) if each not in queue]

    def below(self, own: str) -> set[str]:
        return set(self.from_top(own)) - {own}

    def is_to_run_again(self, own: str) -> bool:
        """Say whether a node is a pod that failed, and nothing after it, or after its attempts, succeeded."""
        node = self.nodes[own]
        if node["type"] != "Pod" or node["phase"] not in BAD:
            return False
        top = self.parents[own] if node.get("nodeFlag", {}).get("retried") else own
        return not any(self.nodes[each]["phase"] == "Succeeded" for each in self.below(top))

    def forget(self, own: str) -> None:
        """Forget a pod with all that came after it, and have what stands around it begin anew."""
        self.forgotten |= {own, *self.below(own)}
        place: str | None = own
        while place is not None:
            node = self.nodes[place]
            if node["type"] in GROUPS:
                place = self._begin_around(place)
                continue
            if node["type"] == "Retry" and node["phase"] in BAD:
                self.begun.add(place)
            place = self.parents.get(place)

    def _begin_around(self, own: str) -> str | None:
        """Have a group and all in which it stands begin anew; return what is before the outermost."""
        self.begun.add(own)
        while True:
            parent = self.parents.get(own)
            if parent is not None and self.nodes[parent]["type"] in {"Retry", "TaskGroup"}:
                self.begun.add(parent)
                own = parent if self.nodes[parent]["type"] == "Retry" else own
            boundary = self.nodes[own].get("boundaryID")
            if not boundary:
                return self.parents.get(own)
            while own != boundary:
                own = self.parents[own]
            self.begun.add(own)

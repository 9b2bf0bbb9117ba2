"""How a workflow stands: the nodes that the controller keeps of it, as the tasks and rounds of its plan."""

from __future__ import annotations

import base64
import gzip
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from argosy.spec.resolution import instance_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

State = Literal["waiting", "running", "succeeded", "failed", "skipped"]
STATES: Final[Mapping[str, State]] = {
    "": "waiting", "Pending": "waiting", "Running": "running", "Succeeded": "succeeded", "Failed": "failed",
    "Error": "failed", "Skipped": "skipped", "Omitted": "skipped",
}  # fmt: skip
OF_STEPS: Final = frozenset({"Pod", "Retry", "Skipped", "Omitted"})
ROUND: Final = re.compile(r"\((\d+):")
ROUNDS: Final = "rounds"


@dataclass(frozen=True)
class StepNode:
    """How one step of a workflow stands.

    Attributes:
        name: The instance of the plan: `train`, `trial[2]`.
        path: The controller's name of its node; each attempt is called so, too, with a number behind it.
        message: What the controller says of its end.

    """

    name: str
    path: str
    state: State
    message: str = ""


def step_nodes(workflow: Mapping[str, Any], names: Mapping[str, str]) -> Iterator[StepNode]:
    """Yield how each step stands that the controller has come to.

    Args:
        workflow: The object, as the cluster tells of it.
        names: The plan's name of each node of a DAG.

    """
    nodes = nodes_of(workflow)
    attempts = {child for node in nodes.values() if node["type"] == "Retry" for child in node.get("children", ())}
    for identity, node in nodes.items():
        task = names.get(node["displayName"])
        if node["type"] not in OF_STEPS or identity in attempts or task is None:
            continue
        index = tuple(_rounds(node, nodes))
        state = STATES.get(node.get("phase", ""), "running")
        yield StepNode(instance_name(task, index), node["name"], state, _message(node, nodes))


def nodes_of(workflow: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the nodes of a workflow by id; a large status is kept compressed."""
    status = workflow.get("status", {})
    if packed := status.get("compressedNodes"):
        return dict(json.loads(gzip.decompress(base64.b64decode(packed))))
    return dict(status.get("nodes") or {})


def _message(node: Mapping[str, Any], nodes: Mapping[str, Mapping[str, Any]]) -> str:
    """Return what is said of a node's end: by its last attempt, since of retries Argo says only that they ended."""
    attempts = [nodes[child] for child in node.get("children", ()) if node["type"] == "Retry" and child in nodes]
    said = [str(each["message"]) for each in attempts if each.get("message")]
    return said[-1] if said else str(node.get("message", ""))


def _rounds(node: Mapping[str, Any], nodes: Mapping[str, Mapping[str, Any]]) -> list[int]:
    """Return the rounds of the loops around a node, from the outside in."""
    found: list[int] = []
    around = nodes.get(node.get("boundaryID", ""))
    while around is not None:
        match = ROUND.search(around["displayName"]) if around["displayName"].startswith(f"{ROUNDS}(") else None
        found += [int(match[1])] if match else []
        around = nodes.get(around.get("boundaryID", ""))
    return found[::-1]

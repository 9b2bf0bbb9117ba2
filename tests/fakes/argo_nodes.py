"""The nodes in the status of a Workflow, as Argo's controller (4.1) writes them while it runs one."""

import copy
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.fakes.argo_expressions import go_json, go_loads

ROOT = "main"
BAD = {"Failed", "Error"}
ENDED = {"Succeeded", "Skipped", "Omitted", *BAD}


@dataclass
class Node:
    """How one task ended; `outputs` is None where it left none."""

    phase: str
    outputs: dict[str, str | None] | None = None
    message: str = ""


def now() -> str:
    """Return the time as Kubernetes writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def fnv32a(text: str) -> int:
    """Return the 32 bit FNV-1a hash of a text."""
    found = 0x811C9DC5
    for byte in text.encode():
        found = (found ^ byte) * 0x01000193 & 0xFFFFFFFF
    return found


def node_id(workflow: str, name: str) -> str:
    """Return the id of a node by its name."""
    return workflow if name == workflow else f"{workflow}-{fnv32a(name)}"


def pod_name(workflow: str, node: str, template: str) -> str:
    """Return the name of the pod of a node."""
    return workflow if node == workflow else f"{f'{workflow}-{template}'[:242]}-{fnv32a(node)}"


@dataclass
class Nodes:
    """The nodes of one workflow, by their ids; several threads may write.

    Nodes are spoken of by the paths of the simulator: below `main`, whose node bears the workflow's name.
    """

    workflow: str = ""
    documents: dict[str, dict[str, Any]] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def name(self, path: str) -> str:
        """Return the name of a node."""
        return self.workflow + path.removeprefix(ROOT)

    def at(self, path: str) -> dict[str, Any] | None:
        """Return the document of a node, if there is one."""
        return self.documents.get(node_id(self.workflow, self.name(path)))

    def begin(
        self,
        path: str,
        kind: str,
        *,
        template: str,
        boundary: str | None,
        phase: str = "Running",
        inputs: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Make a node, or go on with one that a retry has reset."""
        name = self.name(path)
        own = {"id": node_id(self.workflow, name), "name": name, "displayName": name, "type": kind}
        own |= {"templateName": template, "templateScope": f"local/{self.workflow}", "phase": phase}
        if boundary:
            own["displayName"] = name.removeprefix(self.name(boundary)).lstrip(".")
            own["boundaryID"] = node_id(self.workflow, self.name(boundary))
        with self.lock:
            document = self.documents.setdefault(str(own["id"]), {"startedAt": now()})
            document |= own | ({"inputs": inputs} if inputs else {})
            return document

    def attempt(self, path: str, around: Mapping[str, Any]) -> dict[str, Any]:
        """Make the node of one of several attempts; `around` is that of all of them."""
        kept = {name: around[name] for name in ("boundaryID", "inputs") if name in around}
        with self.lock:
            document = self.begin(path, "Pod", template=around["templateName"], boundary=None, phase="Pending")
            shown = self.name(path).removeprefix(around["name"])
            document |= {**kept, "displayName": around["displayName"] + shown, "nodeFlag": {"retried": True}}
            return document

    def never_began(self, path: str, node: Node, *, template: str, boundary: str | None) -> Node:
        """Note a node that ended before anything of it began."""
        self.end(self.begin(path, "Skipped", template=template, boundary=boundary), node)
        return node

    def lead_out(self, path: str, targets: Iterable[str]) -> None:
        """Note what ends a DAG: whatever follows it becomes a child of these nodes' ends."""
        with self.lock:
            ids = [node_id(self.workflow, self.name(each)) for each in targets]
            document = self.at(path)
            assert document is not None
            document["outboundNodes"] = [end for each in ids for end in self.outbound(each)]

    def set(self, document: dict[str, Any], **fields: Any) -> None:
        """Change fields of a node."""
        with self.lock:
            document |= fields

    def end(self, document: dict[str, Any], node: Node, code: int | None = None) -> None:
        """Write down how a node ended; `code` is the exit code of a pod that had one."""
        outputs: dict[str, Any] = {}
        if node.outputs:
            outputs["parameters"] = [{"name": name, "value": text} for name, text in node.outputs.items()]
        if code is not None:
            outputs["exitCode"] = str(code)
        with self.lock:
            for name, value in {"outputs": outputs, "message": node.message}.items():
                document.pop(name, None)
                document |= {name: value} if value else {}
            document |= {"phase": node.phase, "finishedAt": now()}

    def connect(self, path: str, *, below: str | None = None, after: Iterable[str] = ()) -> None:
        """Make a node the child of the one that it stands in, or of the ends of those that it comes after."""
        own = node_id(self.workflow, self.name(path))
        with self.lock:
            parents = [node_id(self.workflow, self.name(below))] if below else []
            parents += [end for each in after for end in self.outbound(node_id(self.workflow, self.name(each)))]
            for parent in parents:
                children = self.documents[parent].setdefault("children", [])
                children += [] if own in children else [own]

    def outbound(self, own: str) -> list[str]:
        """Return the nodes that end what a node began, by their ids: what follows becomes their child."""
        document = self.documents[own]
        children = document.get("children", [])
        if document["type"] == "Retry":
            return children[-1:]
        if document["type"] == "TaskGroup" and children:
            return [last for child in children for last in self.outbound(child)]
        if document["type"] == "DAG":
            return [last for target in document.get("outboundNodes", []) for last in self.outbound(target)]
        return [own]

    def ended(self, path: str) -> Node | None:
        """Return how a node ended, if it has: it is one that a retry kept."""
        document = self.at(path)
        if document is None or document["phase"] not in ENDED:
            return None
        if document["type"] == "TaskGroup":
            outputs = gathered([_read(self.documents[child]) for child in document["children"]])
            return Node(document["phase"], outputs, document.get("message", ""))
        return _read(document)

    def attempts(self, path: str) -> list[tuple[int, Node]]:
        """Return how the attempts below a node ended, those that a retry kept: exit codes and nodes."""
        document = self.at(path) or {}
        found = [self.documents[child] for child in document.get("children", [])]
        return [(int(each.get("outputs", {}).get("exitCode", -1)), _read(each)) for each in found]

    def copied(self) -> dict[str, dict[str, Any]]:
        """Return the nodes as they stand."""
        with self.lock:
            return copy.deepcopy(self.documents)


def inputs_of(template: Mapping[str, Any], values: Mapping[str, str]) -> dict[str, Any]:
    """Return what a node says of its inputs."""
    declared = template.get("inputs", {}).get("parameters", [])
    found = [{"name": each["name"], "value": values[f"inputs.parameters.{each['name']}"]} for each in declared]
    return {"parameters": found} if found else {}


def _read(document: Mapping[str, Any]) -> Node:
    given = document.get("outputs", {}).get("parameters")
    outputs = {each["name"]: each["value"] for each in given} if given else None
    return Node(document["phase"], outputs, document.get("message", ""))


def gathered(nodes: list[Node]) -> dict[str, str | None] | None:
    """Gather the outputs of rounds: Argo reads them as JSON where all of them are lists or objects."""
    found: dict[str, list[str]] = {}
    for node in nodes:
        if node.phase == "Succeeded":
            for name, text in (node.outputs or {}).items():
                found.setdefault(name, []).append(text or "")
    return {name: go_json(_read_alike(texts)) for name, texts in found.items()} or None


def _read_alike(texts: list[str]) -> list[Any]:
    try:
        values = [go_loads(text) for text in texts]
    except ValueError:
        return texts
    return values if all(isinstance(value, list | dict) for value in values) else texts

"""Runs the manifests of Argo Workflows here, pods as processes, by what Argo's controller (4.1) does with each field.

Known to it: DAGs with `depends`, `when`, `withParam`, arguments, parameters that are outputs; pods with parameters and
raw artifacts as inputs (`argo_pod`); retries; phases of skipped and omitted tasks; how the phase of a DAG follows from
its leaves. Anything else in a template is an error.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.fakes.argo_expressions import ExpressionError, evaluate, go_json, go_loads
from tests.fakes.argo_pod import DELETED, Pod

TAG = re.compile(r"\{\{(.*?)\}\}")
RESULT = re.compile(r"([a-zA-Z0-9][-a-zA-Z0-9]*)\.(Succeeded|Failed|Errored|Skipped|Omitted)")
PHASES = {"Errored": "Error"}
GO_ESCAPES = {
    '"': r"\"", "\\": r"\\", "\a": r"\a", "\b": r"\b", "\f": r"\f", "\n": r"\n", "\r": r"\r", "\t": r"\t", "\v": r"\v",
}  # fmt: skip
KNOWN = {
    "name", "inputs", "outputs", "dag", "container", "retryStrategy", "parallelism", "activeDeadlineSeconds",
    "metadata", "nodeSelector", "tolerations", "affinity", "volumes", "sidecars",
}  # fmt: skip
BAD = {"Failed", "Error"}


class WorkflowError(Exception):
    """A manifest that Argo would refuse."""


@dataclass
class Node:
    """How one task ended; `outputs` is None where it left none."""

    phase: str
    outputs: dict[str, str | None] | None = None
    message: str = ""


@dataclass
class Workflow:
    """A workflow that is run.

    Attributes:
        env: What config maps and secrets give to every pod.
        deleted_after_s: Each pod's first attempt is deleted after so many seconds, if it still runs; a deleted pod
            has no exit code.
        pods: Each pod that was started, by the path of its node, with its exit code.
        nodes: How each node ended, by its path.

    """

    manifest: Mapping[str, Any]
    parameters: Mapping[str, str]
    folder: Path
    env: Mapping[str, str] = field(default_factory=dict)
    deleted_after_s: float | None = None
    pods: list[tuple[str, int]] = field(default_factory=list)
    nodes: dict[str, Node] = field(default_factory=dict)
    logs: str = ""
    name: str = "simulated-1"

    def run(self) -> Node:
        """Run to the end."""
        spec = self.manifest["spec"]
        given = {each["name"]: each.get("value") for each in spec.get("arguments", {}).get("parameters", [])}
        if unknown := set(self.parameters) - set(given):
            raise WorkflowError(f"no parameters {unknown}")
        values = given | dict(self.parameters)
        if missing := [name for name, value in values.items() if value is None]:
            raise WorkflowError(f"spec.arguments: {missing} need a value")
        self.scope = {f"workflow.parameters.{name}": value for name, value in values.items()}
        self.scope |= {"workflow.name": self.name, "workflow.uid": "0-1", "node.name": "n", "pod.name": "p"}
        self.scope["workflow.creationTimestamp.RFC3339"] = "2026-01-01T00:00:00Z"
        self.templates = {each["name"]: each for each in spec["templates"]}
        return self.template(spec["entrypoint"], {}, "main")

    def template(self, name: str, arguments: Mapping[str, str], path: str) -> Node:
        template = self.templates[name]
        if unknown := set(template) - KNOWN:
            raise WorkflowError(f"template {name}: {unknown}")
        inputs = {}
        for each in template.get("inputs", {}).get("parameters", []):
            value = arguments.get(each["name"], each.get("default"))
            if value is None:
                return Node("Error", message=f"inputs.parameters.{each['name']} was not supplied")
            inputs[f"inputs.parameters.{each['name']}"] = value
        try:
            filled = self.fill(template, self.scope | inputs)
        except ExpressionError as error:
            return Node("Error", message=f"{path}: {error}")
        if "dag" in template:
            return self.dag(filled, self.scope | inputs, path)
        return self.retried(filled, path)

    def dag(self, template: Mapping[str, Any], scope: Mapping[str, Any], path: str) -> Node:
        tasks = {each["name"]: each for each in template["dag"]["tasks"]}
        waits = {name: [match[1] for match in RESULT.finditer(each.get("depends", ""))] for name, each in tasks.items()}
        own: dict[str, Node] = {}
        while left := [name for name in tasks if name not in own]:
            ready = [name for name in left if all(other in own for other in waits[name])]
            if not ready:
                raise WorkflowError(f"{path}: {left} wait for each other")
            for name in ready:
                around = dict(scope)
                for other in _ancestors(name, waits):
                    around |= self.seen(other, own[other], tasks[other])
                node = self.task(tasks[name], own, around, f"{path}.{name}")
                own[name] = self.nodes[f"{path}.{name}"] = node
        phase = dag_phase(own, waits)
        if phase != "Succeeded":
            return Node(phase, message=f"{path}: {[name for name, node in own.items() if node.phase in BAD]}")
        return self.dag_outputs(template, scope, own, path)

    def dag_outputs(
        self, template: Mapping[str, Any], scope: Mapping[str, Any], own: Mapping[str, Node], path: str
    ) -> Node:
        tasks = {each["name"]: each for each in template["dag"]["tasks"]}
        every = dict(scope)
        for name, node in own.items():
            every |= self.seen(name, node, tasks[name])
        outputs: dict[str, str | None] = {}
        for each in template.get("outputs", {}).get("parameters", []):
            try:
                outputs[each["name"]] = evaluate(each["valueFrom"]["expression"], _nested(every))
            except ExpressionError as error:
                return Node("Error", message=f"{path}: outputs.{each['name']}: {error}")
            if not isinstance(outputs[each["name"]], str):
                return Node("Error", message=f"{path}: outputs.{each['name']} is no text")
        return Node("Succeeded", outputs)

    def seen(self, name: str, node: Node, task: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the tasks after a node see of it: a skipped one has outputs that are nil."""
        found: dict[str, Any] = {f"tasks.{name}.status": node.phase}
        outputs = node.outputs
        if outputs is None and node.phase in {"Skipped", "Omitted"}:
            declared = self.templates[task["template"]].get("outputs", {}).get("parameters", [])
            outputs = {each["name"]: None for each in declared}
        return found | {f"tasks.{name}.outputs.parameters.{key}": text for key, text in (outputs or {}).items()}

    def task(self, task: Mapping[str, Any], own: Mapping[str, Node], scope: Mapping[str, Any], path: str) -> Node:
        if "depends" in task:
            phases = lambda match: str(own[match[1]].phase == PHASES.get(match[2], match[2])).lower()  # noqa: E731
            if not evaluate(RESULT.sub(phases, task["depends"]), {}):
                return Node("Omitted", message="depends condition not met")
        try:
            if "when" in task:
                answer = self.fill(task["when"], scope, strict=True)
                if answer != "true":
                    phase = "Skipped" if answer == "false" else "Error"
                    return Node(phase, message=f"{path}: {task['when']} is {answer}")
            filled = self.fill(dict(task), scope, strict=True)
        except ExpressionError as error:
            return Node("Error", message=f"{path}: {error}")
        if "withParam" not in filled:
            return self.template(filled["template"], _arguments(filled), path)
        return self.group(filled, scope, path)

    def group(self, task: Mapping[str, Any], scope: Mapping[str, Any], path: str) -> Node:
        try:
            items = json.loads(task["withParam"])
            assert isinstance(items, list)
        except (ValueError, AssertionError):
            return Node("Error", message=f"{path}: withParam is no list: {task['withParam']!r:.200}")
        if not items:
            return Node("Skipped", message="empty params")
        nodes = []
        for i, item in enumerate(items):
            assert isinstance(item, str), "items are texts, so that their type survives"
            filled = self.fill({**task, "withParam": ""}, {**scope, "item": item}, strict=True, every=True)
            place = f"{path}({i}:{item})"
            nodes.append(self.template(filled["template"], _arguments(filled), place))
            self.nodes[place] = nodes[-1]
        bad = [node.phase for node in nodes if node.phase in BAD]
        return Node(bad[-1] if bad else "Succeeded", gathered(nodes), "; ".join(node.message for node in nodes))

    def retried(self, template: Mapping[str, Any], path: str) -> Node:
        strategy = template.get("retryStrategy", {"limit": "0"})
        for attempt in range(int(strategy["limit"]) + 1):
            code, node = self.pod(template, path, attempt)
            last = {"lastRetry": {"exitCode": str(code), "status": node.phase}}
            if node.phase == "Succeeded" or not evaluate(strategy.get("expression", "true"), last):
                break
        return node

    def pod(self, template: Mapping[str, Any], path: str, attempt: int) -> tuple[int, Node]:
        folder = self.folder / f"pod-{len(self.pods)}"
        patience = self.deleted_after_s if attempt == 0 else None
        code, log = Pod(template, folder, self.env, path).run(patience)
        self.pods.append((path, code))
        if code == DELETED:
            return code, Node("Error", message=f"{path}: pod deleted")
        self.logs += f"--- {path} ({attempt}): {code}\n{log}"
        if code:
            return code, Node("Failed", message=f"{path}: {log[-1500:]}")
        outputs: dict[str, str | None] = {}
        for each in template.get("outputs", {}).get("parameters", []):
            file = folder / "tmp/outputs" / Path(each["valueFrom"]["path"]).name
            if not file.exists():
                return 0, Node("Error", message=f"{path}: {each['valueFrom']['path']} is not there")
            outputs[each["name"]] = file.read_text(encoding="utf-8")
        return 0, Node("Succeeded", outputs)

    def fill(self, value: Any, scope: Mapping[str, Any], *, strict: bool = False, every: bool = False) -> Any:
        """Replace tags in the JSON text of a value, as Argo does.

        With `strict` what speaks of tasks has to be there, with `every` anything.
        """
        nested = _nested(scope)

        def replaced(match: re.Match[str]) -> str:
            tag = json.loads(f'"{match[1]}"').strip()
            try:
                found = evaluate(tag[1:], nested) if tag.startswith("=") else scope[tag]
            except (ExpressionError, KeyError, TypeError, ValueError) as error:
                if every or (strict and "tasks" in tag):
                    raise ExpressionError(f"{tag}: {error}") from error
                return match[0]
            if found is None:
                raise ExpressionError(f"{tag} is nil")
            if tag.startswith("=") and isinstance(found, str):
                return json.dumps(found, ensure_ascii=False)[1:-1]
            return go_quoted(found if isinstance(found, str) else go_json(found))

        text = TAG.sub(replaced, json.dumps(value, ensure_ascii=False))
        try:
            return json.loads(text)
        except ValueError as error:
            raise ExpressionError(f"the result was invalid JSON: {error}: {text!r:.500}") from error


def go_quoted(text: str) -> str:
    """Return a text as Go quotes it, without the quotes: that is JSON for most texts, and for some it is none."""
    return "".join(map(_go_character, text))


def _go_character(character: str) -> str:
    code = ord(character)
    if character in GO_ESCAPES or character.isprintable():
        return GO_ESCAPES.get(character, character)
    return f"\\x{code:02x}" if code < 0x20 or code == 0x7F else f"\\u{code:04x}" if code < 1 << 16 else f"\\U{code:08x}"


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


def _ancestors(name: str, waits: Mapping[str, list[str]]) -> set[str]:
    found: set[str] = set()
    queue = list(waits[name])
    while queue:
        other = queue.pop()
        queue += [] if other in found else waits[other]
        found.add(other)
    return found


def _arguments(task: Mapping[str, Any]) -> dict[str, str]:
    return {each["name"]: each["value"] for each in task.get("arguments", {}).get("parameters", [])}


def _nested(scope: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in scope.items():
        *parents, last = name.split(".")
        place = found
        for parent in parents:
            place = place.setdefault(parent, {})
        place[last] = value
    return found

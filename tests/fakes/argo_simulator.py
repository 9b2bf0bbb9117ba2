"""Runs the manifests of Argo Workflows here, pods as processes, by what Argo's controller (4.1) does with each field.

Known to it: DAGs with `depends`, `when`, `withParam`, `parallelism`, arguments, parameters that are outputs; pods with
parameters and raw artifacts as inputs (`argo_pod`); claims of storage; retries; phases of skipped and omitted tasks;
how the phase of a DAG follows from its leaves; the nodes of a status (`argo_nodes`), also those that a retry kept.
Anything else in a template is an error.
"""

import itertools
import json
import re
import shutil
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.fakes.argo_expressions import ExpressionError, evaluate, go_json
from tests.fakes.argo_nodes import BAD, ROOT, Node, Nodes, gathered, inputs_of, pod_name
from tests.fakes.argo_phases import ancestors, dag_phase
from tests.fakes.argo_pod import DELETED, Pod

TAG = re.compile(r"\{\{(.*?)\}\}")
RESULT = re.compile(r"([a-zA-Z0-9][-a-zA-Z0-9]*)\.(Succeeded|Failed|Errored|Skipped|Omitted)")
PHASES = {"Errored": "Error"}
KNOWN = {
    "name", "inputs", "outputs", "dag", "container", "retryStrategy", "parallelism", "activeDeadlineSeconds",
    "metadata", "nodeSelector", "tolerations", "affinity", "volumes", "sidecars",
    "podSpecPatch", "securityContext", "resource", "initContainers",
}  # fmt: skip
GO_ESCAPES = {
    '"': r"\"", "\\": r"\\", "\a": r"\a", "\b": r"\b", "\f": r"\f", "\n": r"\n", "\r": r"\r", "\t": r"\t", "\v": r"\v",
}  # fmt: skip
NO_BRACKETS = str.maketrans("", "", "()")


class WorkflowError(Exception):
    """A manifest that Argo would refuse."""


class InTurn(Executor):
    """Does one thing after the other, so that a run can be repeated."""

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Do it at once."""
        done: Future[Any] = Future()
        try:
            done.set_result(function(*args, **kwargs))
        except Exception as error:  # the future's to tell
            done.set_exception(error)
        return done


@dataclass
class Workflow:
    """A workflow that is run.

    Attributes:
        env: What the config map and the secret `argosy` give to every pod.
        objects: What is in other secrets and config maps, by name and key.
        deleted_after_s: Each pod's first attempt is deleted after so many seconds, if it still runs; a deleted pod
            has no exit code.
        pods: Each pod that was started, by the path of its node, with its exit code.
        scheduled: When a schedule started it, where one did.
        applied: The manifests that were applied.
        nodes: How each node ended, by its path.
        parallel: How many pods run at once.
        before_pod: Called with each pod before it runs.
        standing: The pods that are there, by name: those of steps that succeeded go, where `podGC` says so.
        status: The nodes in the form of Argo, some of which a retry may have kept.
        shutdown: How the workflow was stopped, if it was: `Stop` or `Terminate`.

    """

    manifest: Mapping[str, Any]
    parameters: Mapping[str, str]
    folder: Path
    env: Mapping[str, str] = field(default_factory=dict)
    objects: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    deleted_after_s: float | None = None
    pods: list[tuple[str, int]] = field(default_factory=list)
    applied: list[Mapping[str, Any]] = field(default_factory=list)
    nodes: dict[str, Node] = field(default_factory=dict)
    logs: str = ""
    name: str = "simulated-1"
    uid: str = "0-1"
    created: str = "2026-01-01T00:00:00Z"
    parallel: int = 1
    before_pod: Callable[[Pod], None] = lambda _pod: None
    standing: dict[str, Pod] = field(default_factory=dict)
    status: Nodes = field(default_factory=Nodes)
    shutdown: str = ""
    scheduled: str = ""

    def __post_init__(self) -> None:
        self.status.workflow = self.name
        self.slots = threading.Semaphore(self.parallel)
        self.lock = threading.Lock()
        self.numbers = itertools.count()

    def run(self) -> Node:
        """Run to the end."""
        self.spec = spec = self.manifest["spec"].get("workflowSpec", self.manifest["spec"])
        given = {each["name"]: each.get("value") for each in spec.get("arguments", {}).get("parameters", [])}
        if unknown := set(self.parameters) - set(given):
            raise WorkflowError(f"no parameters {unknown}")
        values = given | dict(self.parameters)
        if missing := [name for name, value in values.items() if value is None]:
            raise WorkflowError(f"spec.arguments: {missing} need a value")
        self.scope = {f"workflow.parameters.{name}": value for name, value in values.items()}
        self.scope |= {"workflow.name": self.name, "workflow.uid": self.uid}
        self.scope["workflow.creationTimestamp.RFC3339"] = self.created
        if self.scheduled:
            self.scope["workflow.scheduledTime"] = self.scheduled
        self.templates = {each["name"]: each for each in spec["templates"]}
        return self.template(spec["entrypoint"], {}, ROOT, None)

    def stop(self, strategy: str) -> None:
        """Start no pod any more, and end those that run."""
        self.shutdown = strategy
        for pod in list(self.standing.values()):
            pod.delete()

    def template(self, name: str, arguments: Mapping[str, str], path: str, boundary: str | None) -> Node:
        template = self.templates[name]
        if unknown := set(template) - KNOWN:
            raise WorkflowError(f"template {name}: {unknown}")
        inputs = {}
        for each in template.get("inputs", {}).get("parameters", []):
            value = arguments.get(each["name"], each.get("default"))
            if value is None:
                node = Node("Error", message=f"inputs.parameters.{each['name']} was not supplied")
                return self.status.never_began(path, node, template=name, boundary=boundary)
            inputs[f"inputs.parameters.{each['name']}"] = value
        scope = self.scope | inputs
        try:
            filled = self.fill(template, scope | {"node.name": self.status.name(path)})
        except ExpressionError as error:
            node = Node("Error", message=f"{path}: {error}")
            return self.status.never_began(path, node, template=name, boundary=boundary)
        kind = "DAG" if "dag" in template else "Retry" if "retryStrategy" in template else "Pod"
        document = self.status.begin(path, kind, template=name, boundary=boundary, inputs=inputs_of(template, inputs))
        if kind == "Pod":
            return self.attempt(filled, path, 0, document)[1]
        code, node = (None, self.dag(filled, scope, path)) if kind == "DAG" else self.retried(filled, path, document)
        self.status.end(document, node, code)
        return node

    def dag(self, template: Mapping[str, Any], scope: Mapping[str, Any], path: str) -> Node:
        tasks = {each["name"]: each for each in template["dag"]["tasks"]}
        waits = {name: [match[1] for match in RESULT.finditer(each.get("depends", ""))] for name, each in tasks.items()}
        own: dict[str, Node] = {}
        running: dict[Future[Node], str] = {}

        def begin(name: str) -> Node:
            place = f"{path}.{name}"
            if kept := self.status.ended(place):
                return kept
            around = dict(scope)
            for other in ancestors(name, waits):
                around |= self.seen(other, own[other], tasks[other])
            before = [f"{path}.{other}" for other in waits[name]]
            self.status.connect(place, below=None if before else path, after=before)
            return self.task(tasks[name], own, around, path, limit=template.get("parallelism"))

        with self.executor(len(tasks)) as executor:
            while len(own) < len(tasks):
                left = [name for name in tasks if name not in own and name not in running.values()]
                for name in [name for name in left if all(other in own for other in waits[name])]:
                    running[executor.submit(begin, name)] = name
                if not running:
                    raise WorkflowError(f"{path}: {left} wait for each other")
                for ended in wait(running, return_when=FIRST_COMPLETED).done:
                    name = running.pop(ended)
                    own[name] = self.nodes[f"{path}.{name}"] = ended.result()
        followed = {other for others in waits.values() for other in others}
        self.status.lead_out(path, [f"{path}.{name}" for name in sorted(tasks) if name not in followed])
        phase = "Failed" if self.shutdown else dag_phase(own, waits)
        return self.dag_outputs(template, scope, own, path) if phase == "Succeeded" else Node(phase)

    def executor(self, most: int) -> Executor:
        """Return what does several things side by side, if this workflow does."""
        return InTurn() if self.parallel == 1 else ThreadPoolExecutor(most)

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

    def task(
        self,
        task: Mapping[str, Any],
        own: Mapping[str, Node],
        scope: Mapping[str, Any],
        boundary: str,
        *,
        limit: int | None = None,
    ) -> Node:
        """Run one task of the DAG at `boundary`, at most `limit` of its items at once."""
        path = f"{boundary}.{task['name']}"
        node = self.unstarted(task, own, scope, path)
        if node is None:
            try:
                filled = self.fill(dict(task), scope, strict=True)
            except ExpressionError as error:
                node = Node("Error", message=f"{path}: {error}")
        if node is not None:
            return self.status.never_began(path, node, template=task["template"], boundary=boundary)
        if "withParam" not in filled:
            return self.template(filled["template"], _arguments(filled), path, boundary)
        return self.group(filled, scope, path, boundary, limit=limit)

    def unstarted(
        self, task: Mapping[str, Any], own: Mapping[str, Node], scope: Mapping[str, Any], path: str
    ) -> Node | None:
        """Return how a task ends that is not to start; None for one that is."""
        if "depends" in task:
            phases = lambda match: str(own[match[1]].phase == PHASES.get(match[2], match[2])).lower()  # noqa: E731
            if not evaluate(RESULT.sub(phases, task["depends"]), {}):
                return Node("Omitted", message="omitted: depends condition not met")
        if "when" not in task:
            return None
        try:
            answer = self.fill(task["when"], scope, strict=True)
        except ExpressionError as error:
            return Node("Error", message=f"{path}: {error}")
        if answer == "false":
            return Node("Skipped", message=f"when '{answer}' evaluated false")
        return None if answer == "true" else Node("Error", message=f"{path}: {task['when']} is {answer}")

    def group(
        self, task: Mapping[str, Any], scope: Mapping[str, Any], path: str, boundary: str, *, limit: int | None
    ) -> Node:
        try:
            items = json.loads(task["withParam"])
            assert isinstance(items, list)
        except (ValueError, AssertionError):
            node = Node("Error", message=f"{path}: withParam is no list: {task['withParam']!r:.200}")
            return self.status.never_began(path, node, template=task["template"], boundary=boundary)
        if not items:
            node = Node("Skipped", message="Skipped, empty params")
            return self.status.never_began(path, node, template=task["template"], boundary=boundary)
        assert all(isinstance(item, str) for item in items), "items are texts, so that their type survives"
        document = self.status.begin(path, "TaskGroup", template=task["template"], boundary=boundary)
        places = [f"{path}({i}:{item.translate(NO_BRACKETS)})" for i, item in enumerate(items)]
        for place in places:
            self.status.connect(place, below=path)

        def begin(place: str, item: str) -> Node:
            if kept := self.status.ended(place):
                return kept
            filled = self.fill({**task, "withParam": ""}, {**scope, "item": item}, strict=True, every=True)
            return self.template(filled["template"], _arguments(filled), place, boundary)

        with self.executor(min(limit or len(items), len(items))) as executor:
            nodes = list(executor.map(begin, places, items))
        self.nodes |= dict(zip(places, nodes, strict=True))
        bad = [node.phase for node in nodes if node.phase in BAD]
        self.status.end(document, Node(bad[-1] if bad else "Succeeded"))
        return Node(bad[-1] if bad else "Succeeded", gathered(nodes))

    def retried(self, template: Mapping[str, Any], path: str, document: Mapping[str, Any]) -> tuple[int | None, Node]:
        ended = self.status.attempts(path)
        while not ended or (message := self.last_word(template["retryStrategy"], ended)) is None:
            place = f"{path}({len(ended)})"
            self.status.connect(place, below=path)
            own = self.status.attempt(place, document)
            ended.append(self.attempt(template, path, len(ended), own))
        code, last = ended[-1]
        return None if code == DELETED else code, Node(last.phase, last.outputs, message)

    def last_word(self, strategy: Mapping[str, Any], ended: list[tuple[int, Node]]) -> str | None:
        """Return the message with which attempts come to an end; None where there is to be another."""
        code, node = ended[-1]
        if node.phase == "Succeeded":
            return ""
        if self.shutdown:
            return f"Stopped with strategy '{self.shutdown}'"
        if len(ended) > int(strategy["limit"]):
            return "No more retries left"
        last = {"exitCode": str(code), "status": node.phase, "message": node.message}
        goes_on = evaluate(strategy.get("expression", "true"), {"lastRetry": last})
        return None if goes_on else "retryStrategy.expression evaluated to false"

    def attempt(
        self, template: Mapping[str, Any], path: str, number: int, document: dict[str, Any]
    ) -> tuple[int, Node]:
        name = pod_name(self.name, document["name"], template["name"])
        run = self.resource if "resource" in template else self.pod
        code, node = run(self.fill(template, {"pod.name": name, "retries": str(number)}), path, number)
        self.status.end(document, node, None if code == DELETED else code)
        return code, node

    def pod(self, template: Mapping[str, Any], path: str, attempt: int) -> tuple[int, Node]:
        """Run a pod to its end; return the exit code of its container, and how its node ended."""
        document = self.status.at(f"{path}({attempt})" if "retryStrategy" in template else path)
        assert document is not None
        name = pod_name(self.name, document["name"], template["name"])
        pod = Pod(
            name, template, self.folder / f"pod-{next(self.numbers)}", self.env, path, attempt, objects=self.objects
        )
        self.standing[name] = pod
        with self.slots:
            if not self.shutdown:
                self.before_pod(pod)
                patience = self.deleted_after_s if attempt == 0 else None
                pod.run(patience, lambda: self.status.set(document, phase="Running"))
        code = DELETED if pod.code is None else pod.code
        with self.lock:
            self.pods.append((path, code))
            self.logs += f"--- {path} ({attempt}): {code}\n{pod.log}"
        if pod.leaving or (code == 0 and self.spec.get("podGC")):
            del self.standing[name]
        return code, self.judged(pod)

    def judged(self, pod: Pod) -> Node:
        """Return how the node of a pod ended."""
        if pod.code is None:
            message = f"workflow shutdown with strategy:  {self.shutdown}"
            return Node("Failed", message=message) if self.shutdown else Node("Error", message="pod deleted")
        if pod.code:
            return Node("Failed", message=f"main: Error (exit code {pod.code})")
        outputs = pod.outputs()
        return Node("Error", message=outputs) if isinstance(outputs, str) else Node("Succeeded", outputs)

    def resource(self, template: Mapping[str, Any], path: str, _attempt: int) -> tuple[int, Node]:
        """Apply or delete a claim of storage, which here is a folder."""
        manifest = yaml.safe_load(template["resource"]["manifest"])
        if manifest["kind"] != "PersistentVolumeClaim" or not isinstance(manifest["metadata"]["name"], str):
            raise WorkflowError(f"{path}: {manifest}")
        claim = self.folder / "claims" / manifest["metadata"]["name"]
        if template["resource"]["action"] == "delete":
            shutil.rmtree(claim, ignore_errors=True)
            return 0, Node("Succeeded")
        claim.mkdir(parents=True, exist_ok=True)
        self.applied.append(manifest)
        outputs = template.get("outputs", {}).get("parameters", [])
        if any(each["valueFrom"] != {"jqFilter": ".metadata.name | tojson"} for each in outputs):
            raise WorkflowError(f"{path}: {outputs}")
        return 0, Node("Succeeded", {each["name"]: json.dumps(claim.name) for each in outputs})

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

"""Runs the Workflows that a cluster is given, as Argo's controller does, and keeps their status."""

import copy
import itertools
import threading
import traceback
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.fakes.argo_nodes import Nodes, now
from tests.fakes.argo_pod import Pod
from tests.fakes.argo_retry import retried
from tests.fakes.argo_simulator import Workflow

LABEL = "workflows.argoproj.io/"
SETTINGS = "argosy"
COMPLETED = {"Succeeded", "Failed", "Error"}
PHASES = {"Skipped": "Succeeded", "Omitted": "Succeeded"}


@dataclass
class Held:
    """A Workflow of the cluster; its status without the nodes stands in the document, once it has one."""

    document: dict[str, Any]
    workflow: Workflow
    thread: threading.Thread = field(default_factory=threading.Thread)

    @property
    def phase(self) -> str:
        """How far it has come; nothing before the controller has seen it."""
        return str(self.document.get("status", {}).get("phase", ""))


@dataclass
class Controller:
    """The Workflows of one namespace.

    Attributes:
        image: What the image of the steps gives to every pod's environment.
        parallel: How many pods of one workflow run at once.
        workflow: What runs one.
        before_pod: Called with each pod before it runs.
        may_start: Cleared, it keeps new workflows as they were created.
        config_maps: Their data, by name; what `argosy` holds enters the environment of pods.
        secrets: As config maps.

    """

    folder: Path
    image: Mapping[str, str] = field(default_factory=dict)
    namespace: str = "pipelines"
    parallel: int = 2
    workflow: type[Workflow] = Workflow
    before_pod: Callable[[Pod], None] = lambda _pod: None
    may_start: threading.Event = field(default_factory=threading.Event)
    config_maps: dict[str, dict[str, str]] = field(default_factory=dict)
    secrets: dict[str, dict[str, str]] = field(default_factory=dict)
    held: dict[str, Held] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        self.may_start.set()
        self.versions, self.folders = itertools.count(1000), itertools.count()

    def create(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Keep a Workflow, whose name is not taken, and begin to run it."""
        with self.lock:
            document = copy.deepcopy(dict(given))
            metadata = {**document["metadata"], "namespace": self.namespace, "uid": str(uuid.uuid4())}
            document["metadata"] = {**metadata, "creationTimestamp": now(), "generation": 1}
            name = metadata["name"]
            self.held[name] = Held(document, self._workflow(document, Nodes(name)))
            self._begin(self.held[name])
            return self.read(name)

    def read(self, name: str) -> dict[str, Any]:
        """Return a Workflow as it stands."""
        with self.lock:
            held = self.held[name]
            document = copy.deepcopy(held.document)
            if held.phase:
                document["status"]["nodes"] = held.workflow.status.copied()
            return document

    def patch(self, name: str, patch: Mapping[str, Any]) -> dict[str, Any]:
        """Change fields of a Workflow; `spec.shutdown` ends it."""
        with self.lock:
            held = self.held[name]
            held.document = _merged(held.document, patch)
            self._changed(held)
            strategy = held.document["spec"].get("shutdown", "")
            if strategy and held.phase not in COMPLETED:
                held.workflow.stop(strategy)
            return self.read(name)

    def retry(self, name: str) -> dict[str, Any]:
        """Do what `argo retry` does: let a failed workflow go on."""
        with self.lock:
            document, pods = retried(self.read(name))
            held = self.held[name]
            nodes = Nodes(name, document["status"].pop("nodes"))
            standing = {each: pod for each, pod in held.workflow.standing.items() if each not in pods}
            held.document, held.workflow = document, self._workflow(document, nodes)
            held.workflow.standing |= standing
            self._begin(held)
            return self.read(name)

    def delete(self, name: str) -> None:
        """Forget a Workflow, and end what runs of it."""
        with self.lock:
            held = self.held.pop(name)
        held.workflow.stop("Terminate")

    def pods(self) -> dict[str, tuple[str, Pod]]:
        """Return the pods that there are, by name, with the workflow of each."""
        with self.lock:
            return {name: (own, pod) for own, each in self.held.items() for name, pod in _standing(each)}

    def wait(self, name: str, timeout_s: float = 300) -> dict[str, Any]:
        """Wait until a workflow has ended; return it."""
        self.held[name].thread.join(timeout_s)
        document = self.read(name)
        assert document["status"]["phase"] in COMPLETED, document["status"]
        return document

    def close(self) -> None:
        """End everything."""
        self.may_start.set()
        for name, held in list(self.held.items()):
            self.delete(name)
            held.thread.join(30)

    def _workflow(self, document: Mapping[str, Any], nodes: Nodes) -> Workflow:
        folder = self.folder / f"{document['metadata']['name']}-{next(self.folders)}"
        folder.mkdir(parents=True)
        return self.workflow(
            document,
            {},
            folder,
            {**self.image, **self.config_maps.get(SETTINGS, {}), **self.secrets.get(SETTINGS, {})},
            name=document["metadata"]["name"],
            uid=document["metadata"]["uid"],
            created=document["metadata"]["creationTimestamp"],
            parallel=self.parallel,
            before_pod=self.before_pod,
            status=nodes,
        )

    def _begin(self, held: Held) -> None:
        self._changed(held)
        held.thread = threading.Thread(target=self._run, args=(held,), daemon=True)
        held.thread.start()

    def _run(self, held: Held) -> None:
        self.may_start.wait()
        self._mark(held, "Running")
        try:
            root = held.workflow.run()
        except Exception:  # the fault of a manifest, or of the simulator: it has to be seen
            self._mark(held, "Error", traceback.format_exc())
        else:
            stopped = held.workflow.shutdown
            message = f"Stopped with strategy '{stopped}'" if stopped else root.message
            self._mark(held, PHASES.get(root.phase, root.phase), message)

    def _mark(self, held: Held, phase: str, message: str = "") -> None:
        with self.lock:
            status = held.document.setdefault("status", {"startedAt": now(), "finishedAt": None})
            status |= {"phase": phase} | ({"message": message} if message else {})
            if phase in COMPLETED:
                status["finishedAt"] = now()
            labels = held.document["metadata"].setdefault("labels", {})
            labels |= {f"{LABEL}phase": phase, f"{LABEL}completed": str(phase in COMPLETED).lower()}
            self._changed(held)

    def _changed(self, held: Held) -> None:
        held.document["metadata"]["resourceVersion"] = str(next(self.versions))


def _standing(held: Held) -> list[tuple[str, Pod]]:
    return list(held.workflow.standing.items())


def _merged(value: Any, patch: Any) -> Any:
    """Apply a merge patch, as RFC 7396 has it."""
    if not isinstance(patch, Mapping):
        return patch
    found = dict(value) if isinstance(value, Mapping) else {}
    for name, each in patch.items():
        if each is None:
            found.pop(name, None)
        else:
            found[name] = _merged(found.get(name), each)
    return found

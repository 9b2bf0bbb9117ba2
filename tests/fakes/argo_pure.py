"""Workflows whose pods compute in this process: a pure function between the launcher's own reading and writing."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from argosy.argo.scopes import read_scopes
from argosy.errors import Mistake
from argosy.launcher.argo import ITEMS, Pod, build_step
from argosy.launcher.artifacts import Artifact, Artifacts
from argosy.launcher.canonical import canonical_json
from argosy.launcher.parameters import encode_items, encode_output
from argosy.launcher.step import Output, shown
from argosy.spec.model import ArtifactSlot, Pipeline, Slot, Task
from tests.fakes.argo_pod import expanded, variables
from tests.fakes.argo_simulator import Node, Workflow

MANIFEST = canonical_json({"kind": "absent", "files": {}, "metadata": {}})
Compute = Callable[[Task, dict[str, Any]], Mapping[str, Any]]


class Blobs:
    """A store of values in memory, in which every artifact is there."""

    url = "memory"

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}

    def put_bytes(self, data: bytes) -> str:
        name = f"value-{len(self.blobs)}"
        self.blobs[name] = data
        return name

    def read_blob(self, name: str) -> bytes:
        return self.blobs.get(name, MANIFEST)


class PureWorkflow(Workflow):
    """A workflow with `compute` in its pods, which takes a task and what it is given, and returns its outputs.

    Attributes:
        given: Each task that ran with what it was given.

    """

    def of(self, pipeline: Pipeline, compute: Compute, store: Blobs | None = None) -> "PureWorkflow":
        self.compute, self.store, self.given = compute, store or Blobs(), []
        names = read_scopes(pipeline).node_names
        self.steps = {names[task.name]: task for task in pipeline.tasks}
        return self

    def pod(self, template: Mapping[str, Any], path: str, attempt: int) -> tuple[int, Node]:
        node = path.rpartition(".")[2]
        if node not in self.steps:
            return 1, Node("Failed")
        task, env = self.steps[node], variables(template["container"], {})
        words = [expanded(word, env) for word in template["container"]["args"]]
        try:
            pod = Pod.from_words(words)
            step = build_step(_without_source(pod), self.store)
            inputs = {name: shown(entry.value) for name, entry in step.inputs.items()}
            self.given += [] if attempt else [(task.name, inputs)]
            found = self.compute(task, inputs)
        except Mistake as error:
            return 2, Node("Failed", message=str(error))
        outputs: dict[str, str | None] = {}
        for name, value in found.items():
            output = Output(value_of(task.component.outputs[name], value))
            outputs[name] = encode_output(output, "key", name, self.store)
            if name in pod.told.items:
                outputs[f"{name}{ITEMS}"] = encode_items(output, "key", name, self.store)
        assert not any("{{" in text for text in outputs.values() if text)
        return 0, Node("Succeeded", outputs)


def value_of(slot: Slot, value: Any) -> Any:
    """Return a value in the form that a step's outputs have: what stands for an artifact as one."""
    if not isinstance(slot, ArtifactSlot):
        return value
    return Artifacts(tuple(Artifact(each, {}) for each in value)) if slot.is_list else Artifact(value, {})


def _without_source(pod: Pod) -> Pod:
    return Pod(pod.told, None, Path(), pod.texts)

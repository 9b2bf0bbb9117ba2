"""The engine `argo simulator`: a spec compiled to Argo, run by the simulator with the launcher in each pod."""

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from argosy.argo.arguments import argument_text
from argosy.argo.wanted import Wanted
from argosy.argo.workflow import manifest
from argosy.errors import Unsupported
from argosy.launcher.parameters import Texts
from argosy.launcher.step import shown
from argosy.launcher.store import open_store
from argosy.spec.arguments import bind_arguments
from argosy.spec.model import ArtifactSlot, FirstOf, Pipeline, Source
from argosy.spec.read import read_pipeline
from tests.fakes.argo_simulator import BAD, Workflow
from tests.fakes.engines import Ended, compared
from tests.fakes.projects import ROOT


def run_argo(spec: Path, arguments: Mapping[str, Any], folder: Path) -> Ended:
    """Compile, simulate, and read the outputs from the store."""
    pipeline = read_pipeline(spec)
    try:
        made = manifest(pipeline, Wanted())
    except Unsupported as error:
        return Ended("refused", why=str(error))
    workflow = simulate(made, parameters_of(pipeline, arguments), folder)
    root = workflow.run()
    if root.phase != "Succeeded":
        bad = [node.message for node in workflow.nodes.values() if node.phase in BAD]
        return Ended("failed", why=f"{bad}\n{workflow.logs[-3000:]}")
    return Ended("succeeded", read_outputs(pipeline, root.outputs or {}, folder))


def parameters_of(pipeline: Pipeline, arguments: Mapping[str, Any]) -> dict[str, str]:
    """Return what the workflow is given: JSON texts of what the pipeline is given."""
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in arguments.items()}
    bound = bind_arguments(pipeline, texts)
    return {name: argument_text(name, bound[name], pipeline) for name in arguments}


def simulate(made: Mapping[str, Any], parameters: Mapping[str, str], folder: Path) -> Workflow:
    """Return a workflow whose pods have a store and a project of their own."""
    project = folder / "project"
    project.mkdir(parents=True, exist_ok=True)
    (project / "pyproject.toml").write_text("[tool.argosy]\n", encoding="utf-8")
    env = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    env |= {"ARGOSY_STORE": str(folder / "store"), "ARGOSY_PROJECT": str(project), "PYTHONPATH": str(ROOT)}
    pods = Path(tempfile.mkdtemp(prefix="pods-", dir=folder))
    return Workflow(made, parameters, pods, env)


def read_outputs(pipeline: Pipeline, texts: Mapping[str, str | None], folder: Path) -> dict[str, Any]:
    """Return the outputs of a pipeline in the form in which engines are compared."""
    store = open_store(str(folder / "store"))
    outputs = {}
    for name, source in pipeline.outputs.items():
        entry = Texts(store, name, of_artifacts=_is_artifact(source, pipeline)).read(texts[name] or "")
        outputs[name] = None if entry is None else compared(shown(entry.value), store, folder)
    return outputs


def _is_artifact(source: Source, pipeline: Pipeline) -> bool:
    if isinstance(source, FirstOf):
        return _is_artifact(source.sources[0], pipeline)
    tasks = {task.name: task for task in pipeline.tasks}
    return isinstance(tasks[source.task].component.outputs[source.output], ArtifactSlot)  # type: ignore[union-attr]

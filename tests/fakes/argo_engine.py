"""Engines that compile a spec to Argo and run what came out: `argo simulator` here, `argo` on a real cluster."""

import json
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from argosy.argo.arguments import argument_text
from argosy.argo.status import nodes_of
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

NAMED = re.compile(r"(?<=image: )python:3\.11$", re.MULTILINE)
"""The image that the shapes name; on a cluster, one takes its place that holds the launcher."""


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


def run_on_cluster(spec: Path, arguments: Mapping[str, Any], folder: Path) -> Ended:
    """Compile, have a real controller run it, and read the outputs from the store that its pods share."""
    from tests.fakes.argo_cluster import place  # which imports the client of Kubernetes

    here = place()
    store = f"{here.store}/{folder.name}"
    pipeline = read_pipeline(NAMED.sub(os.environ["ARGOSY_TEST_IMAGE"], spec.read_text(encoding="utf-8")))
    try:
        made = manifest(pipeline, Wanted(env={"ARGOSY_STORE": store}))
    except Unsupported as error:
        return Ended("refused", why=str(error))
    workflow = here.run(_handed(made, parameters_of(pipeline, arguments)))
    nodes = nodes_of(workflow)
    if workflow["status"]["phase"] != "Succeeded":
        return Ended("failed", why="\n".join(f"{each['name']}: {each.get('message')}" for each in nodes.values()))
    root = nodes[workflow["metadata"]["name"]]
    texts = {each["name"]: each.get("value") for each in root.get("outputs", {}).get("parameters", [])}
    return Ended("succeeded", read_outputs(pipeline, texts, folder, store))


def _handed(made: Mapping[str, Any], texts: Mapping[str, str]) -> dict[str, Any]:
    """Return a manifest with its parameters set."""
    stated = made["spec"].get("arguments", {}).get("parameters", [])
    found = [{**each, "value": texts[each["name"]]} if each["name"] in texts else each for each in stated]
    return {**made, "spec": {**made["spec"], "arguments": {"parameters": found}}}


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


def read_outputs(
    pipeline: Pipeline, texts: Mapping[str, str | None], folder: Path, url: str | None = None
) -> dict[str, Any]:
    """Return the outputs of a pipeline in the form in which engines are compared; the store is the folder's."""
    store = open_store(url or str(folder / "store"))
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

"""The workspace of a run: a claim of storage that Argo makes for it, and mounts where its path may be known.

The path holds the run's name. So whatever a step reads there it reads by a path that is in its key and that no other
run has, and nothing of one run's workspace is reused in another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from argosy.argo.unsupported import refusal
from argosy.launcher.canonical import normal_json
from argosy.spec.model import Executor, FieldOf, FirstOf, LoopItem, RunValue, TaskOutput, Template
from argosy.spec.templates import run_values_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from argosy.spec.model import Loop, Pipeline, Source, Task

NAME: Final = "workspace"
PLACEHOLDER: Final = "workspace_path"
FOLDER: Final = "/kfp-workspace"


def workspace_claim(pipeline: Pipeline) -> dict[str, Any]:
    """Return the field of a workflow that makes the claim; none where the pipeline asks for no workspace."""
    asked: Any = pipeline.platform.get("workspace")
    if not asked:
        return {}
    patch = (asked.get("kubernetes") or {}).get("pvcSpecPatch") or {}
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": asked["size"]}}}
    return {"volumeClaimTemplates": [{"metadata": {"name": NAME}, "spec": spec | normal_json(patch)}]}


def workspace_tasks(pipeline: Pipeline) -> frozenset[str]:
    """Return the tasks that may know the path of the workspace: those it is given to, and all that follow from them.

    Raises:
        Unsupported: A task is given the path, and the pipeline asks for no workspace.

    """
    found: set[str] = set()
    for task in pipeline.tasks:
        sources = [*task.inputs.values(), *task.channels.values()]
        if _in_words(task) or any(_knows(source, found, pipeline.loops) for source in sources):
            found.add(task.name)
    if found and not pipeline.platform.get("workspace"):
        raise refusal(f"tasks.{min(found)}", "workspace")
    return frozenset(found)


def mounted(template: Mapping[str, Any]) -> dict[str, Any]:
    """Return a container template in which the workspace is mounted: in its program's container, where there is one."""
    mount = {"name": NAME, "mountPath": f"{FOLDER}/{{{{workflow.name}}}}"}
    beside = template.get("sidecars")
    container = beside[0] if beside else template["container"]
    own = {**container, "volumeMounts": [*container["volumeMounts"], mount]}
    return {**template, "sidecars": [own]} if beside else {**template, "container": own}


def _in_words(task: Task) -> bool:
    executor = task.component.executor
    if not isinstance(executor, Executor) or executor.source is not None:
        return False
    return PLACEHOLDER in run_values_in((*executor.command, *executor.args), task.name)


def _knows(source: Source, tasks: set[str], loops: Mapping[str, Loop]) -> bool:
    match source:
        case RunValue(name):
            return name == PLACEHOLDER
        case TaskOutput(task):
            return task in tasks
        case _:
            return any(_knows(each, tasks, loops) for each in _parts(source, loops))


def _parts(source: Source, loops: Mapping[str, Loop]) -> Iterable[Source]:
    match source:
        case LoopItem(loop):
            return [loops[loop].items]
        case FieldOf(inner):
            return [inner]
        case FirstOf(sources):
            return sources
        case Template(_, channels):
            return channels.values()
    return []

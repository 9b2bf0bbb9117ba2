"""Pods that run several steps: which tasks may share one, and the plan that theirs carries."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from argosy.argo.scopes import read_scopes
from argosy.spec.fusing import TOLD, fuse
from argosy.spec.model import Executor, RunValue
from argosy.spec.segments import leaves

if TYPE_CHECKING:
    from argosy.argo.wanted import Wanted
    from argosy.spec.model import Pipeline, Task

RUN_PLAN: Final = ("python3", "-m", "argosy.local.fused")
PLAN: Final = "/argosy/plan.yaml"
OF_ONE_STEP: Final = ("initContainers", "emptyDirMounts", "enabledSharedMemory", "genericEphemeralVolume")
"""What a pod is asked for by a step that finds it as it is at the start of a pod."""


def with_shared_pods(pipeline: Pipeline, wanted: Wanted) -> Pipeline:
    """Return the plan that is translated: the given one, or one whose alike tasks share pods."""
    if not wanted.fuse:
        return pipeline
    return fuse(pipeline, alike, read_scopes(pipeline, wanted.store).is_measured)


def members_of(task: Task) -> tuple[str, ...]:
    """Return the names of the tasks that a task stands for; none where it is one itself."""
    plan = getattr(task.component.executor, "plan", None)
    return tuple(each.name for each in plan.tasks) if plan else ()


def alike(task: Task) -> tuple[str, str] | None:
    """Return what has to be equal for Python components to share a pod: the image, and all that is asked of the pod.

    A task has a pod of its own where that is given something of the run, or a place that is empty when it starts, and
    where the task is told more of the run than a plan within a pod knows.
    """
    executor = task.component.executor
    if not isinstance(executor, Executor) or executor.source is None:
        return None
    if task.channels or any(task.platform.get(key) for key in OF_ONE_STEP):
        return None
    names = {leaf.name for leaf in leaves(task.inputs.values()) if isinstance(leaf, RunValue)}
    if not names <= {*TOLD, "pipeline_task_name"}:
        return None
    return executor.image, json.dumps(dict(task.platform), sort_keys=True)

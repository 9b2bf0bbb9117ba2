"""Init containers of a pod. No key holds what they do, so a step that has some is never reused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from argosy.argo.program import NOBODY
from argosy.argo.unsupported import refusal
from argosy.argo.volumes import entries, volume_names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from argosy.spec.model import Task

KEPT = ("command", "args", "env", "restartPolicy", "resources")


def init_containers(task: Task, context: Mapping[str, Any]) -> dict[str, Any]:
    """Return the field of a template with a task's init containers; nothing where it has none.

    Args:
        task: The task.
        context: The security context of its other containers.

    Raises:
        Unsupported: One of them mounts a volume that the pod does not have.

    """
    found = [_container(entry, task, context) for entry in entries(task, "initContainers")]
    return {"initContainers": found} if found else {}


def _container(entry: Mapping[str, Any], task: Task, context: Mapping[str, Any]) -> dict[str, Any]:
    names, mounts = volume_names(task), []
    for mount in entry.get("volumeMounts", []):
        if mount["volumeName"] not in names:
            raise refusal(f"tasks.{task.name}.initContainers", "init container", f"volume {mount['volumeName']}")
        mounts.append({"name": names[mount["volumeName"]], "mountPath": mount["mountPath"]})
    return {
        "name": entry["name"],
        "image": entry["image"],
        **{key: entry[key] for key in KEPT if entry.get(key)},
        "securityContext": {"runAsUser": NOBODY, **context},
        **({"volumeMounts": mounts} if mounts else {}),
    }

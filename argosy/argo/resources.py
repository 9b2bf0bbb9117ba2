"""Cores, memory and accelerators of a container. What the run gives comes in by a patch: quantities take no tags."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from argosy.argo.channels import with_tags

if TYPE_CHECKING:
    from collections.abc import Mapping

    from argosy.spec.model import Task

RESOURCES: Final = {
    "cpu": ("resourceCpuLimit", "cpuLimit", "resourceCpuRequest", "cpuRequest"),
    "memory": ("resourceMemoryLimit", "memoryLimit", "resourceMemoryRequest", "memoryRequest"),
}


def resources(task: Task) -> dict[str, Any]:
    """Return the `resources` of a task's container that its spec says, without what the run gives."""
    return _only(_asked(task), tagged=False)


def pod_spec_patch(task: Task, container: str) -> str | None:
    """Return the patch of a pod for resources that the run gives to a container; None where there are none."""
    given = _only(_asked(task), tagged=True)
    return json.dumps({"containers": [{"name": container, "resources": given}]}) if given else None


def _only(asked: Mapping[str, Mapping[str, str]], *, tagged: bool) -> dict[str, Any]:
    kept = {
        part: {kind: text for kind, text in amounts.items() if ("{{" in kind + text) is tagged}
        for part, amounts in asked.items()
    }
    return {part: amounts for part, amounts in kept.items() if amounts}


def _asked(task: Task) -> dict[str, dict[str, str]]:
    given: Mapping[str, Any] = task.platform.get("resources") or {}  # type: ignore[assignment]  # an object by its schema
    limits: dict[str, str] = {}
    requests: dict[str, str] = {}
    for name, (limit, old_limit, request, old_request) in RESOURCES.items():
        for target, new, old in ((limits, limit, old_limit), (requests, request, old_request)):
            if given.get(new) or given.get(old):
                target[name] = _quantity(given.get(new), given.get(old), name, task)
    if accelerator := given.get("accelerator"):
        kind = with_tags(str(accelerator.get("resourceType") or accelerator.get("type")), task)
        limits[kind] = with_tags(str(accelerator.get("resourceCount") or accelerator.get("count")), task)
    return {"limits": limits, "requests": requests}


def _quantity(text: Any, number: Any, name: str, task: Task) -> str:
    """Return a quantity: as the text that was given, or from kfp's older number of cores or gigabytes."""
    if text:
        return with_tags(str(text), task)
    return f"{number:g}{'G' if name == 'memory' else ''}"

"""Take the launcher off a spec that was wrapped for Kubeflow, so that it is read as the one that its author wrote."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

from argosy.launcher.wrapping import CACHING, HIDDEN, is_wrapped, own_command, put_back

if TYPE_CHECKING:
    from collections.abc import Mapping

    from argosy.spec.model import JsonValue


def unwrap(spec: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Return the spec without what wrapping put in; one that was not wrapped comes back as it is."""
    labels = {label for label, container in containers(spec).items() if is_wrapped(container.get("command") or [])}
    if not labels:
        return dict(spec)
    found = copy.deepcopy(dict(spec))
    for label, container in containers(found).items():
        if label in labels:
            container["command"] = own_command(container["command"])
    components = _objects(found, "components")
    steps = {name for name, component in components.items() if component.get("executorLabel") in labels}
    for component in (*components.values(), found.get("root")):
        if isinstance(component, dict):
            _unwrap_component(component, steps)
    return found


def containers(spec: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the containers of a spec by the labels of their executors; what is none is left out."""
    executors = _objects(_objects(spec, "deploymentSpec"), "executors")
    return {label: one for label in executors if (one := _objects(_objects(executors, label), "container"))}


def tasks_of(component: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the tasks of a component by name; none where it is no DAG."""
    return _objects(_objects(component, "dag"), "tasks")


def constants(task: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what gives a task the values that stand in the spec."""
    sources = _objects(_objects(task, "inputs"), "parameters").values()
    return [one["runtimeValue"] for one in sources if "constant" in (one.get("runtimeValue") or {})]


def _unwrap_component(component: dict[str, Any], steps: set[str]) -> None:
    for place in (("inputDefinitions",), ("outputDefinitions",), ("dag", "outputs")):
        _without_hidden(component, *place)
    for task in tasks_of(component).values():
        if task.get("componentRef", {}).get("name") in steps:
            _restore_caching(task)
            for source in constants(task):
                source["constant"] = put_back(source["constant"])
        _without_hidden(task, "inputs")


def _restore_caching(task: dict[str, Any]) -> None:
    given = _objects(_objects(task, "inputs"), "parameters").get(CACHING)
    options = json.loads(given["runtimeValue"]["constant"]) if given else {"enableCache": True}
    task.pop("cachingOptions", None)
    if options is not None:
        task["cachingOptions"] = options


def _without_hidden(holder: dict[str, Any], *place: str) -> None:
    """Drop hidden parameters at a place, and the objects that held nothing else."""
    chain = [holder]
    for name in (*place, "parameters"):
        below = chain[-1].get(name)
        if not isinstance(below, dict):
            return
        chain.append(below)
    hidden = [name for name in chain[-1] if name.startswith(HIDDEN)]
    for name in hidden:
        del chain[-1][name]
    for above, name in zip(reversed(chain[:-1]), reversed((*place, "parameters")), strict=True):
        if hidden and not above[name]:
            del above[name]


def _objects(holder: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = holder.get(key)
    return value if isinstance(value, dict) else {}

"""Put the launcher in front of each container of a PipelineSpec, and keep what stood there behind it.

Left to Kubeflow as they are: importers, programs whose image need not hold the launcher, programs that are told names
of the run, and components that are told how a run ended. Kubeflow's own cache is switched off for what is wrapped: it
compares names and tags, the launcher compares content.
"""

from __future__ import annotations

import copy
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from argosy.kubeflow.measured import find_measured, wire
from argosy.launcher.attempt import TYPES
from argosy.launcher.described import LIST
from argosy.launcher.wrapping import CACHING, Wrapping, set_aside, wrapped_command
from argosy.spec.executors import read_executor
from argosy.spec.fields import Fields
from argosy.spec.wrapped import constants, containers, tasks_of, unwrap

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from argosy.spec.model import JsonValue

PYTHON: Final = re.compile(r"(.*/)?python[\d.]*")
OF_THE_RUN: Final = re.compile(r"\{\{\$\.(?!inputs\.|outputs\.)")
DEFAULT_CACHING: Final = {"enableCache": True}


@dataclass(frozen=True)
class Wrapped:
    """A wrapped spec, and why which components were left to Kubeflow as they are."""

    spec: dict[str, JsonValue]
    left: Mapping[str, str]


def wrap(spec: Mapping[str, JsonValue], *, lock: str | None = None, env: Mapping[str, str] | None = None) -> Wrapped:
    """Return a spec whose steps run under the launcher; one that is wrapped already is wrapped anew.

    Args:
        spec: The PipelineSpec.
        lock: The file that pins third-party versions, relative to the project.
        env: Variables that every wrapped container is given and no key holds, such as `ARGOSY_STORE`.

    """
    found: dict[str, Any] = copy.deepcopy(unwrap(spec))
    components, known = found.get("components", {}), containers(found)
    # An image in which a Python step runs has to hold the launcher; then its programs may have it, too.
    images = {container.get("image") for container in known.values() if _is_function(container)}
    declared: dict[str, frozenset[str]] = {}
    left: dict[str, str] = {}
    for name, component in components.items():
        if "executorLabel" not in component:
            continue
        container = known.get(component["executorLabel"])
        reason = _reason_to_leave(component, container, images)
        if container is None or reason:
            left[name] = reason
            continue
        wrapping = _wrapping(name, component, container, lock)
        declared[name] = frozenset(wrapping.measurements)
        _put_in_front(container, wrapping, env or {})
    _wrap_tasks(found, components, declared)
    wire(found, find_measured(found, declared))
    return Wrapped(found, left)


def _wrap_tasks(spec: Mapping[str, Any], components: Mapping[str, Any], wrapped: Container[str]) -> None:
    for around in (*components.values(), spec["root"]):
        for task in tasks_of(around).values():
            name = task["componentRef"]["name"]
            if name in wrapped:
                _wrap_task(task, components[name])


def _reason_to_leave(component: Mapping[str, Any], container: Mapping[str, Any] | None, images: set[Any]) -> str:
    """Say why a component is not wrapped; empty where it is."""
    if container is None:
        return "it is no container"
    parameters = (component.get("inputDefinitions") or {}).get("parameters") or {}
    strange = sorted({one["parameterType"] for one in parameters.values()} - TYPES.keys())
    if strange:
        return f"it is told {strange[0].lower().replace('_', ' ')}"
    return "" if _is_function(container) else _reason_to_leave_program(container, images)


def _reason_to_leave_program(container: Mapping[str, Any], images: set[Any]) -> str:
    command, args = container.get("command") or [], container.get("args") or []
    if not command:
        return "its command stands in its image"
    if not PYTHON.fullmatch(command[0]) and container["image"] not in images:
        return f"image {container['image']} need not hold Python, which the launcher needs"
    if any(OF_THE_RUN.search(word) for word in (*command, *args)):
        return "its arguments hold names of the run"
    return ""


def _is_function(container: Mapping[str, Any]) -> bool:
    words: Any = {name: container.get(name) or [] for name in ("command", "args")}
    return getattr(read_executor(Fields({"container": {"image": "any", **words}})).executor, "source", None) is not None


def _wrapping(name: str, component: Mapping[str, Any], container: Mapping[str, Any], lock: str | None) -> Wrapping:
    """Read what the launcher has to be told of a component."""
    fields = Fields({"container": dict(container)}, f"deploymentSpec.executors.{component['executorLabel']}")
    read = read_executor(fields)
    executor: Any = read.executor
    declaration = read.declaration
    of_kind: dict[str, Any]
    if executor.source is not None:
        command = list(executor.command)
        of_kind = {"function": executor.function, "source_at": len(command) - 1, "packages": executor.packages}
    else:
        of_kind = {"image": executor.image, "argv": (*executor.command, *executor.args)}
    return Wrapping(
        component=name.removeprefix("comp-"),
        **of_kind,
        kind=declaration.kind,
        inputs=_types(component, "inputDefinitions"),
        outputs=_types(component, "outputDefinitions"),
        env=tuple(sorted(executor.env)),
        reads=declaration.reads,
        declared_env=declaration.env,
        measurements=declaration.measurements,
        natural_key=declaration.key,
        lock=lock,
    )


def _types(component: Mapping[str, Any], place: str) -> dict[str, str]:
    definitions = component.get(place) or {}
    types = {name: str(one["parameterType"]) for name, one in (definitions.get("parameters") or {}).items()}
    for name, one in (definitions.get("artifacts") or {}).items():
        title = one["artifactType"].get("schemaTitle", "")
        types[name] = title + (LIST if one.get("isArtifactList") else "")
    return dict(sorted(types.items()))


def _put_in_front(container: dict[str, Any], wrapping: Wrapping, env: Mapping[str, str]) -> None:
    container["command"] = wrapped_command(wrapping, container.get("command") or [])
    if env:
        own = [entry for entry in container.get("env") or [] if entry["name"] not in env]
        container["env"] = [*own, *({"name": name, "value": value} for name, value in sorted(env.items()))]


def _wrap_task(task: dict[str, Any], component: dict[str, Any]) -> None:
    for source in constants(task):
        source["constant"] = set_aside(source["constant"])
    options = task.get("cachingOptions")
    task["cachingOptions"] = {}
    if options == DEFAULT_CACHING:
        return
    text = json.dumps(options, sort_keys=True, separators=(",", ":"))
    definition = {"parameterType": "STRING", "isOptional": True, "defaultValue": ""}
    component.setdefault("inputDefinitions", {}).setdefault("parameters", {})[CACHING] = definition
    task.setdefault("inputs", {}).setdefault("parameters", {})[CACHING] = {"runtimeValue": {"constant": text}}

"""Container templates: what one pod runs, the launcher with the step that it is told of."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from argosy.argo.channels import channel_inputs
from argosy.argo.claims import claim_template, is_claim
from argosy.argo.fused import PLAN, RUN_PLAN
from argosy.argo.importer import importing
from argosy.argo.initial import init_containers
from argosy.argo.names import require_parameter_name, slug, unique
from argosy.argo.pod import (
    container_fields,
    require_mapped,
    security_context,
    storage_context,
    template_fields,
    variables,
)
from argosy.argo.program import beside
from argosy.argo.resources import pod_spec_patch
from argosy.argo.retry import retry_strategy
from argosy.argo.runnames import run_words
from argosy.argo.unsupported import refusal
from argosy.argo.workspace import mounted, workspace_tasks
from argosy.launcher.argo import ITEMS, LAUNCH, Told, escape_source
from argosy.launcher.beside import NAME as PROGRAM
from argosy.launcher.described import LIST
from argosy.spec.model import ABSENT, ArtifactSlot, Executor, Importer, TaskOutput
from argosy.spec.plan_text import plan_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from argosy.argo.scopes import Scopes
    from argosy.argo.wanted import Wanted
    from argosy.spec.model import Pipeline, Slot, Task

SOURCE: Final = "/argosy/source.py"
OUTPUTS: Final = "/tmp/outputs"  # noqa: S108  # a folder of the pod's own
PYTHON: Final = re.compile(r"(.*/)?python[\d.]*")
ENVIRONMENT: Final = (
    {"name": "ARGOSY_RUN", "value": "{{workflow.name}}"},
    {"name": "ARGOSY_NODE", "value": "{{node.name}}"},
    {"name": "ARGOSY_POD", "value": "{{pod.name}}"},
    {"name": "HOME", "value": "/tmp"},  # noqa: S108
)
SETTINGS: Final = "argosy"
"""The config map and the secret with the store's URL and its credentials."""


def container_templates(scopes: Scopes, taken: set[str], wanted: Wanted) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Return the templates of a pipeline's components, and the name of each task's; `taken` are those of others."""
    ready = launcher_images(scopes.pipeline, wanted.image)
    sharing = workspace_tasks(scopes.pipeline)
    by_content: dict[str, dict[str, Any]] = {}
    names: dict[str, str] = {}
    for task in scopes.pipeline.tasks:
        template = claim_template(task, scopes) if is_claim(task) else _pod(task, scopes, ready, wanted)
        if task.name in sharing and not is_claim(task):
            template = template | {"securityContext": storage_context()} | mounted(template)
        content = json.dumps(template, sort_keys=True)
        if content not in by_content:
            name = unique(slug(_called(task)), {*taken, *(each["name"] for each in by_content.values())})
            by_content[content] = {"name": name, **template}
        names[task.name] = by_content[content]["name"]
    return list(by_content.values()), names


def _codes(executor: Executor, wanted: Wanted) -> dict[str, str]:
    """Return the digest of the code that each component of a container's plan was planned with."""
    tasks = executor.plan.tasks if executor.plan else ()
    names = [task.component.name for task in tasks]
    return {name: wanted.planned[name] for name in names if name in wanted.planned}


def launcher_images(pipeline: Pipeline, image: str | None) -> tuple[str, ...]:
    """Return the images that hold the launcher: one that is known to, and those in which Python components run."""
    own = [found for task in pipeline.tasks if (found := _python_image(task))]
    return tuple(dict.fromkeys([image, *own] if image else own))


def _pod(task: Task, scopes: Scopes, ready: tuple[str, ...], wanted: Wanted) -> dict[str, Any]:
    executor = _runnable(task, ready)
    described = replace(
        told(task, executor, feeding_outputs(task, scopes), lock=wanted.lock),
        pipeline=scopes.pipeline.name,
        planned=wanted.planned.get(task.component.name, ""),
        codes=_codes(executor, wanted),
    )
    template = container_template(task, executor, described, wanted.env)
    template["container"]["args"] += run_words(task, executor, scopes)
    is_beside = executor.source is None and bool(ready) and executor.image not in ready
    if is_beside:
        template |= beside(template["container"], ready[0])
    if patch := pod_spec_patch(task, PROGRAM if is_beside else "main"):
        template["podSpecPatch"] = patch
    return template


def feeding_outputs(task: Task, scopes: Scopes) -> tuple[str, ...]:
    """Return the outputs of a task that loops run over."""
    return tuple(name for name in task.component.outputs if TaskOutput(task.name, name) in scopes.feeding)


def container_template(task: Task, executor: Executor, described: Told, env: Mapping[str, str]) -> dict[str, Any]:
    """Return the template of a task's component, without a name.

    Raises:
        Unsupported: What the task asks of its pod does not compile to Argo.

    """
    require_mapped(task)
    for name in (*task.component.inputs, *task.component.outputs):
        require_parameter_name(name, f"tasks.{task.name}")
    outputs = [name for output in task.component.outputs for name in _files(output, described.items)]
    template: dict[str, Any] = template_fields(task)
    inputs = _inputs(task, executor)
    if inputs:
        template["inputs"] = inputs
    if outputs:
        found = [{"name": name, "valueFrom": {"path": f"{OUTPUTS}/{name}"}} for name in outputs]
        template["outputs"] = {"parameters": found}
    if task.timeout_s:
        template["activeDeadlineSeconds"] = max(1, round(task.timeout_s))
    template["retryStrategy"] = retry_strategy(task.retry, f"tasks.{task.name}")
    template["container"] = _container(task, executor, described, env)
    template |= init_containers(task, template["container"]["securityContext"])
    return template


def _python_image(task: Task) -> str | None:
    executor = task.component.executor
    if not isinstance(executor, Executor) or (executor.source is None and executor.plan is None):
        return None
    return executor.image


def _runnable(task: Task, ready: tuple[str, ...]) -> Executor:
    executor, place = task.component.executor, f"tasks.{task.name}"
    if isinstance(executor, Importer):
        if not ready:
            raise refusal(place, "importer", executor.uri or f"the URI that comes by {executor.uri_input}")
        return Executor(ready[0])
    if executor.source is None and executor.plan is None:
        _require_runnable_program(executor, ready, place)
    if "{{" in executor.image or any("{{" in value for value in executor.env.values()):
        raise refusal(place, "placeholder in image or environment", executor.image)
    return executor


def _require_runnable_program(executor: Executor, ready: tuple[str, ...], place: str) -> None:
    if not executor.command:
        raise refusal(place, "command of the image", executor.image)
    if not PYTHON.fullmatch(executor.command[0]) and not ready:
        raise refusal(place, "program", executor.image)


def _called(task: Task) -> str:
    """Return what people call a component: the function, or its name without kfp's prefix and number."""
    executor = task.component.executor
    function = executor.function if isinstance(executor, Executor) else None
    return function or re.sub(r"^comp-|-\d+$", "", task.component.name)


def _files(output: str, items: tuple[str, ...]) -> list[str]:
    return [output, f"{output}{ITEMS}"] if output in items else [output]


def _inputs(task: Task, executor: Executor) -> dict[str, Any]:
    slots = task.component.inputs
    parameters = [{"name": name} | ({"default": ""} if _may_be_absent(slot) else {}) for name, slot in slots.items()]
    parameters += [{"name": name} for name in channel_inputs(task).values()]
    found: dict[str, Any] = {"parameters": parameters} if parameters else {}
    text = executor.source if executor.plan is None else plan_text(executor.plan)
    if text is not None:
        try:
            data = escape_source(text.strip("\n") + "\n")
        except ValueError as error:
            raise refusal(f"tasks.{task.name}", "brace", str(error)) from error
        name, path = ("source", SOURCE) if executor.plan is None else ("plan", PLAN)
        found["artifacts"] = [{"name": name, "path": path, "raw": {"data": data}}]
    return found


def _may_be_absent(slot: Slot) -> bool:
    return slot.optional or (not isinstance(slot, ArtifactSlot) and slot.default is not ABSENT)


def _container(task: Task, executor: Executor, described: Told, env: Mapping[str, str]) -> dict[str, Any]:
    fields = container_fields(task)
    words = ["--step", described.to_text()]
    words += ["--source", SOURCE] if executor.source is not None else []
    words += ["--source", PLAN] if executor.plan is not None else []
    words += ["--outputs", OUTPUTS]
    for name in task.component.inputs:
        words += ["--input", f"{name}={{{{inputs.parameters.{name}}}}}"]
    return {
        "image": executor.image,
        "command": list(LAUNCH if executor.plan is None else RUN_PLAN),
        "args": words,
        **{key: value for key, value in fields.items() if key not in {"env", "volumeMounts"}},
        "env": [*fields.get("env", []), *map(dict, ENVIRONMENT), *variables(env)],
        "envFrom": [
            {"configMapRef": {"name": SETTINGS, "optional": True}},
            {"secretRef": {"name": SETTINGS, "optional": True}},
        ],
        "securityContext": security_context(task),
        "volumeMounts": [*fields.get("volumeMounts", []), {"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108
    }


def told(task: Task, executor: Executor, items: tuple[str, ...], *, lock: str | None) -> Told:
    """Return what a pod is told of its component."""
    slots, declaration, own = task.component.inputs, task.component.declaration, task.component.executor
    values = {name: slot for name, slot in slots.items() if not isinstance(slot, ArtifactSlot)}
    is_program = own is executor and executor.source is None and executor.plan is None
    return Told(
        component=_called(task),
        function=executor.function or "",
        packages=executor.packages,
        image=executor.image if is_program else "",
        importer=importing(task, own) if isinstance(own, Importer) else {},
        argv=(*executor.command, *executor.args) if is_program else (),
        kind=declaration.kind,
        inputs=_types(slots),
        outputs=_types(task.component.outputs),
        optional=tuple(name for name, slot in slots.items() if slot.optional),
        defaults={name: slot.default for name, slot in values.items() if slot.default is not ABSENT},
        literals={name: list(slot.literals) for name, slot in values.items() if slot.literals},
        items=items,
        env=tuple(sorted(executor.env)),
        reads=declaration.reads,
        declared_env=declaration.env,
        measurements=declaration.measurements,
        natural_key=declaration.key,
        cache=task.cache,
        salt=task.cache_salt,
        lock=lock,
    )


def _types(slots: Mapping[str, Slot]) -> dict[str, str]:
    return {name: _type(slot) for name, slot in slots.items()}


def _type(slot: Slot) -> str:
    if isinstance(slot, ArtifactSlot):
        return slot.schema_title + (LIST if slot.is_list else "")
    return slot.type

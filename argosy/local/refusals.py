"""What a plan asks for and this machine does not have: said by name, before anything starts."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

from argosy.launcher.outside import REACHED, is_reached
from argosy.local.outside import is_claim
from argosy.spec.model import ArtifactSlot, Constant, Importer, PipelineInput

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from argosy.local.programs import Lack
    from argosy.spec.model import Executor, JsonValue, Pipeline, Task

REFUSALS: Final = {
    "importer": REACHED,
    "Python packages": (
        "this environment does not have them",
        "install them beside argosy, or ask for versions that are there",
    ),
    "Python module": ("this environment does not have it", "install its package beside argosy"),
    "containerized Python": (
        "its code is in the image only, and images are not pulled",
        "write it with @dsl.component, or run it in a cluster",
    ),
    "missing command": (
        "what an image starts is not known without pulling it",
        "write the command down in the component",
    ),
    "program": ("it is not installed here, and images are not pulled", "install it, or run the pipeline in a cluster"),
    "file of the image": (
        "images are not pulled, and a program starts in an empty folder",
        "give the script as text (sh -c, python -c), or run the pipeline in a cluster",
    ),
    "installation of packages": (
        "a container is thrown away afterwards, this machine is not",
        "install them here yourself and leave the installation out of the component",
    ),
    "bash in sh": ("the sh of this machine does not know it", "name bash as the program, or write it for POSIX"),
    "mounted volume": (
        "nothing is mounted here, and the step names the path",
        "pass files between steps as artifacts; scratch space is the current folder",
    ),
    "field of the pod": ("there is no pod here", "set the variables yourself, or make them parameters"),
    "init container": ("only the step's own container is run here", "do its work inside the step"),
    "SlicedClassificationMetrics": ("kfp's own code fails at its first use", "use ClassificationMetrics"),
}
"""Each construct with the reason why it cannot run here, and what to do instead."""

MOUNTS: Final = ("secretAsVolume", "configMapAsVolume", "pvcMount", "genericEphemeralVolume", "emptyDirMounts")
VARIABLES: Final = {"secretAsEnv": "secret", "configMapAsEnv": "config map"}
SEPARATOR: Final = "; "


def refusals(pipeline: Pipeline, arguments: Mapping[str, object]) -> list[str]:
    """Say what a plan needs and this machine does not have, one line for all tasks that lack the same.

    Each line names the tasks, what they need, why that is not here, and what to do instead.
    """
    tasks: dict[Lack, list[str]] = {}
    for task in pipeline.tasks:
        for lack in _lacking(task, arguments):
            tasks.setdefault(lack, []).append(f"tasks.{task.name}")
    return [_said(lack, dict.fromkeys(names)) for lack, names in tasks.items()]


def notices(pipeline: Pipeline) -> list[str]:
    """Say what a cluster would give to steps and this machine does not: secrets that are not set, volumes."""
    found = []
    for task in pipeline.tasks:
        for kind, said in VARIABLES.items():
            names = [name for name in _variables(task.platform.get(kind)) if name not in os.environ]
            found += [f"{task.name}: {name} comes from a {said} in a cluster and is not set here" for name in names]
        for kind, path in _mounts(task):
            found.append(f"{task.name}: nothing is mounted at {path} ({kind}) here")
    return found


def _said(lack: Lack, tasks: Iterable[str]) -> str:
    construct, got = lack
    reason, instead = REFUSALS[construct]
    if construct == "Python packages":
        reason += _instead_of(got.split(SEPARATOR))
    return f"{', '.join(tasks)}: {construct} ({got}): cannot run here: {reason}; {instead}"


def _lacking(task: Task, arguments: Mapping[str, object]) -> Iterator[Lack]:
    executor = task.component.executor
    if isinstance(executor, Importer):
        uri = _uri(task, executor, arguments)
        if uri is not None and not is_reached(str(uri)):
            yield "importer", str(uri)
        return
    yield from _lacking_platform(task, executor)
    if executor.source is not None:
        yield from _lacking_packages(executor)
        slots = [slot for slot in task.component.outputs.values() if isinstance(slot, ArtifactSlot)]
        for slot in slots:
            if slot.schema_title == "system.SlicedClassificationMetrics":
                yield "SlicedClassificationMetrics", slot.name
    elif not is_claim(executor):
        from argosy.local.programs import lacking_program

        yield from lacking_program(executor)


def _lacking_packages(executor: Executor) -> Iterator[Lack]:
    if executor.packages:
        # 15 ms of imports that an unchanged run feels, and few components ask for packages.
        from argosy.local.packages import missing_packages

        if missing := missing_packages(executor.packages):
            yield "Python packages", SEPARATOR.join(missing)


def _instead_of(requirements: Iterable[str]) -> str:
    from argosy.local.packages import installed_instead

    others = ", ".join(installed_instead(requirements))
    return f" (it has {others})" if others else ""


def _lacking_platform(task: Task, executor: Executor) -> Iterator[Lack]:
    texts = _texts(task, executor)
    for kind, path in _mounts(task):
        # `/data` is not in `/database`, nor in `s3://bucket/data`.
        if re.search(rf"(?<![\w./-]){re.escape(path.rstrip('/'))}(?![\w-])", texts):
            yield "mounted volume", f"{kind} at {path}"
    unset = [name for name in _entries(task.platform.get("fieldPathAsEnv"), "name") if name not in os.environ]
    if unset:
        yield "field of the pod", ", ".join(unset)
    if "initContainers" in task.platform:
        yield "init container", "initContainers"


def _mounts(task: Task) -> list[tuple[str, str]]:
    return [(kind, path) for kind in MOUNTS for path in _entries(task.platform.get(kind), "mountPath")]


def _texts(task: Task, executor: Executor) -> str:
    """Return all texts of a step that may name a path: its code, its variables, what the spec gives it."""
    given = [str(source.value) for source in task.inputs.values() if isinstance(source, Constant)]
    code = [executor.source] if executor.source is not None else [*executor.command, *executor.args]
    return "\n".join((*code, *executor.env.values(), *given))


def _uri(task: Task, importer: Importer, arguments: Mapping[str, object]) -> object:
    """Return the URI of an importer; None where only the run will know it."""
    source = task.inputs.get(importer.uri_input) if importer.uri_input else Constant(importer.uri)
    if isinstance(source, PipelineInput):
        return arguments.get(source.name)
    return source.value if isinstance(source, Constant) else None


def _entries(entries: JsonValue, name: str) -> list[str]:
    found = [entry for entry in (entries if isinstance(entries, list) else []) if isinstance(entry, dict)]
    return [str(entry[name]) for entry in found if entry.get(name)]


def _variables(sources: JsonValue) -> list[str]:
    entries = [entry for entry in (sources if isinstance(sources, list) else []) if isinstance(entry, dict)]
    required = [entry for entry in entries if not entry.get("optional")]
    return [name for entry in required for name in _entries(entry.get("keyToEnv"), "envVar")]

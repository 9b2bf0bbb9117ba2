"""What a plan asks for and this machine does not have: said by name, before anything starts."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from functools import cache
from typing import TYPE_CHECKING, Final

from argosy.errors import Unsupported
from argosy.launcher.executor import search_path
from argosy.local.outside import is_claim, local_path
from argosy.spec.model import ArtifactSlot, Constant, Importer, PipelineInput

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from argosy.spec.model import Executor, JsonValue, Pipeline, Task

REFUSALS: Final = {
    "importer": (
        "this machine imports its own files and folders, by path or file://",
        "download it, and give the path",
    ),
    "Python packages": ("they are not installed here", "install them beside argosy, in the same environment"),
    "containerized Python": ("its module is in the image only", "run it in a cluster, or write it with @dsl.component"),
    "missing command": ("the entry point of an image is not known without pulling it", "write the command down"),
    "program": ("it is not installed here, and images are not pulled", "install it, or run the pipeline in a cluster"),
    "pip install": ("it would change the Python that argosy runs in", "list the packages as the component's own"),
    "[[ in sh": ("the sh of this machine does not know `[[`", "use `[`, or name bash as the program"),
    "mounted volume": (
        "it is not mounted here, and the step's own code names its path",
        "pass files between steps as artifacts; scratch space is the current folder",
    ),
    "field of the pod": ("there is no pod here", "give the value as a parameter"),
    "init container": ("only the step's own container is run here", "do its work inside the step"),
    "SlicedClassificationMetrics": ("kfp's own code fails at its first use", "use ClassificationMetrics"),
}
MOUNTS: Final = ("secretAsVolume", "configMapAsVolume", "pvcMount", "genericEphemeralVolume", "emptyDirMounts")
VARIABLES: Final = ("secretAsEnv", "configMapAsEnv")
SHELLS: Final = ("sh", "bash", "dash", "busybox")
# What a script may begin with that is no program: the words of POSIX shells.
SHELL_WORDS: Final = (
    ".", ":", "[", "[[", "{", "(", "!", "alias", "break", "case", "cd", "command", "continue", "do", "echo",
    "eval", "exec", "exit", "export", "false", "for", "function", "getopts", "hash", "if", "local", "printf",
    "pwd", "read", "readonly", "return", "select", "set", "shift", "shopt", "source", "test", "then", "time",
    "times", "trap", "true", "type", "ulimit", "umask", "unalias", "unset", "until", "wait", "while",
)  # fmt: skip


def require_runnable(pipeline: Pipeline) -> None:
    """Raise where a plan needs what this machine does not have.

    Raises:
        Unsupported: Each such task is named, with what it needs, why that is not here, and what to do instead.

    """
    found = [refusal for task in pipeline.tasks for refusal in _refusals(task)]
    if found:
        raise Unsupported("\n".join(dict.fromkeys(found)))


def require_importable(pipeline: Pipeline, arguments: Mapping[str, object]) -> None:
    """Raise where an importer was given a URI, by a parameter of the pipeline, that lies elsewhere.

    Raises:
        Unsupported: Each such task is named.

    """
    found = []
    for task in pipeline.tasks:
        executor = task.component.executor
        source = task.inputs.get(executor.uri_input or "") if isinstance(executor, Importer) else None
        uri = arguments.get(source.name) if isinstance(source, PipelineInput) else None
        if isinstance(uri, str) and local_path(uri) is None:
            found.append(_said_so(task, "importer", uri))
    if found:
        raise Unsupported("\n".join(found))


def notices(pipeline: Pipeline) -> list[str]:
    """Say which variables, filled from secrets and config maps in a cluster, are not set here."""
    found = []
    for task in pipeline.tasks:
        for kind in VARIABLES:
            names = [name for name in _variables(task.platform.get(kind)) if name not in os.environ]
            found += [
                f"{task.name}: {name} comes from a {_said(kind)} in a cluster and is not set here" for name in names
            ]
    return found


def _refusals(task: Task) -> Iterator[str]:
    for construct, got in _lacking(task):
        yield _said_so(task, construct, got)


def _said_so(task: Task, construct: str, got: str) -> str:
    reason, instead = REFUSALS[construct]
    return f"tasks.{task.name}: {construct} ({got}): cannot run here: {reason}; {instead}"


def _lacking(task: Task) -> Iterator[tuple[str, str]]:
    executor = task.component.executor
    if isinstance(executor, Importer):
        yield from _lacking_import(task, executor)
        return
    yield from _lacking_platform(task, executor)
    if executor.source is not None:
        if missing := missing_packages(executor.packages):
            yield "Python packages", ", ".join(missing)
        slots = [slot for slot in task.component.outputs.values() if isinstance(slot, ArtifactSlot)]
        for slot in slots:
            if slot.schema_title == "system.SlicedClassificationMetrics":
                yield "SlicedClassificationMetrics", slot.name
    elif not is_claim(executor):
        yield from _lacking_program((*executor.command, *executor.args), executor)


def _lacking_import(task: Task, importer: Importer) -> Iterator[tuple[str, str]]:
    source = task.inputs.get(importer.uri_input) if importer.uri_input else Constant(importer.uri)
    if isinstance(source, Constant) and local_path(str(source.value)) is None:
        yield "importer", str(source.value)


def _lacking_program(argv: tuple[str, ...], executor: Executor) -> Iterator[tuple[str, str]]:
    if not executor.command:
        yield "missing command", executor.image
        return
    if any("kfp.dsl.executor_main" in word for word in argv):
        yield "containerized Python", executor.image
    elif "{{" not in argv[0] and not _is_here(argv[0]):
        yield "program", argv[0]
    elif any("pip install" in word for word in argv):
        yield "pip install", executor.image
    else:
        yield from _lacking_in_script(argv)


def _lacking_in_script(argv: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Look at the first word of a shell's script, and for what only some shells know."""
    if os.path.basename(argv[0]) not in SHELLS or len(argv) < 3 or not re.fullmatch(r"-\w*c", argv[1]):  # noqa: PTH119
        return
    try:
        words = shlex.split(argv[2], comments=True)
    except ValueError:
        return
    if words and re.fullmatch(r"[\w.+-]+", words[0]) and words[0] not in SHELL_WORDS and not _is_here(words[0]):
        yield "program", words[0]
    if "[[" in words and not _knows_double_brackets(argv[0]):
        yield "[[ in sh", argv[0]


def _lacking_platform(task: Task, executor: Executor) -> Iterator[tuple[str, str]]:
    code = executor.source or "\n".join((*executor.command, *executor.args))
    for kind in MOUNTS:
        for path in _mount_paths(task.platform.get(kind)):
            if path in code:
                yield "mounted volume", f"{kind} at {path}"
    if "fieldPathAsEnv" in task.platform:
        yield "field of the pod", "fieldPathAsEnv"
    if "initContainers" in task.platform:
        yield "init container", "initContainers"


def missing_packages(requirements: tuple[str, ...]) -> list[str]:
    """Return the requirements that this environment does not meet."""
    return [requirement for requirement in requirements if not _is_met(requirement)]


@cache
def _is_met(text: str) -> bool:
    from importlib.metadata import PackageNotFoundError, version

    from packaging.requirements import InvalidRequirement, Requirement

    try:
        requirement = Requirement(text)
        if requirement.marker is not None and not requirement.marker.evaluate():
            return True
        return requirement.specifier.contains(version(requirement.name), prereleases=True)
    except (InvalidRequirement, PackageNotFoundError):
        return False


def _is_here(program: str) -> bool:
    return shutil.which(program, path=search_path()) is not None


@cache
def _knows_double_brackets(shell: str) -> bool:
    probe = subprocess.run([shell, "-c", "[[ a == a ]]"], capture_output=True, check=False)
    return probe.returncode == 0


def _mount_paths(mounts: JsonValue) -> list[str]:
    entries = mounts if isinstance(mounts, list) else []
    return [str(entry["mountPath"]) for entry in entries if isinstance(entry, dict) and entry.get("mountPath")]


def _variables(sources: JsonValue) -> list[str]:
    entries = [entry for entry in (sources if isinstance(sources, list) else []) if isinstance(entry, dict)]
    pairs = [pair for entry in entries if isinstance(keys := entry.get("keyToEnv"), list) for pair in keys]
    return [str(pair["envVar"]) for pair in pairs if isinstance(pair, dict) and pair.get("envVar")]


def _said(kind: str) -> str:
    return "secret" if kind == "secretAsEnv" else "config map"

"""Tasks that need no process on this machine: importers, which look outside, and claims of storage.

Like observing steps they are never reused: what they see may have changed.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

from argosy.errors import ArgosyError, BadInput, Unsupported
from argosy.launcher.artifacts import store_artifact
from argosy.launcher.canonical import digest_of, normal_json
from argosy.launcher.placeholders import fill
from argosy.launcher.step import Outcome, Output
from argosy.spec.model import Executor, Importer
from argosy.spec.plan import resolve_inputs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from argosy.launcher.launch import Context
    from argosy.launcher.step import Input
    from argosy.spec.model import Task
    from argosy.spec.unrolling import Instance, Unrolling

CLAIMS: Final = ("argostub/createpvc", "argostub/deletepvc")
ELSEWHERE: Final = (
    "this machine imports its own files and folders, by path or file://",
    "download it first, and give the path",
)
"""Why an importer is refused what does not lie on this machine, and what to do instead."""


def is_outside(task: Task) -> bool:
    """Say whether a task needs no process of its own."""
    executor = task.component.executor
    return isinstance(executor, Importer) or is_claim(executor)


def is_claim(executor: Executor) -> bool:
    """Say whether a container stands for a claim of storage, which only Kubernetes grants."""
    return executor.image.removeprefix("docker.io/") in CLAIMS


def look_outside(instance: Instance, so_far: Unrolling, context: Context) -> Outcome:
    """Bring a task that needs no process to its end."""
    began = time.perf_counter()
    executor = instance.task.component.executor
    try:
        inputs = resolve_inputs(instance, so_far)
        if isinstance(executor, Importer):
            outputs = _import(instance, executor, inputs, context)
        else:
            outputs = _claim(instance, inputs, context)
    except ArgosyError as error:
        return Outcome("failed", error=str(error), exit_code=error.exit_code)
    key = digest_of([instance.task.component.name, {name: entry.identity for name, entry in inputs.items()}])
    return Outcome("observed", key, outputs, time.perf_counter() - began)


def _import(instance: Instance, importer: Importer, inputs: Mapping[str, Input], context: Context) -> dict[str, Output]:
    values = {name: entry.value for name, entry in inputs.items()}
    uri = str(values[importer.uri_input]) if importer.uri_input else importer.uri
    path = local_path(uri)
    if path is None:
        raise Unsupported(f"tasks.{instance.name}: importer ({uri}): cannot run here: {'; '.join(ELSEWHERE)}")
    if not path.exists():
        raise BadInput(f"tasks.{instance.name}: importer ({uri}): {path.absolute()} is not there; give a path that is")
    # The compiler made floats of whole numbers; Kubeflow hands them to steps as they were written.
    metadata = fill(normal_json(importer.metadata), {"inputs": {"parameterValues": values, "artifacts": {}}})
    artifact = store_artifact(context.store, path, metadata)
    return {name: Output(artifact) for name in instance.task.component.outputs}


def local_path(uri: str) -> Path | None:
    """Return the file or folder that a URI names on this machine, None for one that lies elsewhere."""
    parts = urlsplit(uri)
    if parts.scheme == "file" and parts.netloc in {"", "localhost"}:
        return Path(unquote(parts.path))
    return Path(uri) if "://" not in uri else None


def _claim(instance: Instance, inputs: Mapping[str, Input], context: Context) -> dict[str, Output]:
    """Name the volume as Kubernetes would; none is made, since none is mounted here."""
    given: dict[str, Any] = {name: entry.value for name, entry in inputs.items()}
    name = given.get("pvc_name") or f"{context.run}{given.get('pvc_name_suffix', '')}"
    return {output: Output(name) for output in instance.task.component.outputs}

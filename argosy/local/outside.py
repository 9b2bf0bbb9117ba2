"""Tasks that need no process on this machine: importers, which look outside, and claims of storage.

Like observing steps they are never reused: what they see may have changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from argosy.launcher.outside import Import, observe_import, observed_key
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


def is_outside(task: Task) -> bool:
    """Say whether a task needs no process of its own."""
    executor = task.component.executor
    return isinstance(executor, Importer) or is_claim(executor)


def is_claim(executor: Executor) -> bool:
    """Say whether a container stands for a claim of storage, which only Kubernetes grants."""
    return executor.image.removeprefix("docker.io/") in CLAIMS


def look_outside(instance: Instance, so_far: Unrolling, context: Context) -> Outcome:
    """Bring a task that needs no process to its end."""
    component = instance.task.component
    inputs = resolve_inputs(instance, so_far)
    if isinstance(component.executor, Importer):
        asked = Import(component.executor.uri, component.executor.uri_input, component.executor.metadata)
        place = f"tasks.{instance.name}"
        return observe_import(component.name, asked, inputs, component.outputs, store=context.store, place=place)
    return Outcome("observed", observed_key(component.name, inputs), _claim(instance, inputs, context))


def _claim(instance: Instance, inputs: Mapping[str, Input], context: Context) -> dict[str, Output]:
    """Name the volume as Kubernetes would; none is made, since none is mounted here."""
    given: dict[str, Any] = {name: entry.value for name, entry in inputs.items()}
    name = given.get("pvc_name") or f"{context.run}{given.get('pvc_name_suffix', '')}"
    return {output: Output(name) for output in instance.task.component.outputs}

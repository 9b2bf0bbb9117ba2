"""Claims of storage that a pipeline makes and deletes (`kubernetes.CreatePVC`, `DeletePVC`), as resource templates.

What a step leaves on a volume is in no key: who mounts one is never reused, and neither is the making of a claim. It is
applied, so that another attempt finds its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from argosy.argo.pod import NOT_OF_PODS, RESTRICTED
from argosy.argo.retry import retry_strategy
from argosy.argo.unsupported import refusal
from argosy.launcher.canonical import unsubstituted_json
from argosy.launcher.parameters import encode_literal
from argosy.spec.model import (
    ABSENT,
    Constant,
    Executor,
    FirstOf,
    LoopItem,
    Parameter,
    PipelineInput,
    RunValue,
    TaskOutput,
)

if TYPE_CHECKING:
    from argosy.argo.scopes import Scopes
    from argosy.spec.model import JsonValue, Slot, Source, Task

CREATE: Final = "argostub/createpvc"
DELETE: Final = "argostub/deletepvc"
HEAD: Final = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata:\n  name: {name}\n"
OWN_NAME: Final = "{{=toJson(workflow.name + fromJSON(inputs.parameters.pvc_name_suffix))}}"
OF_THE_SPEC: Final = {
    "access_modes": "  accessModes: {}\n",
    "size": "  resources:\n    requests:\n      storage: {}\n",
    "storage_class_name": "  storageClassName: {}\n",
    "volume_name": "  volumeName: {}\n",
    "data_source": "  dataSource: {}\n",
}
"""The lines that inputs make; each is a text of JSON, and so a value in YAML."""

EXECUTOR: Final = unsubstituted_json(
    {
        "containers": [
            {"name": "main", "securityContext": {key: RESTRICTED[key] for key in NOT_OF_PODS}},
            {"name": "wait", "$patch": "delete"},
        ]
    }
)
"""Argo itself is the main container of such a pod and nothing waits beside it, as the workflow's own patch has it."""


def is_claim(task: Task) -> bool:
    """Say whether a task makes or deletes a claim."""
    return _image(task) in {CREATE, DELETE}


def claim_template(task: Task, scopes: Scopes) -> dict[str, Any]:
    """Return the template of a task that makes or deletes a claim, without a name.

    Raises:
        Unsupported: What the claim is to be is no value of its own, or the rounds of a loop would make one claim.

    """
    given = [name for name in task.component.inputs if _is_given(name, task, scopes)]
    parameters = [_input(name, slot) for name, slot in task.component.inputs.items()]
    template: dict[str, Any] = {"inputs": {"parameters": parameters}}
    if _image(task) == CREATE:
        filters = {name: {"jqFilter": ".metadata.name | tojson"} for name in task.component.outputs}
        found = [{"name": name, "valueFrom": value} for name, value in filters.items()]
        template["outputs"] = {"parameters": found}
    template["retryStrategy"] = retry_strategy(task.retry, f"tasks.{task.name}")
    template["podSpecPatch"] = EXECUTOR
    template["resource"] = _made(task, given) if _image(task) == CREATE else _deleted()
    return template


def _made(task: Task, given: list[str]) -> dict[str, Any]:
    naming = "pvc_name" if "pvc_name" in given else "pvc_name_suffix"
    if naming not in given or (task.loops and isinstance(task.inputs.get(naming), Constant | None)):
        raise refusal(f"tasks.{task.name}", "claim of storage", f"{naming} is not one of its own")
    manifest = HEAD.format(name=_tag("pvc_name") if naming == "pvc_name" else OWN_NAME)
    if "annotations" in given:
        manifest += f"  annotations: {_tag('annotations')}\n"
    manifest += "spec:\n" + "".join(line.format(_tag(name)) for name, line in OF_THE_SPEC.items() if name in given)
    return {"action": "apply", "manifest": manifest}


def _deleted() -> dict[str, Any]:
    # Who waits for its end has to be allowed to list and watch claims.
    return {"action": "delete", "flags": ["--wait=false"], "manifest": HEAD.format(name=_tag("pvc_name"))}


def _is_given(name: str, task: Task, scopes: Scopes) -> bool:
    """Say whether an input is given or has a default; Argo puts its text into the manifest, which has to be JSON."""
    source = task.inputs.get(name)
    if source is None:
        return _default(task.component.inputs[name]) is not None
    if not _is_plain(source, task, scopes):
        raise refusal(f"tasks.{task.name}", "claim of storage", f"{name} is put together")
    return True


def _default(slot: Slot) -> JsonValue:
    return slot.default if isinstance(slot, Parameter) and slot.default is not ABSENT else None


def _input(name: str, slot: Slot) -> dict[str, str]:
    default = _default(slot)
    if default is None:
        return {"name": name} | ({"default": ""} if slot.optional else {})
    return {"name": name, "default": encode_literal(default, name)}


def _is_plain(source: Source, task: Task, scopes: Scopes) -> bool:
    if isinstance(source, TaskOutput | FirstOf) and scopes.depth(source, task.loops):
        return False
    of_values = isinstance(source, Constant | PipelineInput | TaskOutput | FirstOf | LoopItem | RunValue)
    return of_values and not scopes.is_measured(source)


def _tag(name: str) -> str:
    return f"{{{{inputs.parameters.{name}}}}}"


def _image(task: Task) -> str:
    executor = task.component.executor
    return executor.image.removeprefix("docker.io/") if isinstance(executor, Executor) else ""

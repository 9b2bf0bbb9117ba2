"""What Kubernetes is asked for: fields of a template and of its container, from the platform part of a task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from argosy.argo.channels import CONSTRUCT, with_tags
from argosy.argo.placement import placement
from argosy.argo.resources import resources
from argosy.argo.unsupported import refusal
from argosy.argo.volumes import GROUP, entries, has_storage, name_in, volumes
from argosy.errors import Mistake
from argosy.launcher.canonical import EXPANDED
from argosy.spec.fields import shorten

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from argosy.spec.model import Task

PULL_POLICIES: Final = ("Always", "IfNotPresent", "Never")
RESTRICTED: Final = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}
"""The restricted profile of Kubernetes' pod security standards, and a root that cannot be written."""
OF_PODS: Final = ("runAsNonRoot", "seccompProfile")
"""Its fields that a pod has, for all of its containers."""
NOT_OF_PODS: Final = ("allowPrivilegeEscalation", "capabilities")
"""Its fields that each container has to have, also one of Argo's own."""


def require_mapped(task: Task) -> None:
    """Raise for what a task asks of its pod and does not get on Argo.

    Raises:
        Unsupported: The field is named.

    """
    if claims := task.platform.get("podResourceClaims"):
        raise refusal(f"tasks.{task.name}.podResourceClaims", "claim of a device", shorten(claims))


def template_fields(task: Task) -> dict[str, Any]:
    """Return the fields of a template that describe and place its pods."""
    metadata: Any = task.platform.get("podMetadata")
    found: dict[str, Any] = {}
    if metadata:
        found["metadata"] = {
            key: {name: with_tags(text, task) for name, text in metadata[key].items()}
            for key in ("annotations", "labels")
            if metadata.get(key)
        }
    found |= placement(task)
    if mounted := [volume for volume, _ in volumes(task)]:
        found["volumes"] = mounted
    if has_storage(task):
        found["securityContext"] = storage_context()
    return found


def storage_context() -> dict[str, Any]:
    """Return the security context of a pod that mounts storage: a group of its own may write there."""
    own = {"fsGroup": GROUP, "fsGroupChangePolicy": "OnRootMismatch"}
    return {**{key: RESTRICTED[key] for key in OF_PODS}, **own}


def container_fields(task: Task) -> dict[str, Any]:
    """Return the fields of a container beside what it runs: variables, resources, mounts."""
    found: dict[str, Any] = {}
    own = getattr(task.component.executor, "env", {})
    if env := [*variables(dict(sorted(own.items()))), *_references(task)]:
        found["env"] = env
    if asked := resources(task):
        found["resources"] = asked
    if policy := task.platform.get("imagePullPolicy"):
        if policy not in PULL_POLICIES:
            raise Mistake(f"tasks.{task.name}.imagePullPolicy: got {policy!r}; allowed: {', '.join(PULL_POLICIES)}")
        found["imagePullPolicy"] = policy
    if mounts := [mount for _, mount in volumes(task)]:
        found["volumeMounts"] = mounts
    return found


def variables(env: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return variables of a container."""
    return [{"name": name, "value": literal(value)} for name, value in env.items()]


def literal(text: str) -> str:
    """Return a text of a variable or an argument, where Kubernetes reads `$$` as `$`, and `$(NAME)` as a variable."""
    return EXPANDED.sub("$$", text)


def security_context(task: Task) -> dict[str, Any]:
    """Return the security context of a task's containers: the restricted one, as a user that the task may name.

    Raises:
        Unsupported: The task asks for more than the restricted profile gives.

    """
    given: dict[str, Any] = task.platform.get("securityContext") or {}  # type: ignore[assignment]  # an object by its schema
    asked: dict[str, int] = {key: int(given[key]) for key in ("runAsUser", "runAsGroup") if key in given}
    if 0 in asked.values() or given.get("runAsNonRoot") is False or set(given) - {*asked, "runAsNonRoot"}:
        said = ", ".join(f"{key}: {value}" for key, value in given.items())
        raise refusal(f"tasks.{task.name}.securityContext", "security context", said)
    return {**RESTRICTED, **asked}


def pull_secrets(task: Task) -> list[str]:
    """Return the names of the secrets that a task's image is pulled with."""
    names = [name_in(entry, "secretName", task, "imagePullSecret") for entry in entries(task, "imagePullSecret")]
    if tags := [name for name in names if "{{" in name]:
        raise refusal(f"tasks.{task.name}.imagePullSecret", CONSTRUCT, tags[0])
    return names


def _references(task: Task) -> Iterator[dict[str, Any]]:
    for key, field, kind, reference in (
        ("secretAsEnv", "secretName", "secretKey", "secretKeyRef"),
        ("configMapAsEnv", "configMapName", "configMapKey", "configMapKeyRef"),
    ):
        for entry in entries(task, key):
            name = name_in(entry, field, task, key)
            for pair in entry.get("keyToEnv", []):
                optional = {"optional": True} if entry.get("optional") else {}
                yield {
                    "name": pair["envVar"],
                    "valueFrom": {reference: {"name": name, "key": pair[kind], **optional}},
                }
    for entry in entries(task, "fieldPathAsEnv"):
        yield {"name": entry["name"], "valueFrom": {"fieldRef": {"fieldPath": entry["fieldPath"]}}}

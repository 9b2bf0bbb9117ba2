"""What Kubernetes is asked for: fields of a template and of its container, from the platform part of a task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from argosy.argo.unsupported import refusal
from argosy.errors import Mistake
from argosy.launcher.canonical import EXPANDED
from argosy.spec.fields import shorten

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from argosy.spec.model import JsonValue, Task

PULL_POLICIES: Final = ("Always", "IfNotPresent", "Never")
REFUSED: Final = {
    "pvcMount": "volume that is shared",
    "genericEphemeralVolume": "volume that is shared",
    "initContainers": "init container",
    "fieldPathAsEnv": "field of the pod",
    "securityContext": "security context",
    "enabledSharedMemory": "shared memory",
    "podResourceClaims": "claim of a device",
}
RESOURCES: Final = {
    "cpu": ("resourceCpuLimit", "cpuLimit", "resourceCpuRequest", "cpuRequest"),
    "memory": ("resourceMemoryLimit", "memoryLimit", "resourceMemoryRequest", "memoryRequest"),
}
NAMES: Final = {"secretAsEnv": "secretName", "secretAsVolume": "secretName"} | dict.fromkeys(
    ("configMapAsEnv", "configMapAsVolume"), "configMapName"
)
RESTRICTED: Final = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}
"""The restricted profile of Kubernetes' pod security standards, and a root that cannot be written."""


def require_mapped(task: Task) -> None:
    """Raise for what a task asks of its pod and does not get on Argo.

    Raises:
        Unsupported: The first such field is named.

    """
    for key, construct in REFUSED.items():
        if task.platform.get(key):
            raise refusal(f"tasks.{task.name}.{key}", construct, shorten(task.platform[key]))


def template_fields(task: Task) -> dict[str, Any]:
    """Return the fields of a template that place its pods."""
    platform: Mapping[str, Any] = task.platform
    found: dict[str, Any] = {}
    if metadata := platform.get("podMetadata"):
        found["metadata"] = {key: metadata[key] for key in ("annotations", "labels") if metadata.get(key)}
    if selector := platform.get("nodeSelector"):
        found["nodeSelector"] = _labels(selector, task)
    if tolerations := platform.get("tolerations"):
        found["tolerations"] = [_toleration(entry, task) for entry in tolerations]
    if affinity := _affinity(task):
        found["affinity"] = affinity
    if volumes := [volume for volume, _ in _volumes(task)]:
        found["volumes"] = volumes
    return found


def container_fields(task: Task) -> dict[str, Any]:
    """Return the fields of a container beside what it runs: variables, resources, mounts."""
    found: dict[str, Any] = {}
    own = getattr(task.component.executor, "env", {})
    if env := [*variables(dict(sorted(own.items()))), *_references(task)]:
        found["env"] = env
    if resources := _resources(task):
        found["resources"] = resources
    if policy := task.platform.get("imagePullPolicy"):
        if policy not in PULL_POLICIES:
            raise Mistake(f"tasks.{task.name}.imagePullPolicy: got {policy!r}; allowed: {', '.join(PULL_POLICIES)}")
        found["imagePullPolicy"] = policy
    if mounts := [mount for _, mount in _volumes(task)]:
        found["volumeMounts"] = mounts
    return found


def variables(env: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return variables of a container, written for Kubernetes, which reads `$$` as `$`, and `$(NAME)` as another."""
    return [{"name": name, "value": EXPANDED.sub("$$", value)} for name, value in env.items()]


def pull_secrets(task: Task) -> list[str]:
    """Return the names of the secrets that a task's image is pulled with."""
    return [_name(entry, "secretName", task, "imagePullSecret") for entry in _entries(task, "imagePullSecret")]


def _references(task: Task) -> Iterator[dict[str, Any]]:
    for key, kind, reference in (
        ("secretAsEnv", "secretKey", "secretKeyRef"),
        ("configMapAsEnv", "configMapKey", "configMapKeyRef"),
    ):
        for entry in _entries(task, key):
            name = _name(entry, NAMES[key], task, key)
            for pair in entry.get("keyToEnv", []):
                optional = {"optional": True} if entry.get("optional") else {}
                yield {
                    "name": pair["envVar"],
                    "valueFrom": {reference: {"name": name, "key": pair[kind], **optional}},
                }


def _resources(task: Task) -> dict[str, Any]:
    given: Mapping[str, Any] = task.platform.get("resources") or {}  # type: ignore[assignment]  # an object by its schema
    limits: dict[str, str] = {}
    requests: dict[str, str] = {}
    for name, (limit, old_limit, request, old_request) in RESOURCES.items():
        for target, new, old in ((limits, limit, old_limit), (requests, request, old_request)):
            if given.get(new) or given.get(old):
                target[name] = _quantity(given.get(new), given.get(old), name, task)
    if accelerator := given.get("accelerator"):
        kind = _constant(accelerator.get("resourceType") or accelerator.get("type"), task)
        limits[kind] = _constant(str(accelerator.get("resourceCount") or accelerator.get("count")), task)
    found = {"limits": limits, "requests": requests}
    return {key: value for key, value in found.items() if value}


def _quantity(text: Any, number: Any, name: str, task: Task) -> str:
    """Return a quantity: as the text that was given, or from kfp's older number of cores or gigabytes."""
    if text:
        return _constant(str(text), task)
    return f"{number:g}{'G' if name == 'memory' else ''}"


def _constant(text: Any, task: Task) -> str:
    if "{{" in str(text):
        raise refusal(f"tasks.{task.name}", "placeholder in image, environment or resources", str(text))
    return str(text)


def _labels(selector: Mapping[str, Any], task: Task) -> dict[str, str]:
    if "nodeSelectorJson" in selector:
        raise refusal(f"tasks.{task.name}.nodeSelector", "name that comes up in the run")
    return dict(selector.get("labels", {}))


def _toleration(entry: Mapping[str, Any], task: Task) -> dict[str, Any]:
    if "tolerationJson" in entry:
        raise refusal(f"tasks.{task.name}.tolerations", "name that comes up in the run")
    return {key: int(value) if key == "tolerationSeconds" else value for key, value in entry.items()}


def _affinity(task: Task) -> dict[str, Any]:
    if task.platform.get("podAffinity"):
        raise refusal(f"tasks.{task.name}.podAffinity", "name that comes up in the run")
    found: dict[str, Any] = {}
    for entry in _entries(task, "nodeAffinity"):
        if "nodeAffinityJson" in entry:
            raise refusal(f"tasks.{task.name}.nodeAffinity", "name that comes up in the run")
        term = {key: entry[key] for key in ("matchExpressions", "matchFields") if entry.get(key)}
        if weight := entry.get("weight"):
            preferred = found.setdefault("preferredDuringSchedulingIgnoredDuringExecution", [])
            preferred.append({"weight": int(weight), "preference": term})
        else:
            required = found.setdefault("requiredDuringSchedulingIgnoredDuringExecution", {"nodeSelectorTerms": []})
            required["nodeSelectorTerms"].append(term)
    return {"nodeAffinity": found} if found else {}


def _volumes(task: Task) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield each volume with its mount."""
    for key, kind, field in (("secretAsVolume", "secret", "secretName"), ("configMapAsVolume", "configMap", "name")):
        for entry in _entries(task, key):
            name = _name(entry, NAMES[key], task, key)
            optional = {"optional": True} if entry.get("optional") else {}
            volume = {"name": name, kind: {field: name, **optional}}
            yield volume, {"name": name, "mountPath": entry["mountPath"], "readOnly": True}
    for entry in _entries(task, "emptyDirMounts"):
        empty = {
            field: entry[key] for key, field in (("medium", "medium"), ("sizeLimit", "sizeLimit")) if entry.get(key)
        }
        yield (
            {"name": entry["volumeName"], "emptyDir": empty},
            {"name": entry["volumeName"], "mountPath": entry["mountPath"]},
        )


def _name(entry: Mapping[str, Any], field: str, task: Task, key: str) -> str:
    """Return the name of a secret or config map, which has to stand in the spec."""
    source = entry.get(f"{field}Parameter") or {}
    constant = (source.get("runtimeValue") or {}).get("constant") if source else entry.get(field)
    if not constant:
        raise refusal(f"tasks.{task.name}.{key}", "name that comes up in the run")
    return str(constant)


def _entries(task: Task, key: str) -> list[dict[str, Any]]:
    value: JsonValue = task.platform.get(key)
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []

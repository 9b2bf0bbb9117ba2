"""The volumes of a pod, each with its mount.

A step that sees what no key holds (a secret, a config map, a claim) is never reused: its plan says so. Volumes that are
empty at its start are scratch, and change nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from argosy.argo.channels import named
from argosy.argo.names import slug, unique

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from argosy.spec.model import JsonValue, Task

SHARED_MEMORY: Final = "/dev/shm"  # noqa: S108  # a path of the pod's own
GROUP: Final = 65532
"""The group that may write into the volumes of storage: they belong to root otherwise."""
OF_STORAGE: Final = ("pvcMount", "genericEphemeralVolume")


def volumes(task: Task) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Return each volume with its mount, no two of one name."""
    found: list[tuple[dict[str, Any], dict[str, Any]]] = []
    taken = ["tmp"]
    for name, kind, mount in _asked(task):
        taken.append(unique(slug(name), taken))
        found.append(({"name": taken[-1], **kind}, {"name": taken[-1], **mount}))
    return found


def volume_names(task: Task) -> dict[str, str]:
    """Return the name of each volume in the pod, by what the platform spec calls it: its name, or that of its claim."""
    asked = [name for name, _, _ in _asked(task)]
    return dict(zip(asked, (volume["name"] for volume, _ in volumes(task)), strict=True))


def has_storage(task: Task) -> bool:
    """Say whether volumes of storage are mounted, which have to be given to a group."""
    return any(task.platform.get(key) for key in OF_STORAGE)


def entries(task: Task, key: str) -> list[dict[str, Any]]:
    """Return the objects under a key of the platform spec."""
    value: JsonValue = task.platform.get(key)
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def name_in(entry: Mapping[str, Any], field: str, task: Task, key: str) -> str:
    """Return the name of a secret or its like: a constant, or a tag where the run gives it."""
    given = entry.get(f"{field}Parameter") or {"runtimeValue": {"constant": entry.get(field)}}
    return named(given, task, key)


def _asked(task: Task) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    yield from _of_objects(task)
    yield from _of_scratch(task)
    for entry in entries(task, "pvcMount"):
        given = entry.get("pvcNameParameter") or {"runtimeValue": {"constant": entry.get("constant")}, **entry}
        claim = named(given, task, "pvcMount")
        sub_path = {"subPath": entry["subPath"]} if entry.get("subPath") else {}
        source = {"persistentVolumeClaim": {"claimName": claim}}
        yield _called(claim), source, {"mountPath": entry["mountPath"], **sub_path}


def _of_objects(task: Task) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    for key, kind, field, given in (
        ("secretAsVolume", "secret", "secretName", "secretName"),
        ("configMapAsVolume", "configMap", "name", "configMapName"),
    ):
        for entry in entries(task, key):
            name = name_in(entry, given, task, key)
            optional = {"optional": True} if entry.get("optional") else {}
            yield _called(name), {kind: {field: name, **optional}}, {"mountPath": entry["mountPath"], "readOnly": True}


def _of_scratch(task: Task) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    for entry in entries(task, "emptyDirMounts"):
        empty = {field: entry[field] for field in ("medium", "sizeLimit") if entry.get(field)}
        yield entry["volumeName"], {"emptyDir": empty}, {"mountPath": entry["mountPath"]}
    shared: Any = task.platform.get("enabledSharedMemory")
    if shared is not None:
        memory = {"medium": "Memory"} | ({"sizeLimit": shared["size"]} if shared.get("size") else {})
        yield shared.get("volumeName") or "shm", {"emptyDir": memory}, {"mountPath": SHARED_MEMORY}
    for entry in entries(task, "genericEphemeralVolume"):
        source = {"ephemeral": {"volumeClaimTemplate": _claim_template(entry)}}
        yield entry["volumeName"], source, {"mountPath": entry["mountPath"]}


def _claim_template(entry: Mapping[str, Any]) -> dict[str, Any]:
    given = {"accessModes": entry["accessModes"], "resources": {"requests": {"storage": entry["size"]}}}
    if not entry.get("defaultStorageClass"):
        given["storageClassName"] = entry.get("storageClassName", "")
    metadata = {key: entry["metadata"][key] for key in ("labels", "annotations") if entry.get("metadata", {}).get(key)}
    return ({"metadata": metadata} if metadata else {}) | {"spec": given}


def _called(name: str) -> str:
    """Return what a volume is called: as what it holds, or as the input that names that."""
    return name.removeprefix("{{inputs.parameters.pod-").removesuffix("}}")

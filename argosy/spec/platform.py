"""Read the platform spec, the second document: what Kubernetes is asked for.

What does not change results is kept for the cluster as it is and ignored on this machine; what does change
them (secrets, volumes) is refused; the deadline of a task is its timeout everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from argosy.spec.model import Absent, JsonValue
from argosy.spec.unsupported import refuse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from argosy.spec.fields import Fields

KEPT: Final = (
    "nodeSelector", "tolerations", "nodeAffinity", "podAffinity", "podMetadata", "imagePullPolicy",
    "imagePullSecret", "securityContext", "enabledSharedMemory", "podResourceClaims",
)  # fmt: skip
KEPT_OF_PIPELINE: Final = (
    "resourceTtlOnCompletion", "resourceTtlOnSuccess", "resourceTtlOnFailure", "activeDeadlineSeconds",
)  # fmt: skip
REFUSED: Final = {
    "secretAsEnv": "secret, config map or pod field",
    "secretAsVolume": "secret, config map or pod field",
    "configMapAsEnv": "secret, config map or pod field",
    "configMapAsVolume": "secret, config map or pod field",
    "fieldPathAsEnv": "secret, config map or pod field",
    "pvcMount": "mounted volume",
    "genericEphemeralVolume": "mounted volume",
    "emptyDirMounts": "mounted volume",
    "initContainers": "init container",
}
RUNTIME_SOURCES: Final = ("componentInputParameter", "taskOutputParameter")


@dataclass(frozen=True, slots=True)
class ExecutorPlatform:
    """What the platform spec says of one executor."""

    timeout_s: float | None = None
    kept: dict[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Platform:
    """What the platform spec says, by executor and of the pipeline."""

    executors: Mapping[str, ExecutorPlatform] = field(default_factory=dict)
    pipeline: dict[str, JsonValue] = field(default_factory=dict)


def read_platform(fields: Fields) -> Platform:
    """Read a platform spec; an empty one says nothing."""
    platform = Platform()
    for name, entry in fields.entries("platforms"):
        if name != "kubernetes":
            refuse(entry.place, "other platform", name)
        platform = _read_kubernetes(entry)
    return platform


def _read_kubernetes(fields: Fields) -> Platform:
    fields.text("platform", default="")
    deployment = fields.object("deploymentSpec")
    return Platform(
        executors={name: _read_executor(entry) for name, entry in deployment.entries("executors")},
        pipeline=_read_pipeline_config(fields.object("pipelineConfig")),
    )


def _read_pipeline_config(fields: Fields) -> dict[str, JsonValue]:
    if "workspace" in fields:
        refuse(fields.at("workspace"), "workspace")
    return _kept(fields, KEPT_OF_PIPELINE)


def _read_executor(fields: Fields) -> ExecutorPlatform:
    for key, construct in REFUSED.items():
        if key in fields:
            refuse(fields.at(key), construct, key)
    seconds = fields.number("activeDeadlineSeconds", default=0)
    return ExecutorPlatform(timeout_s=seconds or None, kept=_kept(fields, KEPT))


def _kept(fields: Fields, keys: tuple[str, ...]) -> dict[str, JsonValue]:
    found: dict[str, JsonValue] = {}
    for key in keys:
        value = fields.json(key)
        if not isinstance(value, Absent):
            _refuse_runtime_values(value, fields.at(key))
            found[key] = value
    return found


def _refuse_runtime_values(value: JsonValue, place: str) -> None:
    if isinstance(value, list):
        for index, item in enumerate(value):
            _refuse_runtime_values(item, f"{place}[{index}]")
    elif isinstance(value, dict):
        for key, item in value.items():
            if key in RUNTIME_SOURCES:
                refuse(f"{place}.{key}", "platform value known at run time")
            _refuse_runtime_values(item, f"{place}.{key}")

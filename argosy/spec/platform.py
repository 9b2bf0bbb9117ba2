"""Read the platform spec, the second document: what Kubernetes is asked for.

It is kept for the targets as it is; only names of fields are checked here. The deadline of a task is its timeout
everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from argosy.spec.model import Absent, JsonValue, PipelineInput, TaskOutput
from argosy.spec.unsupported import refuse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from argosy.spec.fields import Fields

KEPT: Final = (
    "nodeSelector", "tolerations", "nodeAffinity", "podAffinity", "podMetadata", "imagePullPolicy",
    "imagePullSecret", "securityContext", "enabledSharedMemory", "podResourceClaims",
    "secretAsEnv", "secretAsVolume", "configMapAsEnv", "configMapAsVolume", "fieldPathAsEnv",
    "pvcMount", "genericEphemeralVolume", "emptyDirMounts", "initContainers",
)  # fmt: skip
UNKEYED: Final = frozenset(
    {
        "secretAsEnv", "secretAsVolume", "configMapAsEnv", "configMapAsVolume", "fieldPathAsEnv",
        "pvcMount", "initContainers",
    }
)  # fmt: skip
"""What brings into a step what no key covers: a step that has any is never reused."""
KEPT_OF_PIPELINE: Final = (
    "resourceTtlOnCompletion", "resourceTtlOnSuccess", "resourceTtlOnFailure", "activeDeadlineSeconds", "workspace",
)  # fmt: skip


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
    return _kept(fields, KEPT_OF_PIPELINE)


def _read_executor(fields: Fields) -> ExecutorPlatform:
    seconds = fields.number("activeDeadlineSeconds", default=0)
    return ExecutorPlatform(timeout_s=seconds or None, kept=_kept(fields, KEPT))


def _kept(fields: Fields, keys: tuple[str, ...]) -> dict[str, JsonValue]:
    found: dict[str, JsonValue] = {}
    for key in keys:
        value = fields.json(key)
        if not isinstance(value, Absent):
            found[key] = value
    return found


def runtime_sources(kept: JsonValue) -> Iterator[TaskOutput | PipelineInput]:
    """Yield what a platform spec takes from the run: outputs of tasks and inputs of the DAG, by their local names."""
    if isinstance(kept, list):
        for item in kept:
            yield from runtime_sources(item)
    elif isinstance(kept, dict):
        for key, item in kept.items():
            if key == "componentInputParameter" and isinstance(item, str):
                yield PipelineInput(item)
            elif key == "taskOutputParameter" and isinstance(item, dict):
                yield TaskOutput(str(item.get("producerTask")), str(item.get("outputParameterKey")))
            else:
                yield from runtime_sources(item)

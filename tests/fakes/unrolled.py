"""Plans brought to their end in memory: no processes, no store, outcomes from a plain function."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from argosy.errors import Mistake
from argosy.launcher.artifacts import Artifact, Artifacts
from argosy.launcher.step import Outcome, Output, shown
from argosy.spec.model import ArtifactSlot, Executor
from argosy.spec.plan import build_step, place_of, resolve_inputs
from argosy.spec.resolution import reason_to_skip
from argosy.spec.unrolling import Instance, Unrolling

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from argosy.spec.model import Pipeline, Slot

Compute = "Callable[[Instance, dict[str, Any]], dict[str, Any]]"
"""Gives the outputs of an instance from what it was given, artifacts shown as digests; raising fails it."""


@dataclass
class Unrolled:
    """How a plan came to its end.

    Attributes:
        given: What each instance that ran was given, artifacts shown as their digests.
        ends: The names of instances in the order of their ending.
        most: The most instances that were ready at once.

    """

    so_far: Unrolling
    given: dict[str, dict[str, Any]] = field(default_factory=dict)
    ends: list[str] = field(default_factory=list)
    most: int = 0

    def statuses(self) -> dict[str, str]:
        """Return how each instance ended, by name."""
        return {name: outcome.status for name, outcome in sorted(self.so_far.outcomes.items())}

    def reason(self, name: str) -> str:
        """Return why an instance was skipped or failed."""
        outcome = self.so_far.outcomes[name]
        return outcome.reason or outcome.error


def unroll(
    pipeline: Pipeline,
    arguments: Mapping[str, Any] | None = None,
    *,
    compute: Compute,  # type: ignore[valid-type]  # a name for a type, in quotes
    pick: Callable[[int], int] = lambda _count: 0,
    run_values: Mapping[str, str] | None = None,
    steps: int | None = None,
) -> Unrolled:
    """Bring a plan to its end, or so many steps far; of the instances that are ready, `pick` says which is next."""
    found = Unrolled(Unrolling(pipeline, arguments or {}, run_values or {}))
    ready: list[Instance] = []
    while True:
        ready += found.so_far.ready()
        if not ready or len(found.ends) == steps:
            return found
        found.most = max(found.most, len(ready))
        instance = ready.pop(pick(len(ready)))
        found.so_far.end(instance, _outcome(instance, found, compute))
        found.ends.append(instance.name)


def _outcome(instance: Instance, found: Unrolled, compute: Any) -> Outcome:
    try:
        if skip := reason_to_skip(instance.task.start, place_of(instance), found.so_far):
            return Outcome("skipped", reason=skip)
        is_step = isinstance(instance.task.component.executor, Executor)
        inputs = build_step(instance, found.so_far).inputs if is_step else resolve_inputs(instance, found.so_far)
        given = {name: shown(entry.value) for name, entry in inputs.items()}
        found.given[instance.name] = given
        outputs = compute(instance, given)
    except Mistake as error:
        return Outcome("failed", error=str(error), exit_code=error.exit_code)
    slots = instance.task.component.outputs
    return Outcome("ran", f"key of {instance.name}", {key: _output(slots[key], outputs[key]) for key in outputs})


def _output(slot: Slot, value: Any) -> Output:
    if not isinstance(slot, ArtifactSlot):
        return Output(value)
    if slot.is_list:
        return Output(Artifacts(tuple(Artifact(digest, {}) for digest in value)))
    return Output(Artifact(value, {}))

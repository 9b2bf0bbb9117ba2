"""What becomes of inputs on their way to a step, and of the identities that stand for them in keys.

A planner that knows how each step ended and a pod that knows texts alone come to the same inputs by these rules.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from argosy.launcher.artifacts import Artifact, Artifacts
from argosy.launcher.step import Input, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


def each_item(whole: Input, items: Iterable[Any]) -> list[Input]:
    """Return the items of a list as inputs; those of a measurement are known by it and their place."""
    if whole.measured:
        return [Input(item, [whole.identity, number], measured=True) for number, item in enumerate(items)]
    return [Input(item, shown(item)) for item in items]


def gathered(rounds: Sequence[Input], *, of_artifacts: bool) -> Input:
    """Return the outputs of rounds as one: a list of values, or one flat list of artifacts."""
    value: Any = [entry.value for entry in rounds]
    if of_artifacts:
        value = Artifacts(tuple(artifact for each in value for artifact in _flat(each)))
    if any(entry.measured for entry in rounds):
        return Input(value, [entry.identity for entry in rounds], measured=True)
    return Input(value, shown(value))


def field_of(whole: Input, name: str) -> Input | None:
    """Return a field of an object, which may be given as JSON text; None where there is no such field."""
    value = parsed(whole.value)
    if not isinstance(value, dict) or name not in value:
        return None
    return Input(value[name], [whole.identity, name] if whole.measured else value[name], whole.measured)


def filled(template: Any, rendered: Any, channels: Mapping[str, Input]) -> Input:
    """Return a rendered text, or a value that holds some; what a measurement went into is known by its template."""
    if any(entry.measured for entry in channels.values()):
        return Input(rendered, [template, {name: entry.identity for name, entry in channels.items()}], measured=True)
    return Input(rendered, rendered)


def parsed(value: Any) -> Any:
    """Return what a JSON text holds, and any other value as it is."""
    try:
        return json.loads(value) if isinstance(value, str) else value
    except (ValueError, RecursionError):
        return value


def final_status(states: Iterable[str], *, name: str, run: str, message: str) -> dict[str, Any]:
    """Return the document on a group's end that kfp's executor reads.

    Args:
        states: How its tasks ended: `ended`, `failed` or `skipped`.
        name: The group's.
        run: The run's.
        message: Of a task that failed; empty where none did.

    """
    found = set(states)
    # A group that did not fail is COMPLETE, as Kubeflow's back end says it.
    state = "FAILED" if "failed" in found else "SKIPPED" if found == {"skipped"} else "COMPLETE"
    error = {"code": 1, "message": message} if message else {}
    return {"state": state, "pipelineJobResourceName": run, "pipelineTaskName": name, "error": error}


def _flat(value: Artifact | Artifacts) -> tuple[Artifact, ...]:
    return value.items if isinstance(value, Artifacts) else (value,)

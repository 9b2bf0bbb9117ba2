"""Why a step has to run: which part of its key differs from its last run on this machine."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING

from argosy.launcher.key import changed_parts
from argosy.launcher.launch import is_forced

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from argosy.launcher.launch import Job
    from argosy.launcher.step import Outcome

MOST_PARTS = 4


def last_keys(state: Path, pipeline: str) -> dict[str, str]:
    """Return each task's key in the last run of a pipeline on this machine: a hint for explanations, no truth."""
    with suppress(FileNotFoundError, ValueError):
        return dict(json.loads(_file(state, pipeline).read_text(encoding="utf-8")))
    return {}


def remember_keys(state: Path, pipeline: str, outcomes: Mapping[str, Outcome]) -> None:
    """Keep the keys of the tasks that were keyed; those that were not keep their last."""
    known = last_keys(state, pipeline) | {name: outcome.key for name, outcome in outcomes.items() if outcome.key}
    file = _file(state, pipeline)
    with suppress(OSError):  # a full disk costs the hint and nothing else
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(known), encoding="utf-8")


def reason_to_run(job: Job, last: str | None) -> str:
    """Say in words why a step is not reused.

    Args:
        job: The step, whose key was not found.
        last: Its key in the last run, if there was one.

    """
    if is_forced(job):
        return "forced"
    if job.step.kind == "step" and not job.step.cache:
        return "never reused: its caching is off, or it is told what only this run knows"
    if last is None:
        return "never ran here"
    if last == job.key.digest:
        return "its stored result is missing or damaged" if job.step.kind == "step" else "what it did no longer holds"
    _, record = job.context.store.latest(f"steps/{last.removeprefix('sha256:')}")
    parts = changed_parts(record["key"], job.key.document) if record else ["its last record is gone"]
    return ", ".join(parts[:MOST_PARTS]) + (f" and {len(parts) - MOST_PARTS} more" if len(parts) > MOST_PARTS else "")


def _file(state: Path, pipeline: str) -> Path:
    return state / "keys" / f"{pipeline}.json"

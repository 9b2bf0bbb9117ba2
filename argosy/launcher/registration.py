"""What a run on a cluster leaves in the store: each pod says that it begins before it looks, and then how it ended.

    runs/<run>/run.json             the run, written by whoever is first, completed by who submitted it
    runs/<run>/pods/<pod>.json      one attempt of one step

So `gc` knows what goes on, and a run can be shown when its pods are gone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from argosy.launcher.step import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from argosy.launcher.store import Store


@dataclass(frozen=True)
class PodEntry:
    """One attempt of one step.

    Attributes:
        run: The name of the workflow.
        node: What the workflow calls the task, with the rounds around it: `run.main.loop.rounds(0:...).task`.
        key: The step's key.
        started: When it began (UTC, ISO 8601).
        outcome: How it ended; None while it goes on, or where it was killed.
        step: The instance of the plan, where the pod runs several.

    """

    run: str
    pod: str
    node: str
    key: str
    started: str
    outcome: Outcome | None = None
    step: str = ""


def register_pod(store: Store, pipeline: str, entry: PodEntry) -> None:
    """Say that an attempt begins; its run is registered with the first of them."""
    run = {"run": entry.run, "pipeline": pipeline, "started": entry.started, "target": "argo"}
    store.create_json(run_path(entry.run), run)
    write_pod(store, entry)


def write_pod(store: Store, entry: PodEntry) -> None:
    """Write what there is to say of an attempt."""
    document: dict[str, Any] = {"pod": entry.pod, "node": entry.node, "key": entry.key, "started": entry.started}
    if entry.step:
        document["step"] = entry.step
    if entry.outcome is not None:
        document["outcome"] = entry.outcome.to_json()
    store.write_json(f"runs/{entry.run}/pods/{entry.pod}.json", document)


def read_pods(store: Store, run: str) -> list[PodEntry]:
    """Return the attempts of a run, in the order of their beginning."""
    documents = (store.read_json(path) for path in store.paths(f"runs/{run}/pods"))
    return sorted(
        (_entry(run, document) for document in documents if document), key=lambda entry: (entry.started, entry.pod)
    )


def run_path(run: str) -> str:
    """Return where the store says what a run is."""
    return f"runs/{run}/run.json"


def now_text() -> str:
    """Return the time as records hold it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _entry(run: str, document: Mapping[str, Any]) -> PodEntry:
    outcome = document.get("outcome")
    return PodEntry(
        run,
        document["pod"],
        document["node"],
        document["key"],
        document["started"],
        Outcome.from_json(outcome) if outcome else None,
        document.get("step", ""),
    )

"""What happened: run documents in the store, from which `runs`, `show`, `logs` and the report are drawn."""

from __future__ import annotations

import os
import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from argosy.errors import Mistake
from argosy.launcher.artifacts import artifacts_in
from argosy.launcher.refs import read_ref
from argosy.launcher.registration import run_path
from argosy.launcher.step import shown
from argosy.spec.plan import build_step
from argosy.spec.resolution import Place, resolve
from argosy.spec.unrolling import Instance

if TYPE_CHECKING:
    from collections.abc import Mapping

    from argosy.launcher.store import Store
    from argosy.local.runner import Run
    from argosy.spec.model import Task

SECTIONS = ("findings", "ages", "coverage", "online", "search", "metrics", "comparison", "tests", "latency", "release")
"""Values by these names are sections of the report, whichever step gives them; artifacts may have them too."""


def new_run_id(pipeline: str) -> str:
    """Make a run's id: the pipeline, the time of its start (UTC, to the millisecond) and a few random letters."""
    now = datetime.now(UTC)
    return f"{pipeline}-{now:%Y%m%d-%H%M%S}{now.microsecond // 1000:03d}-{secrets.token_hex(2)}"


def register_run(store: Store, run: Run, run_id: str) -> None:
    """Say that a run begins, before it looks at anything in the store."""
    document = {
        "run": run_id,
        "pipeline": run.pipeline.name,
        "parameters": {name: shown(value) for name, value in run.arguments.items()},
        "started": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "process": os.getpid(),
    }
    store.create_json(run_path(run_id), document)


def finish_run(store: Store, run_id: str, document: Mapping[str, Any]) -> None:
    """Write how a run ended."""
    store.write_json(f"runs/{run_id}/result.json", document)


def result_document(run: Run, run_id: str, *, seconds: float, interrupted: bool = False) -> dict[str, Any]:
    """Return the one document that says how a run ended: what `--output json` prints and the report shows."""
    steps = [document for task in run.pipeline.tasks for document in _step_documents(run, task)]
    verdicts = [
        {"step": name} | output.value
        for name, outcome in run.outcomes.items()
        for output_name, output in outcome.outputs.items()
        if output_name.endswith("verdict") and isinstance(output.value, dict)
    ]
    return {
        "run": run_id,
        "pipeline": run.pipeline.name,
        "status": _status(run, verdicts, interrupted=interrupted),
        "seconds": round(seconds, 3),
        "parameters": {name: shown(value) for name, value in run.arguments.items()},
        "outputs": _pipeline_outputs(run),
        "steps": steps,
        "verdicts": verdicts,
        "sections": _sections(run) | _release(run),
    }


def exit_code(run: Run, document: Mapping[str, Any]) -> int:
    """Return the exit code of a run: a failed step's own, 3 for a verdict that said no, else 0."""
    codes = [outcome.exit_code for outcome in run.outcomes.values() if outcome.status == "failed"]
    if codes:
        return codes[0]
    return 0 if all(verdict.get("ok", True) for verdict in document["verdicts"]) else 3


def list_runs(store: Store, limit: int = 20) -> list[dict[str, Any]]:
    """Return the newest runs, newest first, each as what began it and, where it ended, how."""
    found = []
    for run_id in _run_ids(store)[::-1][:limit]:
        begun = store.read_json(run_path(run_id)) or {"run": run_id}
        ended = store.read_json(f"runs/{run_id}/result.json") or {"status": "unfinished"}
        found.append(begun | ended)
    return found


def find_run(store: Store, run_id: str) -> dict[str, Any]:
    """Return what began a run, given its id or a unique part of it; `@latest` is the newest.

    Raises:
        Mistake: No run or several runs match.

    """
    ids = _run_ids(store)
    matches = ids[-1:] if run_id == "@latest" else [name for name in ids if run_id in name]
    if run_id in ids:
        matches = [run_id]
    if len(matches) != 1:
        raise Mistake(f"run {run_id!r} names {len(matches)} runs of this store; `argosy runs` lists them")
    return {"run": matches[0]} | (store.read_json(run_path(matches[0])) or {})


def read_run(store: Store, run_id: str) -> dict[str, Any]:
    """Return what began a run and how it ended.

    Raises:
        Mistake: No run or several runs match, or the run never ended.

    """
    begun = find_run(store, run_id)
    ended = store.read_json(f"runs/{begun['run']}/result.json")
    if ended is None and begun.get("target") == "argo":
        raise Mistake(f"run {begun['run']} is not known to have ended; `argosy status {begun['run']}` asks its cluster")
    if ended is None:
        raise Mistake(
            f"run {begun['run']} has not ended: it goes on, or its process was killed; run the pipeline again"
        )
    return begun | ended


def _run_ids(store: Store) -> list[str]:
    """Return the ids of all runs, in the order of their beginning."""
    began = {
        entry.path.split("/")[1]: entry.modified for entry in store.entries("runs") if entry.path.endswith("/run.json")
    }
    return sorted(began, key=lambda run_id: (began[run_id], run_id.split("-")[-3:]))


def _pipeline_outputs(run: Run) -> dict[str, Any]:
    """Return what the pipeline itself gave, where all that its outputs come from has ended."""
    if not all(run.so_far.is_over(task.name) for task in run.pipeline.tasks):
        return {}
    found = {name: resolve(source, Place(""), run.so_far) for name, source in run.pipeline.outputs.items()}
    return {name: shown(entry.value) for name, entry in found.items() if entry is not None}


def _step_documents(run: Run, task: Task) -> list[dict[str, Any]]:
    # In a run that was cut short there may be tasks that no instance was made of.
    instances = sorted(run.so_far.instances.get(task.name, ()), key=lambda instance: instance.index)
    return [_step_document(run, instance) for instance in instances or [Instance(task)]]


def _step_document(run: Run, instance: Instance) -> dict[str, Any]:
    name, outcome = instance.name, run.outcomes.get(instance.name)
    kind = instance.task.component.declaration.kind
    document: dict[str, Any] = {"name": name, "kind": kind, "after": run.so_far.upstream(instance)}
    if outcome is None:
        return document | {"status": "unfinished", "key": "", "seconds": 0.0, "outputs": {}}
    return document | {
        "status": outcome.status,
        "key": outcome.key,
        "seconds": round(outcome.seconds, 3),
        "started_s": round(run.started_s.get(name, 0.0), 3),
        "reason": outcome.reason or run.reasons.get(name, ""),
        "error": outcome.error or None,
        "log": outcome.log,
        "tail": outcome.tail,
        "outputs": outcome.values(),
    }


def _status(run: Run, verdicts: list[dict[str, Any]], *, interrupted: bool) -> str:
    if interrupted:
        return "interrupted"
    if any(outcome.status == "failed" for outcome in run.outcomes.values()):
        return "failed"
    refused = [verdict["verdict"] for verdict in verdicts if not verdict.get("ok", True)]
    if not refused:
        return "succeeded"
    # A gate's verdict is `failed`; a run that it ended did not fail, it was refused.
    return "refused" if refused[0] == "failed" else str(refused[0])


def _sections(run: Run) -> dict[str, Any]:
    """Return the outputs that are sections of the report; lists that several steps give are one."""
    found: dict[str, Any] = {}
    for outcome in run.outcomes.values():
        for name, output in outcome.outputs.items():
            if name not in SECTIONS or artifacts_in(output.value):
                continue
            earlier = found.get(name)
            found[name] = [*earlier, *output.value] if isinstance(earlier, list) else output.value
    return found


def _release(run: Run) -> dict[str, Any]:
    """Return what a run released: the ref that it moved or found moved, and the registered version."""
    moves = [task for task in run.pipeline.tasks if task.component.declaration.kind == "move"]
    for instance in (instance for task in moves for instance in run.so_far.instances.get(task.name, ())):
        outcome = run.outcomes.get(instance.name)
        if outcome is None or outcome.status not in {"ran", "reused"}:
            continue
        step = build_step(instance, run.so_far)
        ref = read_ref(run.context.store, str(step.inputs[step.natural_key[0]].value))
        version = next(
            (found.outputs["version"].value for found in run.outcomes.values() if "version" in found.outputs), None
        )
        shown = {"digest": ref.target, "ref": ref.name, "generation": ref.generation, "previous": ref.previous}
        return {"release": shown | {"version": version, "url": run.context.env.get("ARGOSY_SERVING_URL")}}
    return {}

"""`argosy plan`: what a run would do, and which part of each key changed."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

from argosy.commands.printing import print_columns, print_json, print_line
from argosy.launcher.key import changed_parts
from argosy.local.runner import settle
from argosy.session import Request, last_keys, new_run, open_session

if TYPE_CHECKING:
    from collections.abc import Mapping

    from argosy.launcher.launch import Job
    from argosy.launcher.store import Store
    from argosy.local.runner import Run
    from argosy.session import Session


def plan_pipeline(pipeline: str, parameters: Mapping[str, Any], *, store: str | None, as_json: bool) -> None:
    """Print the forecast of a run."""
    session = open_session(store=store)
    run, run_id = new_run(session, Request(pipeline, parameters))
    jobs = settle(run)
    shutil.rmtree(session.settings.state / "scratch" / run_id, ignore_errors=True)
    rows = forecast(run, jobs, session)
    if as_json:
        print_json({"pipeline": run.pipeline.name, "steps": rows})
        return
    print_columns([("step", "forecast", "because"), *((row["name"], row["forecast"], row["because"]) for row in rows)])
    print_line(
        f"\n{sum(row['forecast'] == 'run' for row in rows)} to run now, "
        f"{sum(row['forecast'] == 'reuse' for row in rows)} reused, "
        f"{sum(row['forecast'].startswith('depends') for row in rows)} depend on what runs"
    )


def forecast(run: Run, jobs: list[Job], session: Session) -> list[dict[str, Any]]:
    """Say of each task: reuse, run, skip, observe, or on which step it depends."""
    before = last_keys(session.settings.state, run.pipeline.name)
    to_run = {job.step.name: job for job in jobs}
    rows = []
    for task in run.pipeline.tasks:
        outcome = run.outcomes.get(task.name)
        if outcome is not None:
            answer = {"reused": "reuse", "observed": "observe", "skipped": "skip", "failed": "fail"}[outcome.status]
            row = {"forecast": answer, "because": outcome.reason or outcome.error}
        elif task.name in to_run:
            row = {"forecast": "run", "because": _because(session.store, to_run[task.name], before.get(task.name))}
        else:
            waiting = next(name for name in task.after if name not in run.outcomes)
            row = {"forecast": f"depends on {waiting}", "because": ""}
        rows.append({"name": task.name} | row)
    return rows


def _because(store: Store, job: Job, earlier: str | None) -> str:
    if earlier is None:
        return "never ran here"
    if earlier == job.key.digest:
        return "its stored result is missing or damaged" if job.step.kind == "step" else "what it did no longer holds"
    _, record = store.latest(f"steps/{earlier.removeprefix('sha256:')}")
    parts = changed_parts(record["key"] if record else None, job.key.document)
    return ", ".join(parts[:4]) + (f" and {len(parts) - 4} more" if len(parts) > 4 else "")

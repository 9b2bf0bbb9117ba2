"""`argosy plan`: what a run would do, and which part of each key changed."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

from argosy.commands.printing import print_columns, print_json, print_line
from argosy.local.runner import settle
from argosy.session import Request, new_run, open_session

if TYPE_CHECKING:
    from collections.abc import Mapping

    from argosy.launcher.launch import Job
    from argosy.local.runner import Run


def plan_pipeline(pipeline: str, parameters: Mapping[str, Any], *, store: str | None, as_json: bool) -> None:
    """Print the forecast of a run."""
    session = open_session(store=store)
    run, run_id = new_run(session, Request(pipeline, parameters))
    jobs = settle(run)
    shutil.rmtree(session.settings.state / "scratch" / run_id, ignore_errors=True)
    rows = forecast(run, jobs)
    if as_json:
        print_json({"pipeline": run.pipeline.name, "steps": rows})
        return
    print_columns([("step", "forecast", "because"), *((row["name"], row["forecast"], row["because"]) for row in rows)])
    print_line(
        f"\n{sum(row['forecast'] == 'run' for row in rows)} to run now, "
        f"{sum(row['forecast'] == 'reuse' for row in rows)} reused, "
        f"{sum(row['forecast'].startswith('depends') for row in rows)} depend on what runs"
    )


def forecast(run: Run, jobs: list[Job]) -> list[dict[str, Any]]:
    """Say of each task: reuse, run, skip, observe, or on which step it depends."""
    to_run = {job.step.name for job in jobs}
    rows = []
    for task in run.pipeline.tasks:
        outcome = run.outcomes.get(task.name)
        if outcome is not None:
            answer = {"reused": "reuse", "observed": "observe", "skipped": "skip", "failed": "fail"}[outcome.status]
            row = {"forecast": answer, "because": outcome.reason or outcome.error}
        elif task.name in to_run:
            row = {"forecast": "run", "because": run.reasons[task.name]}
        else:
            waiting = next(name for name in task.after if name not in run.outcomes)
            row = {"forecast": f"depends on {waiting}", "because": ""}
        rows.append({"name": task.name} | row)
    return rows

"""`argosy plan`: what a run would do, and which part of each key changed."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

from argosy.commands.printing import print_columns, print_json, print_line
from argosy.local.runner import settle
from argosy.session import Request, new_run, open_session
from argosy.spec.starts import upstream

if TYPE_CHECKING:
    from collections.abc import Mapping

    from argosy.local.runner import Run


def plan_pipeline(pipeline: str, parameters: Mapping[str, Any], *, store: str | None, as_json: bool) -> None:
    """Print the forecast of a run."""
    session = open_session(store=store)
    run, run_id = new_run(session, Request(pipeline, parameters))
    todo = settle(run)
    shutil.rmtree(session.settings.state / "scratch" / run_id, ignore_errors=True)
    rows = forecast(run, {instance.name for instance, _ in todo})
    if as_json:
        print_json({"pipeline": run.pipeline.name, "steps": rows})
        return
    print_columns([("step", "forecast", "because"), *((row["name"], row["forecast"], row["because"]) for row in rows)])
    print_line(
        f"\n{sum(row['forecast'] == 'run' for row in rows)} to run now, "
        f"{sum(row['forecast'] == 'reuse' for row in rows)} reused, "
        f"{sum(row['forecast'].startswith('depends') for row in rows)} depend on what runs"
    )


def forecast(run: Run, to_run: set[str]) -> list[dict[str, Any]]:
    """Say of each step: reuse, run, skip, observe, or on which task it depends; of each round where it is known."""
    rows = []
    for task in run.pipeline.tasks:
        made = run.so_far.instances.get(task.name, ())
        rows += [{"name": instance.name} | _row(run, instance.name, to_run) for instance in made]
        if not run.so_far.is_over(task.name) and not any(name.name in to_run for name in made):
            waiting = next(name for name in upstream(task, run.pipeline) if not run.so_far.is_over(name))
            rows.append({"name": task.name, "forecast": f"depends on {waiting}", "because": ""})
    return rows


def _row(run: Run, name: str, to_run: set[str]) -> dict[str, str]:
    if name in to_run:
        return {"forecast": "run", "because": run.reasons[name]}
    outcome = run.outcomes[name]
    answer = {"reused": "reuse", "observed": "observe", "skipped": "skip", "failed": "fail"}[outcome.status]
    return {"forecast": answer, "because": outcome.reason or outcome.error}

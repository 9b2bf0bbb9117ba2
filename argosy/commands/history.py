"""`argosy runs`, `show`, `report` and `logs`: what happened."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from argosy.commands.printing import print_columns, print_json, print_line
from argosy.errors import Mistake
from argosy.local.records import find_run, list_runs, read_run
from argosy.session import open_session

if TYPE_CHECKING:
    from collections.abc import Mapping


def print_runs(*, store: str | None, as_json: bool) -> None:
    """Print the newest runs."""
    found = list_runs(open_session(store=store).store)
    if as_json:
        print_json(
            [{key: run.get(key) for key in ("run", "pipeline", "status", "started", "seconds")} for run in found]
        )
        return
    if not found:
        print_line("no runs yet; `argosy run PIPELINE` makes one")
        return
    rows = [(run["run"], run["status"], _seconds(run), _fates(run)) for run in found]
    print_columns([("run", "status", "seconds", "steps"), *rows])


def print_run(run_id: str, *, store: str | None, as_json: bool) -> None:
    """Print one run, step by step."""
    document = read_run(open_session(store=store).store, run_id)
    if as_json:
        print_json({key: value for key, value in document.items() if key != "sections"})
        return
    print_line(f"{document['run']}  {document['status']}  {_seconds(document)} s")
    for name, value in document["parameters"].items():
        print_line(f"  {name} = {value}")
    steps = [
        (
            step["name"],
            step["status"],
            f"{step['seconds']:.2f}",
            step["key"][7:19],
            step.get("error") or step.get("reason") or "",
        )
        for step in document["steps"]
    ]
    print_columns([("step", "status", "seconds", "key", "because"), *steps])
    if "error" in document:
        print_line(document["error"])
    for verdict in document["verdicts"]:
        print_line(f"{verdict['step']}: {verdict['verdict']} {'; '.join(verdict.get('reasons', []))}".rstrip())


def write_report(run_id: str, out: str | None, *, store: str | None) -> None:
    """Write the HTML report of a run and print its path."""
    from argosy.report.render import render_report

    session = open_session(store=store)
    document = read_run(session.store, run_id)
    file = Path(out) if out else session.settings.state / "reports" / f"{document['run']}.html"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(render_report(document), encoding="utf-8")
    print_line(str(file))


def print_log(run_id: str, step: str, namespace: str | None, *, store: str | None) -> None:
    """Print a step's log.

    Args:
        run_id: The run.
        step: The step.
        namespace: Where on the cluster a run is looked for that goes on there.
        store: The store's URL, if a flag gave one.

    Raises:
        Mistake: The run has no such step, or the step left no log.

    """
    session = open_session(store=store)
    begun = find_run(session.store, run_id)
    if begun.get("target") == "argo":
        from argosy.commands.status import print_log_of_pod

        print_log_of_pod(session, begun, step, namespace)
        return
    document = read_run(session.store, begun["run"])
    found = next((entry for entry in document["steps"] if entry["name"] == step), None)
    if found is None:
        raise Mistake(f"step {step!r} is not in {document['run']}; `argosy show {document['run']}` lists its steps")
    chunks = session.store.blob_chunks(str(found["log"]).removeprefix("sha256:")) if found.get("log") else None
    if chunks is None:
        raise Mistake(f"{step} left no log in {document['run']}: it was {found['status']}")
    written = sum(sys.stdout.buffer.write(chunk) for chunk in chunks)
    if not written:
        sys.stderr.write(f"{step} wrote nothing\n")


def _seconds(run: Mapping[str, Any]) -> str:
    return f"{run['seconds']:.1f}" if "seconds" in run else ""


def _fates(run: Mapping[str, Any]) -> str:
    statuses = [step["status"] for step in run.get("steps", [])]
    return ", ".join(f"{statuses.count(status)} {status}" for status in dict.fromkeys(statuses))

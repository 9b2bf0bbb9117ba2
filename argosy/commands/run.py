"""`argosy run`: the live tree, the summary, the report, the exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from argosy.commands.printing import print_json, print_line
from argosy.local.live import progress_for
from argosy.local.records import exit_code
from argosy.session import Request, execute, new_run, open_session

if TYPE_CHECKING:
    from collections.abc import Mapping

    from argosy.session import Session


def run_pipeline(request: Request, *, store: str | None, as_json: bool) -> int:
    """Run a pipeline and return the exit code of the process."""
    session = open_session(store=store)
    run, run_id = new_run(session, request)
    run.listen = progress = progress_for(run.pipeline)
    try:
        document, interrupted = execute(session, run, run_id, request)
    finally:
        progress.close()
    report = _report(session, document)
    if as_json:
        print_json({key: value for key, value in document.items() if key != "sections"})
    else:
        _print_summary(document, report)
    return 128 + interrupted if interrupted else exit_code(run, document)


def _report(session: Session, document: Mapping[str, Any]) -> str:
    """Write the report of a run that did something; point at the last one otherwise."""
    folder = session.settings.state / "reports"
    last = folder / f"{document['pipeline']}.html"
    if last.exists() and not any(step["status"] in {"ran", "failed"} for step in document["steps"]):
        return str(last)
    from argosy.report.render import render_report

    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{document['run']}.html"
    file.write_text(render_report(document), encoding="utf-8")
    last.unlink(missing_ok=True)
    last.symlink_to(file.name)
    return str(file)


def _print_summary(document: Mapping[str, Any], report: str) -> None:
    statuses = [step["status"] for step in document["steps"]]
    if not {"ran", "failed"} & set(statuses) and document["status"] == "succeeded":
        standing = statuses.count("reused") + statuses.count("observed")
        print_line(f"nothing executed: {standing} steps stand as they were ({document['seconds']:.2f} s)")
        print_line(f"report: {report}")
        return
    from rich.console import Console

    from argosy.report.terminal import gate_table, run_summary

    console = Console()
    for verdict in document["verdicts"]:
        # The summary shows those that said no.
        if verdict.get("gates") and verdict.get("ok", True):
            console.print(gate_table(verdict))
    console.print(run_summary(document))
    # Not through the console, which would break a path in two where nobody asked for a width.
    print_line(f"  report: {report}")

"""`argosy run`: the live tree, the summary, the report, the exit code."""

from __future__ import annotations

import importlib
import sys
import threading
from typing import TYPE_CHECKING, Any

from argosy.commands.printing import print_json, print_line
from argosy.launcher.canonical import digest_of
from argosy.local.live import progress_for
from argosy.local.records import exit_code
from argosy.local.refusals import notices
from argosy.session import Request, execute, new_run, open_session

if TYPE_CHECKING:
    from collections.abc import Mapping

    from argosy.launcher.step import Outcome
    from argosy.local.live import Progress
    from argosy.local.runner import Happening
    from argosy.session import Session


def run_pipeline(request: Request, *, store: str | None, as_json: bool) -> int:
    """Run a pipeline and return the exit code of the process."""
    session = open_session(store=store)
    run, run_id = new_run(session, request)
    for notice in notices(run.pipeline):
        sys.stderr.write(f"argosy: {notice}\n")
    progress = progress_for(run.pipeline)
    run.listen = _Listener(progress)
    try:
        document, interrupted = execute(session, run, run_id, request)
    finally:
        progress.close()
    try:
        report = write_run_report(session, document)
    except OSError as error:  # a full disk, most likely; how the run ended is not to be lost with its picture
        report = f"not written ({error})"
    if as_json:
        print_json({key: value for key, value in document.items() if key != "sections"})
    else:
        print_summary(document, report)
    return 128 + interrupted if interrupted else exit_code(run, document)


class _Listener:
    """Shows progress, and gets ready for the end of the run while the first step runs."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._is_ready = False

    def __call__(self, name: str, happening: Happening, outcome: Outcome | None) -> None:
        self._progress(name, happening, outcome)
        if happening == "started" and not self._is_ready:
            self._is_ready = True
            # What the report and the summary import takes longer than some whole pipelines.
            threading.Thread(target=_import_ending, daemon=True).start()


def _import_ending() -> None:
    from argosy.report.render import prepare_rendering

    prepare_rendering()
    importlib.import_module("rich.console")


def write_run_report(session: Session, document: Mapping[str, Any]) -> str:
    """Write the report of a run; where nothing ran and all is as the last report says, point at that."""
    folder = session.settings.state / "reports"
    last, told = folder / f"{document['pipeline']}.html", folder / f"{document['pipeline']}.told"
    tells = digest_of([document["status"], {step["name"]: step["key"] for step in document["steps"]}])
    nothing_ran = not any(step["status"] in {"ran", "failed"} for step in document["steps"])
    if nothing_ran and last.exists() and told.exists() and told.read_text(encoding="utf-8") == tells:
        return str(last)
    from argosy.report.render import render_report

    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{document['run']}.html"
    file.write_text(render_report(document), encoding="utf-8")
    last.unlink(missing_ok=True)
    last.symlink_to(file.name)
    told.write_text(tells, encoding="utf-8")
    return str(file)


def print_summary(document: Mapping[str, Any], report: str) -> None:
    """Print how a run ended: its gates, its verdict, its steps, and where its report lies."""
    statuses = [step["status"] for step in document["steps"]]
    if not {"ran", "failed"} & set(statuses) and document["status"] == "succeeded":
        standing = statuses.count("reused") + statuses.count("observed")
        print_line(f"nothing executed: {standing} steps stand as they were ({document['seconds']:.2f} s)")
        _print_report(report)
        return
    from rich.console import Console

    from argosy.report.terminal import gate_table, run_summary

    console = Console()
    for verdict in document["verdicts"]:
        # The summary shows those that said no.
        if verdict.get("gates") and verdict.get("ok", True):
            console.print(gate_table(verdict))
    console.print(run_summary(document))
    _print_report(report, "  ")


def _print_report(report: str, indent: str = "") -> None:
    # Not through the console, which would break a path in two where nobody asked for a width.
    if report:
        print_line(f"{indent}report: {report}")

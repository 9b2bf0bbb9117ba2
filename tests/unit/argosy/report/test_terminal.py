from __future__ import annotations

import io
import subprocess
import sys

from rich.console import Console

from argosy.report.terminal import gate_table, run_summary
from tests.fakes.run_records import a_failed_run, a_refused_run, a_run_document


def printed(shown):
    console = Console(file=io.StringIO(), width=110, color_system=None)
    console.print(shown)
    return console.file.getvalue()


def test_a_gate_table_lists_gates_with_value_bound_and_interval():
    table = printed(gate_table(a_run_document()["verdicts"][1]))

    (row,) = [line for line in table.splitlines() if "log_loss" in line]
    assert [part for part in row.split("  ") if part.strip()][-1].strip() == "0.3951 to 0.4346"
    assert "21 more gates held: 16 of kind slice, 5 of kind test" in table


def test_markup_in_names_is_shown_as_it_is():
    table = printed(gate_table({"gates": [{"name": "[red]auc[/red] [link=x]", "ok": True}]}))

    assert "[red]auc[/red] [link=x]" in table


def test_the_summary_of_a_promoted_run_is_short():
    lines = printed(run_summary(a_run_document(), report="report.html")).splitlines()

    assert lines[0].startswith("✓ Promoted. Model")
    assert lines[-1] == "  report: report.html"
    assert len(lines) == 6


def test_the_summary_of_a_refused_run_shows_the_gates():
    summary = printed(run_summary(a_refused_run()))

    assert "Refused by check-gates" in summary
    assert "0.4062 to 0.4461" in summary


def test_the_summary_of_a_failed_run_names_the_step():
    assert "Failed at train" in printed(run_summary(a_failed_run()))


def test_an_empty_document_has_a_summary():
    assert "Unknown" in printed(run_summary({}))


def test_the_command_line_may_import_it_cheaply():
    code = "import sys, argosy.report.terminal; print({'rich', 'jinja2', 'markupsafe'} & set(sys.modules))"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "set()"


def a_failed_step(name, tail):
    return {"name": name, "status": "failed", "error": "exited with 1", "tail": tail}


def test_the_last_lines_of_the_first_failed_steps_are_shown_as_they_are():
    failed = [a_failed_step(f"step-{i}", f"one\n[red]{i}[/red]") for i in range(5)]

    summary = printed(run_summary({"run": "r", "status": "failed", "steps": failed}))

    assert (
        "  the last lines of step-2 (all of them: argosy logs @latest step-2)\n    one\n    [red]2[/red]\n" in summary
    )
    assert "lines of step-3" not in summary


def test_a_failed_step_that_wrote_nothing_has_no_last_lines():
    assert "last lines" not in printed(run_summary({"status": "failed", "steps": [a_failed_step("step", "")]}))

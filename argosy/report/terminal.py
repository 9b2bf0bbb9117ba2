"""Show the end of a run in a terminal: the verdict, the gates, where the report is."""

from __future__ import annotations

from textwrap import indent
from typing import TYPE_CHECKING, Any

from argosy.report.formats import duration, number, plural, text
from argosy.report.headline import Figure, fates, headline, key_figures
from argosy.report.reading import numbers, rows, status_of, steps
from argosy.report.shapes import all_gates
from argosy.report.verdicts import (
    condition_of,
    count_held,
    count_rest,
    list_and_rest,
    note_of,
    outcome_of,
    value_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import RenderableType
    from rich.table import Table

TONES = {"good": "green", "no": "red", "bad": "red", "idle": "yellow"}
SIGNS = {"good": "\N{CHECK MARK}", "no": "\N{MULTIPLICATION X}", "bad": "\N{MULTIPLICATION X}", "idle": "?"}
MEASURES = ("AUC", "Log loss", "Latency p99", "Rows online")
MOST_TAILS = 3
OUTCOMES = {True: "good", False: "no", None: "idle"}


def gate_table(verdict: Mapping[str, Any]) -> Table:
    """Lay out the gates of a verdict, broken ones first; many alike that held are one line."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    listed, rest = list_and_rest(rows(verdict.get("gates")))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, caption=count_rest(rest) or None, caption_justify="left")
    table.add_column("")
    table.add_column("gate", overflow="fold")
    table.add_column("kind", style="dim")
    for name in ("value", "asked for", "95 % interval"):
        table.add_column(name, justify="right", no_wrap=True)
    for gate in listed:
        tone = OUTCOMES[outcome_of(gate)]
        shown = Text(text(gate.get("name"), 120))
        if note_of(gate):
            shown.append(f"\n{note_of(gate)}", style="dim")
        cells = [text(gate.get("kind"), 40), value_of(gate), condition_of(gate), _interval(gate)]
        table.add_row(Text(SIGNS[tone], style=TONES[tone]), shown, *map(Text, cells))
    return table


def run_summary(run: Mapping[str, Any], *, report: str | None = None) -> RenderableType:
    """Lay out the end of a run: its verdict, key figures, what refused it, the report's place."""
    from rich.console import Group
    from rich.text import Text

    end = headline(run)
    style = f"bold {TONES[end.tone]}"
    known = steps(run)
    figures = " · ".join(_figure(figure) for figure in key_figures(run) if figure.name in MEASURES)
    lines: list[RenderableType] = [
        Text.assemble((f"{SIGNS[end.tone]} {end.word}. ", style), end.sentence),
        Text(f"  {plural(len(known), 'step')}: {fates(known)} in {duration(run.get('seconds'))}", style="dim"),
    ]
    if figures:
        lines.append(Text(f"  {figures}", style="dim"))
    refused = [
        verdict for verdict in rows(run.get("verdicts")) if verdict.get("ok") is False and rows(verdict.get("gates"))
    ]
    lines += [gate_table(verdict) for verdict in refused]
    lines += _tails(run)
    if not refused and all_gates(run):
        lines.append(Text(f"  {count_held(all_gates(run))}", style="dim"))
    if report:
        lines.append(Text(f"  report: {report}"))
    return Group(*lines)


def _tails(run: Mapping[str, Any]) -> list[RenderableType]:
    """Lay out what the first failed steps wrote last."""
    from rich.text import Text

    lines: list[RenderableType] = []
    for step in [step for step in steps(run) if status_of(step) == "failed" and step.get("tail")][:MOST_TAILS]:
        whole = f" (all of them: argosy logs @latest {step['name']})"
        lines += [
            Text.assemble(f"  the last lines of {step['name']}", (whole, "dim")),
            Text(indent(text(step["tail"], 6000), "    ")),
        ]
    return lines


def _figure(figure: Figure) -> str:
    return f"{figure.name} {figure.value}" + (f" ({figure.remark})" if figure.remark else "")


def _interval(gate: Mapping[str, Any]) -> str:
    ends = numbers(gate.get("interval"))
    return f"{number(ends[0])} to {number(ends[1])}" if len(ends) == 2 else ""

"""Prepare the verdicts of a run with their gates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from argosy.report import svg
from argosy.report.charts import Mark, strip, strip_scale
from argosy.report.formats import finite, number, text
from argosy.report.reading import numbers, rows, texts
from argosy.report.shapes import all_gates
from argosy.report.verdicts import (
    WORDS,
    condition_of,
    count_held,
    count_rest,
    is_test,
    list_and_rest,
    note_of,
    outcome_of,
    value_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_LISTED = 60

View = dict[str, Any]


def gates_view(run: Mapping[str, Any]) -> View | None:
    """Prepare every verdict with its reasons and gates, broken gates first."""
    verdicts = [_verdict(verdict) for verdict in rows(run.get("verdicts"))]
    return {"lead": count_held(all_gates(run)), "verdicts": verdicts} if verdicts else None


def _verdict(verdict: Mapping[str, Any]) -> View:
    listed, rest = list_and_rest(rows(verdict.get("gates")))
    return {
        "step": text(verdict.get("step"), 80),
        "word": text(verdict.get("verdict"), 80),
        "ok": verdict.get("ok") is True,
        # Broken gates say it themselves, and more precisely.
        "reasons": [] if listed else [text(reason) for reason in texts(verdict.get("reasons"))],
        "gates": [_gate(gate) for gate in listed[:MOST_LISTED]],
        "cut": len(listed[MOST_LISTED:]),
        "more": [_gate(gate) for gate in rest[:MOST_LISTED]],
        "more_told": count_rest(rest),
    }


def _gate(gate: Mapping[str, Any]) -> View:
    ok = outcome_of(gate)
    return {
        "name": text(gate.get("name"), 120),
        "note": note_of(gate),
        "kind": text(gate.get("kind"), 40),
        "value": value_of(gate),
        "condition": condition_of(gate),
        "ok": ok,
        "word": WORDS[ok],
        "plot": "" if is_test(gate) else _plot(gate),
    }


def _plot(gate: Mapping[str, Any]) -> str:
    value, bound = finite(gate.get("value")), finite(gate.get("bound"))
    if value is None or bound is None:
        return ""
    interval = sorted(numbers(gate.get("interval"))[:2])
    low, high = svg.padded([value, bound, *interval], 0.35)
    scale = strip_scale(low, high)
    operator = text(gate.get("op"), 8)
    bars = [(bound, high, "good")] if operator.startswith(">") else []
    bars += [(low, bound, "good")] if operator.startswith("<") else []
    bars += [(interval[0], interval[1], "interval")] if len(interval) == 2 else []
    title = f"value {number(value)}, bound {operator} {number(bound)}"
    css = "broken" if gate.get("ok") is False else ""
    return strip(scale, title, dots=[value], bars=bars, marks=[Mark(bound, "bound")], css=css)

"""Prepare the verdicts of a run with their gates."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from argosy.report import svg
from argosy.report.charts import Mark, strip, strip_scale
from argosy.report.formats import DASH, finite, number, plural, text
from argosy.report.reading import numbers, rows, texts
from argosy.report.shapes import all_gates

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

OPERATORS = {">=": "≥", "<=": "≤", ">": ">", "<": "<", "==": "="}
WORDS = {True: "held", False: "broken", None: "unknown"}
# Of these a run has many; they open on demand as long as they hold.
NUMEROUS = ("slice", "test", "tests")
MOST_HELD_SHOWN = 6
MOST_GATES = 300

View = dict[str, Any]


def gates_view(run: Mapping[str, Any]) -> View | None:
    """Prepare every verdict with its reasons and gates, broken gates first."""
    verdicts = [_verdict(verdict) for verdict in rows(run.get("verdicts"))]
    return {"lead": gates_lead(all_gates(run)), "verdicts": verdicts} if verdicts else None


def gates_lead(gates: Sequence[Mapping[str, Any]]) -> str:
    """Say how many of the gates held."""
    if not gates:
        return ""
    broken = sum(gate.get("ok") is not True for gate in gates)
    return f"{broken} of {plural(len(gates), 'gate')} broken." if broken else f"{plural(len(gates), 'gate')}, all held."


def outcome_of(gate: Mapping[str, Any]) -> bool | None:
    """Return whether a gate holds; None if it does not say."""
    ok = gate.get("ok")
    return ok if isinstance(ok, bool) else None


def value_of(gate: Mapping[str, Any]) -> str:
    """Write the value of a gate; whole numbers without digits."""
    value = finite(gate.get("value"))
    return DASH if value is None or _is_test(gate) else _plain(value)


def condition_of(gate: Mapping[str, Any]) -> str:
    """Write what a gate asks for, as `≤ 0.4190`."""
    bound = finite(gate.get("bound"))
    operator = text(gate.get("op"), 8)
    return "" if bound is None or _is_test(gate) else f"{OPERATORS.get(operator, operator)} {_plain(bound)}"


def reason_of(gate: Mapping[str, Any]) -> str:
    """Say why a gate is broken."""
    name, note = text(gate.get("name"), 80), gate.get("note")
    if note and gate.get("kind") in ("champion", "test"):
        return f"{name}: {text(note)}"
    return f"{name} is {value_of(gate)}, asked for is {condition_of(gate)}"


def _verdict(verdict: Mapping[str, Any]) -> View:
    gates = rows(verdict.get("gates"))[:MOST_GATES]
    numerous = [gate for gate in gates if gate.get("kind") in NUMEROUS and outcome_of(gate)]
    hidden = numerous if len(numerous) > MOST_HELD_SHOWN else []
    shown = [gate for gate in gates if not any(gate is other for other in hidden)]
    kinds = Counter(text(gate.get("kind"), 40) for gate in hidden)
    told = ", ".join(f"{n} of kind {kind}" for kind, n in kinds.items())
    return {
        "step": text(verdict.get("step"), 80),
        "word": text(verdict.get("verdict"), 80),
        "ok": verdict.get("ok") is True,
        "reasons": [text(reason) for reason in texts(verdict.get("reasons"))],
        "gates": [_gate(gate) for gate in sorted(shown, key=lambda gate: outcome_of(gate) is not False)],
        "more": [_gate(gate) for gate in hidden],
        "more_told": f"{plural(len(hidden), 'more gate')} held: {told}",
    }


def _gate(gate: Mapping[str, Any]) -> View:
    ok = outcome_of(gate)
    return {
        "name": text(gate.get("name"), 120),
        "note": text(gate["note"], 300) if gate.get("note") and (ok is False or gate.get("kind") == "champion") else "",
        "kind": text(gate.get("kind"), 40),
        "value": value_of(gate),
        "condition": condition_of(gate),
        "ok": ok,
        "word": WORDS[ok],
        "plot": "" if _is_test(gate) else _plot(gate),
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


def _is_test(gate: Mapping[str, Any]) -> bool:
    """Say whether the gate is a yes or no: its numbers 1 and 0 tell a reader nothing."""
    return gate.get("kind") == "test"


def _plain(value: float) -> str:
    return number(int(value)) if value == int(value) else number(value)

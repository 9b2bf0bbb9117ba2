"""Say in words what gates compare and whether they hold."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from argosy.report.formats import DASH, finite, number, plural, text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Gate = Mapping[str, Any]

OPERATORS = {">=": "\N{GREATER-THAN OR EQUAL TO}", "<=": "\N{LESS-THAN OR EQUAL TO}", ">": ">", "<": "<", "==": "="}
WORDS = {True: "held", False: "broken", None: "unknown"}
# Of these a run has many; as long as they hold they are counted, not listed.
NUMEROUS = ("slice", "test")
MOST_HELD_LISTED = 6


def outcome_of(gate: Gate) -> bool | None:
    """Return whether a gate holds; None if it does not say."""
    ok = gate.get("ok")
    return ok if isinstance(ok, bool) else None


def is_test(gate: Gate) -> bool:
    """Say whether the gate is a yes or no: its numbers 1 and 0 tell a reader nothing."""
    return gate.get("kind") == "test"


def value_of(gate: Gate) -> str:
    """Write the value of a gate; whole numbers without digits."""
    value = finite(gate.get("value"))
    return DASH if value is None or is_test(gate) else _plain(value)


def condition_of(gate: Gate) -> str:
    """Write what a gate asks for: its operator and its bound."""
    bound = finite(gate.get("bound"))
    operator = text(gate.get("op"), 8)
    return "" if bound is None or is_test(gate) else f"{OPERATORS.get(operator, operator)} {_plain(bound)}"


def note_of(gate: Gate) -> str:
    """Return the gate's note where it tells more than its numbers: broken ones and the champion's."""
    wanted = outcome_of(gate) is False or gate.get("kind") == "champion"
    return text(gate["note"], 300) if wanted and gate.get("note") else ""


def reason_of(gate: Gate) -> str:
    """Say why a gate is broken."""
    name = text(gate.get("name"), 80)
    if gate.get("note") and gate.get("kind") in ("champion", "test"):
        return f"{name}: {text(gate['note'])}"
    return f"{name} is {value_of(gate)}, asked for {condition_of(gate)}"


def count_held(gates: Sequence[Gate]) -> str:
    """Say how many of the gates held."""
    if not gates:
        return ""
    broken = sum(outcome_of(gate) is not True for gate in gates)
    return f"{broken} of {plural(len(gates), 'gate')} broken." if broken else f"{plural(len(gates), 'gate')}, all held."


def list_and_rest(gates: Sequence[Gate]) -> tuple[list[Gate], list[Gate]]:
    """Split gates into those to list, broken ones first, and the many alike that held."""
    rest = [gate for gate in gates if gate.get("kind") in NUMEROUS and outcome_of(gate)]
    if len(rest) <= MOST_HELD_LISTED:
        rest = []
    listed = [gate for gate in gates if not any(gate is other for other in rest)]
    return sorted(listed, key=lambda gate: outcome_of(gate) is not False), rest


def count_rest(gates: Sequence[Gate]) -> str:
    """Say how many gates held without being listed, by kind."""
    kinds = Counter(text(gate.get("kind"), 40) for gate in gates)
    told = ", ".join(f"{n} of kind {kind}" for kind, n in kinds.items())
    return f"{plural(len(gates), 'more gate')} held: {told}" if gates else ""


def _plain(value: float) -> str:
    return number(int(value)) if value == int(value) else number(value)

"""Gates: what a candidate has to hold before it may be registered or promoted.

A gate compares one number with one bound. A number that is not there, not defined or not finite breaks its
gate. `check_gates` works on values and is a value itself; latency is a measurement, so it has a verdict of
its own, `check_latency`.
"""

from __future__ import annotations

import math
import operator
from dataclasses import asdict, dataclass, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Literal

from argosy.errors import Mistake
from argosy.evaluation.metrics import HIGHER_IS_BETTER, METRICS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    Bounds = Mapping[str, Sequence[Any]]

Kind = Literal["floor", "leak", "champion", "slice", "test", "latency"]
COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
TOTALS = ("n_rows", "n_labelled", "n_days", "size_bytes")
CALIBRATION = ("calibration_slope", "calibration_intercept")
KNOWN_METRICS = (*METRICS, *CALIBRATION, *TOTALS)
SPREAD = "spread."
LEAK_ADVICE = (
    "too good to be true for this problem: look for a leak (a feature made of what happens after the time of "
    "prediction, availability times that are too early, a join that returns the row's own outcome)"
)


@dataclass(frozen=True)
class Gate:
    """One comparison and its outcome.

    Attributes:
        name: What is compared, like "auc" or "carrier=AA auc".
        kind: Why there is such a gate.
        value: The number; None if it is not defined, which breaks the gate.
        op: One of < <= > >=.
        bound: What the number is compared with.
        ok: Whether the gate holds.
        interval: The 95 % interval of the number, where there is one.
        note: What a person should know or do.

    """

    name: str
    kind: Kind
    value: float | None
    op: str
    bound: float
    ok: bool
    interval: tuple[float, float] | None = None
    note: str = ""

    @property
    def reason(self) -> str:
        """Say what was got and what is asked for."""
        if self.kind in ("champion", "test"):
            return f"{self.name}: {self.note}"
        got = "not defined" if self.value is None else f"{self.value:.6g}"
        known = self.interval and f" (95 % from {self.interval[0]:.4g} to {self.interval[1]:.4g})"
        note = f": {self.note}" if self.note else ""
        return f"{self.kind}: {self.name} is {got}{known or ''}, asked for {self.op} {self.bound:g}{note}"


def check_gates(
    *,
    metrics: Mapping[str, Any],
    comparison: Mapping[str, Any],
    tests: Mapping[str, Any],
    floors: Bounds,
    ceilings: Mapping[str, float],
    slices: Bounds,
) -> dict[str, Any]:
    """Say whether a candidate may be registered.

    Args:
        metrics: What `evaluate` returned.
        comparison: What `compare` returned.
        tests: What `test_model` returned.
        floors: Per metric, operator and bound, like {"auc": [">=", 0.78], "size_bytes": ["<=", 5e6]}.
        ceilings: Per metric, the value beyond which (in the good direction) a leak is suspected.
        slices: Per metric, operator and bound that every slice holds that is not pooled; with "spread."
            before the metric, the difference between the highest and the lowest slice of a column.

    Returns:
        `verdict` (passed or failed), `ok`, `reasons` (of broken gates), `gates` (all of them).

    Raises:
        Mistake: A metric or an operator is unknown.

    """
    return verdict_of(
        [
            *floor_gates(metrics, floors),
            *leak_gates(metrics, ceilings),
            champion_gate(comparison),
            *slice_gates(metrics["slices"], slices),
            *(_test_gate(finding) for finding in tests["findings"]),
        ]
    )


def check_latency(*, latency: Mapping[str, Any], bounds: Bounds) -> dict[str, Any]:
    """Say whether a model is fast enough to be promoted.

    Args:
        latency: What `measure` returned.
        bounds: Per measurement, operator and bound, like {"p99_us": ["<=", 2000]}.

    Returns:
        As `check_gates`.

    Raises:
        Mistake: A measurement or an operator is unknown.

    """
    return verdict_of(
        [
            gate(name, "latency", latency.get(_known(name, tuple(latency))), op=op, bound=bound)
            for name, (op, bound) in bounds.items()
        ]
    )


def gate(name: str, kind: Kind, value: float | None, *, op: str, bound: float) -> Gate:
    """Compare a value with a bound; null, NaN and infinities break the gate.

    Raises:
        Mistake: The operator is unknown.

    """
    if op not in COMPARE:
        raise Mistake(f"gate {name}: operator {op!r}; allowed are {' '.join(COMPARE)}")
    number = value if value is not None and math.isfinite(value) else None
    ok = number is not None and COMPARE[op](number, bound)
    return Gate(name=name, kind=kind, value=number, op=op, bound=bound, ok=ok)


def verdict_of(gates: Sequence[Gate]) -> dict[str, Any]:
    """Sum gates up to a verdict that lists the reasons of the broken ones."""
    ok = all(each.ok for each in gates)
    return {
        "verdict": "passed" if ok else "failed",
        "ok": ok,
        "reasons": [each.reason for each in gates if not each.ok],
        "gates": [
            {**asdict(each), "interval": None if each.interval is None else list(each.interval)} for each in gates
        ],
    }


def floor_gates(metrics: Mapping[str, Any], floors: Bounds) -> Iterator[Gate]:
    """Yield a gate per floor, with the metric's interval where it has one."""
    for name, (op, bound) in floors.items():
        yield _on_metric(metrics, name, "floor", op=op, bound=bound)


def leak_gates(metrics: Mapping[str, Any], ceilings: Mapping[str, float]) -> Iterator[Gate]:
    """Yield a gate per ceiling: a metric better than it is refused as a leak."""
    for name, bound in ceilings.items():
        op = "<=" if name in HIGHER_IS_BETTER else ">="
        yield _on_metric(metrics, name, "leak", op=op, bound=bound)


def champion_gate(comparison: Mapping[str, Any]) -> Gate:
    """Return the gate of non-inferiority: the interval of the log loss difference ends below the margin.

    Without a champion it holds; with too few days for an interval it is broken.
    """
    margin = float(comparison["margin"])
    loss = comparison["differences"].get("log_loss")
    bounds: tuple[float, float] | None = tuple(loss["interval"]) if loss else None
    high = bounds[1] if bounds else None
    return Gate(
        name="log loss against the champion",
        kind="champion",
        value=high,
        op="<",
        bound=margin,
        ok=bool(comparison["ok"]) and (comparison["champion"] is None or (high is not None and high < margin)),
        interval=bounds,
        note="; ".join(comparison["reasons"]),
    )


def slice_gates(rows: Sequence[Mapping[str, Any]], bounds: Bounds) -> Iterator[Gate]:
    """Yield a gate per slice and metric, and per column and spread.

    Args:
        rows: The `slices` of `evaluate`.
        bounds: Per metric or "spread.<metric>", operator and bound.

    """
    whole = [row for row in rows if not row["pooled"]]
    for key, (op, bound) in bounds.items():
        metric = _known(key.removeprefix(SPREAD), (*METRICS, *CALIBRATION))
        if key == metric:
            for row in whole:
                yield gate(f"{row['column']}={row['value']} {metric}", "slice", row[metric], op=op, bound=bound)
            continue
        for column in dict.fromkeys(row["column"] for row in whole):
            values = [row[metric] for row in whole if row["column"] == column]
            yield gate(f"{column} {key}", "slice", _spread(values), op=op, bound=bound)


def _spread(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return max(known) - min(known) if len(known) == len(values) else None


def _on_metric(metrics: Mapping[str, Any], name: str, kind: Kind, *, op: str, bound: float) -> Gate:
    _known(name, KNOWN_METRICS)
    value = metrics.get(name) if name in TOTALS else metrics["overall"].get(name)
    low, high = metrics["intervals"].get(name, (None, None))
    return replace(
        gate(name, kind, value, op=op, bound=bound),
        interval=(low, high) if low is not None and high is not None else None,
        note=LEAK_ADVICE if kind == "leak" else "",
    )


def _test_gate(finding: Mapping[str, Any]) -> Gate:
    """Turn a finding of `test_model` into a gate; its message says what was got."""
    held = bool(finding["ok"])
    return Gate(
        name=f"{finding['kind']} test, {finding['name']}",
        kind="test",
        value=float(held),
        op=">=",
        bound=1,
        ok=held,
        note=finding["message"],
    )


def _known(name: str, names: Sequence[str]) -> str:
    """Return the name if it is one of the names.

    Raises:
        Mistake: It is not.

    """
    if name in names:
        return name
    close = get_close_matches(name, names, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    raise Mistake(f"gate {name!r}: no such metric; allowed are {', '.join(names)}{hint}")

"""Prepare how good the model is: curves, months, slices, model tests, latency."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from argosy.report import shapes, svg
from argosy.report.charts import (
    Mark,
    calibration_chart,
    linear_axis,
    roc_chart,
    strip,
    strip_scale,
    trend,
)
from argosy.report.formats import DASH, count, finite, micros, number, plural, size, text
from argosy.report.headline import Figure
from argosy.report.reading import first, mapping, numbers, rows, section

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WORST_SLICES = 12
MOST_TESTS = 60
LONGEST_MESSAGE = 300
CALIBRATION_ERROR = ("expected_calibration_error", "ece")
MEASURES = {
    "auc": "AUC",
    "log_loss": "Log loss",
    "brier": "Brier score",
    "average_precision": "Average precision",
}

View = dict[str, Any]


def quality_view(run: Mapping[str, Any]) -> View | None:
    """Prepare the overall metrics with their intervals, the ROC curve and the calibration."""
    metrics = section(run, "metrics")
    overall = mapping(metrics.get("overall"))
    figures = _overall_figures(overall, mapping(metrics.get("intervals")))
    charts = [*_roc(run, overall), *_calibration(run, overall)]
    if not (figures or charts):
        return None
    n = finite(overall.get("n"))
    return {
        "lead": f"On {count(n)} labelled rows that training has not seen." if n else "",
        "figures": figures,
        "charts": charts,
    }


def months_view(run: Mapping[str, Any]) -> View | None:
    """Prepare the metrics of each month."""
    metrics = section(run, "metrics")
    months = [row for row in rows(metrics.get("months")) if isinstance(row.get("month"), str)]
    if len(months) < 2:
        return None
    overall = mapping(metrics.get("overall"))
    present = [key for key in MEASURES if any(finite(row.get(key)) is not None for row in months)]
    labels = [row["month"] for row in months]
    charts = [_month_chart(key, months, labels, overall) for key in present[:3]]
    return {
        "lead": _extremes(months),
        "charts": [*charts, *_rate_chart(months, labels)],
        "head": ["rows", *(MEASURES[key] for key in present)],
        "rows": [(row["month"], [count(row.get("n")), *(number(row.get(k)) for k in present)]) for row in months],
    }


def slices_view(run: Mapping[str, Any]) -> View | None:
    """Prepare the slices with the highest log loss against the overall one."""
    metrics = section(run, "metrics")
    known = [row for row in rows(metrics.get("slices")) if finite(row.get("log_loss")) is not None]
    if not known:
        return None
    worst = sorted(known, key=lambda row: -float(row["log_loss"]))[:WORST_SLICES]
    overall = finite(mapping(metrics.get("overall")).get("log_loss"))
    values = [float(row["log_loss"]) for row in worst] + ([] if overall is None else [overall])
    scale = strip_scale(*svg.padded(values, 0.1))
    marks = [] if overall is None else [Mark(overall, "zero", f"overall {number(overall)}")]
    return {
        "lead": f"The {len(worst)} of {plural(len(known), 'slice')} with the highest log loss; "
        f"the line marks the overall {number(overall)}.",
        "axis": linear_axis(scale, "log loss"),
        "rows": [_slice(row, scale, marks) for row in worst],
    }


def tests_view(run: Mapping[str, Any]) -> View | None:
    """Prepare what the model tests found, failures first."""
    found = rows(section(run, "tests").get("findings"))
    if not found:
        return None
    failures = sum(row.get("ok") is False for row in found)
    ordered = sorted(found, key=lambda row: row.get("ok") is not False)[:MOST_TESTS]
    tests = plural(len(found), "model test")
    cut = f" {MOST_TESTS} are shown." if len(found) > MOST_TESTS else ""
    return {
        "lead": (f"{failures} of {tests} failed." if failures else f"{tests}, all passed.") + cut,
        "rows": [_test(row) for row in ordered],
    }


def latency_view(run: Mapping[str, Any]) -> View | None:
    """Prepare what a prediction costs."""
    latency = section(run, "latency")
    named = {
        "p50": micros(latency.get("p50_us")),
        "p99": micros(latency.get("p99_us")),
        "rows per second": count(latency.get("rows_per_s")),
        "model size": size(latency.get("size_bytes")),
    }
    figures = [Figure(name, value) for name, value in named.items() if finite_text(value)]
    return {"lead": "", "figures": figures} if figures else None


def finite_text(shown: str) -> bool:
    """Say whether a formatted value is more than the dash for a missing one."""
    return any(character.isdigit() for character in shown)


def _overall_figures(overall: Mapping[str, Any], intervals: Mapping[str, Any]) -> list[Figure]:
    named = [(label, overall.get(key), key) for key, label in MEASURES.items()]
    named.append(("Calibration error", first(overall, *CALIBRATION_ERROR), "ece"))
    figures = []
    for label, value, key in named:
        ends = numbers(intervals.get(key))
        if finite(value) is not None:
            figures.append(Figure(label, number(value), f" {DASH} ".join(map(number, ends)) if len(ends) == 2 else ""))
    return figures


def _roc(run: Mapping[str, Any], overall: Mapping[str, Any]) -> list[View]:
    curve = shapes.roc(run)
    if len(curve) < 2:
        return []
    area = f"area {number(overall.get('auc'))}"
    return [{"title": "ROC", "note": area, "svg": roc_chart(curve, f"ROC curve, {area}")}]


def _calibration(run: Mapping[str, Any], overall: Mapping[str, Any]) -> list[View]:
    bins = shapes.calibration(run)
    if not bins:
        return []
    error = first(overall, *CALIBRATION_ERROR)
    note = f"expected error {number(error)}; a dot's area is its share of rows"
    return [{"title": "Calibration", "note": note, "svg": calibration_chart(bins, f"Calibration, {note}")}]


def _month_chart(
    key: str, months: Sequence[Mapping[str, Any]], labels: Sequence[str], overall: Mapping[str, Any]
) -> View:
    points = [finite(row.get(key)) for row in months]
    whole = finite(overall.get(key))
    title = f"{MEASURES[key]} by month, overall {number(whole)}"
    short = [label[5:] if len(label) == 7 else label for label in labels]
    return {"title": MEASURES[key], "legend": [], "svg": trend(short, [("one", points)], overall=whole, title=title)}


def _rate_chart(months: Sequence[Mapping[str, Any]], labels: Sequence[str]) -> list[View]:
    rates = [finite(first(row, "base_rate", "rate")) for row in months]
    scores = [finite(row.get("mean_score")) for row in months]
    if all(rate is None for rate in rates) or all(score is None for score in scores):
        return []
    short = [label[5:] if len(label) == 7 else label for label in labels]
    chart = trend(short, [("one", rates), ("two", scores)], overall=None, title="Base rate and mean score by month")
    legend = [("one", "happened"), ("two", "predicted")]
    return [{"title": "Rate", "legend": legend, "svg": chart}]


def _extremes(months: Sequence[Mapping[str, Any]]) -> str:
    known = [row for row in months if finite(row.get("auc")) is not None]
    if len(known) < 2:
        return ""
    low, high = min(known, key=lambda row: row["auc"]), max(known, key=lambda row: row["auc"])
    return f"AUC between {number(low['auc'])} ({low['month']}) and {number(high['auc'])} ({high['month']})."


def _slice(row: Mapping[str, Any], scale: svg.Scale, marks: Sequence[Mark]) -> View:
    loss = float(row["log_loss"])
    name = f"{text(first(row, 'slice', 'column'), 60)} = {text(row.get('value'), 60)}"
    return {
        "name": name,
        "n": count(row.get("n")),
        "auc": number(row.get("auc")),
        "log_loss": number(loss),
        "plot": strip(scale, f"{name}: log loss {number(loss)}", dots=[loss], marks=marks),
    }


def _test(row: Mapping[str, Any]) -> View:
    ok = row.get("ok") if isinstance(row.get("ok"), bool) else None
    return {
        "name": text(row.get("name"), 120),
        "kind": text(row.get("kind"), 60),
        "ok": ok,
        "word": {True: "passed", False: "failed", None: "unknown"}[ok],
        "message": text(row.get("message"), LONGEST_MESSAGE),
    }

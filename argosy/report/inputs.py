"""Prepare what went into the model: findings in the data, feature ages, the search."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from argosy.report import shapes, svg
from argosy.report.charts import Mark, axis, linear_axis, strip, strip_scale
from argosy.report.coverage import depth_of
from argosy.report.formats import count, finite, number, plural, share, span, text
from argosy.report.reading import numbers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MOST_FINDINGS = 100
LONGEST_MESSAGE = 300
STOPS = ("REJECT", "BLOCK")
MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
AGE_TICKS = (
    (1.0, "1 s"),
    (MINUTE, "1 min"),
    (10 * MINUTE, "10 min"),
    (HOUR, "1 h"),
    (6 * HOUR, "6 h"),
    (DAY, "1 d"),
    (7 * DAY, "7 d"),
    (30 * DAY, "30 d"),
    (365 * DAY, "1 y"),
)
TICK_ROOM_PX = 56

View = dict[str, Any]


def findings_view(run: Mapping[str, Any]) -> View | None:
    """Prepare what validation found in the data and did about it."""
    found = shapes.findings(run)
    if not found:
        return None if found is None else {"lead": "Validation found nothing.", "rows": []}
    actions = Counter(text(row.get("action"), 40) for row in found)
    told = ", ".join(f"{n} {action}" for action, n in actions.most_common())
    cut = f" The first {MOST_FINDINGS} are shown." if len(found) > MOST_FINDINGS else ""
    return {
        "lead": f"{plural(len(found), 'finding')}: {told}.{cut}",
        "rows": [_finding(row) for row in found[:MOST_FINDINGS]],
    }


def ages_view(run: Mapping[str, Any]) -> View | None:
    """Prepare how old each view's values were when used, against their time to live."""
    views = shapes.views(run)
    if not views:
        return None
    scale = _age_scale([view for view in views if view["ttl_s"] is not None] or views)
    months = sorted({str(month) for view in views for month in view["months"]})
    return {
        "lead": _ages_lead(views),
        "axis": axis(scale, _age_ticks(scale), title="age, logarithmic"),
        "rows": [_view(view, scale) for view in views],
        "months": months,
        "coverage": [_coverage(view, months) for view in views] if months else [],
    }


def search_view(run: Mapping[str, Any]) -> View | None:
    """Prepare the candidates of the search with their score on each fold, best first."""
    candidates = shapes.candidates(run)
    scores = [score for row in candidates for score in row["scores"]]
    if not scores:
        return None
    scale = strip_scale(*svg.padded(scores, 0.12))
    chosen = [f"; the chosen one has a mean of {number(row['mean'])}" for row in candidates if row["chosen"]]
    rounds = {row["round"] for row in candidates if row["round"] is not None}
    tried = plural(len(candidates), "candidate") + (f" in {plural(len(rounds), 'round')}" if rounds else "")
    told = f"{tried}, {plural(len(scores), 'score')} of log loss on later folds"
    ordered = sorted(candidates, key=lambda row: (row["mean"] is None, row["mean"]))
    return {
        "lead": f"{told}{''.join(chosen[:1])}.",
        "axis": linear_axis(scale, "log loss"),
        "rows": [_candidate(row, scale) for row in ordered],
    }


def _finding(row: Mapping[str, Any]) -> View:
    where = ".".join(text(row[key], 60) for key in ("table", "column") if row.get(key))
    return {
        "check": text(row.get("check"), 80),
        "where": where,
        "action": text(row.get("action"), 40),
        "rows": count(row.get("rows")),
        "share": share(row.get("share")),
        "grave": row.get("action") in STOPS,
        "message": text(row.get("message"), LONGEST_MESSAGE).removeprefix(f"{where}: "),
    }


def _ages_lead(views: Sequence[Mapping[str, Any]]) -> str:
    late = [view["view"] for view in views if _is_late(view)]
    if not late:
        return "In every view at least 99 % of the values were younger than their time to live."
    return f"More than 1 % of the values had outlived their time to live in {', '.join(late)}."


def _age_scale(views: Sequence[Mapping[str, Any]]) -> svg.Scale:
    """Return the scale for the views that can expire: reference data, years old, would squeeze it."""
    ages = [age for view in views for age in numbers([*view["ages"].values(), view["ttl_s"]]) if age > 0]
    return strip_scale(min([*ages, HOUR]) / 1.8, max([*ages, DAY]) * 1.8, log=True)


def _age_ticks(scale: svg.Scale) -> list[tuple[float, str]]:
    ticks: list[tuple[float, str]] = []
    for value, name in AGE_TICKS:
        has_room = not ticks or scale(value) - scale(ticks[-1][0]) >= TICK_ROOM_PX
        if scale.low <= value <= scale.high and has_room:
            ticks.append((value, name))
    return ticks


def _is_late(view: Mapping[str, Any]) -> bool:
    p99 = view["ages"].get("p99")
    return view["ttl_s"] is not None and p99 is not None and p99 > view["ttl_s"]


def _view(view: Mapping[str, Any], scale: svg.Scale) -> View:
    ages = [view["ages"].get(name) for name in ("p50", "p90", "p99", "max")]
    ttl = view["ttl_s"]
    shown = [span(age) for age in ages]
    title = f"age p50 {shown[0]}, p90 {shown[1]}, p99 {shown[2]}, at most {shown[3]}; time to live {span(ttl)}"
    return {
        "name": text(view["view"], 60),
        "ttl": span(ttl) if ttl is not None else "forever",
        "ages": shown,
        "expired": share(view["expired"]),
        "plot": _age_strip(scale, title, ages, ttl),
    }


def _age_strip(scale: svg.Scale, title: str, ages: Sequence[float | None], ttl: float | None) -> str:
    known = numbers(ages[:3])
    if len(known) < 3 or known[0] > scale.high:
        return ""
    bars = [(known[0], known[2], "whisker"), (known[0], known[1], "interval")]
    bars += [(known[2], most, "reach") for most in numbers(ages[3:])]
    marks = [] if ttl is None else [Mark(ttl, "bound", f"time to live {span(ttl)}")]
    return strip(scale, title, dots=known[:1], bars=bars, marks=marks)


def _coverage(view: Mapping[str, Any], months: Sequence[str]) -> View:
    return {"name": text(view["view"], 60), "cells": [_cell(view, view["months"].get(month)) for month in months]}


def _cell(view: Mapping[str, Any], value: object) -> View:
    found = finite(value)
    low = found is not None and view["least"] is not None and found < view["least"]
    return {"text": share(value, 1), "depth": depth_of(found), "low": low}


def _candidate(row: Mapping[str, Any], scale: svg.Scale) -> View:
    scores, mean = row["scores"], row["mean"]
    bars = [(min(scores), max(scores), "interval")] if scores else []
    marks = [] if mean is None else [Mark(mean, "mean", f"mean {number(mean)}")]
    title = f"folds {', '.join(map(number, scores))}, mean {number(mean)}"
    return {
        "name": text(row["candidate"], 40),
        "round": None if row["round"] is None else count(row["round"]),
        "chosen": row["chosen"],
        "params": [(text(key, 40), text(value, 60)) for key, value in row["params"].items()],
        "mean": number(mean),
        "spread": number(row["spread"]),
        "plot": strip(scale, title, dots=scores, bars=bars, marks=marks) if scores else "",
    }

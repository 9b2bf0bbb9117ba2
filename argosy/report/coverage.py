"""Prepare how often each feature view's rows would be there in time, were its requests served online."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from argosy.report import shapes
from argosy.report.charts import Mark, linear_axis, strip, strip_scale
from argosy.report.formats import plural, share, span, text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from argosy.report import svg

STEPS = (0.5, 0.8, 0.95, 0.99)

View = dict[str, Any]


def coverage_view(run: Mapping[str, Any]) -> View | None:
    """Prepare each view's coverage as trained and as served, against what it asks for, and by time to live."""
    found = shapes.coverage(run)
    if found is None or not found["views"]:
        return None
    views, scale = found["views"], strip_scale(0.0, 1.0)
    columns = sorted({point["ttl_s"] for view in views for point in view["curve"]})
    return {
        "lead": _lead(found),
        "axis": linear_axis(scale, "share of requests"),
        "rows": [_row(view, scale) for view in views],
        "columns": [span(ttl_s) for ttl_s in columns],
        "curves": [_curve(view, columns) for view in views] if columns else [],
    }


def depth_of(value: float | None) -> int:
    """Return how deep a share is coloured, from 0 for none to 5 for nearly all."""
    return 0 if value is None else 1 + sum(value >= step for step in STEPS)


def _lead(found: Mapping[str, Any]) -> str:
    short = [text(view["view"], 60) for view in found["views"] if _is_short(view)]
    asked = f" of {plural(int(found['requests']), 'request')}" if found["requests"] is not None else ""
    if not short:
        return (
            f"Served a whole serving lag late, the rows of every view are there for the share{asked} that it asks for."
        )
    return f"Served a serving lag late, the rows of {', '.join(short)} are there for less{asked} than asked for."


def _is_short(view: Mapping[str, Any]) -> bool:
    return view["with_lag"] is not None and view["least"] is not None and view["with_lag"] < view["least"]


def _row(view: Mapping[str, Any], scale: svg.Scale) -> View:
    trained, served, least = view["coverage"], view["with_lag"], view["least"]
    title = f"trained {share(trained)}, served {share(served)}, asked for {share(least)}"
    bars = [(0.0, value, css) for value, css in ((trained, "trained"), (served, "served")) if value is not None]
    marks = [] if least is None else [Mark(least, "bound", f"asked for {share(least)}")]
    short = _is_short(view)
    return {
        "name": text(view["view"], 60),
        "lag": span(view["lag_s"]),
        "ttl": span(view["ttl_s"]) if view["ttl_s"] is not None else "forever",
        "trained": share(trained),
        "served": share(served),
        "least": share(least),
        "short": short,
        "plot": strip(scale, title, bars=bars, marks=marks, css="broken" if short else "") if bars else "",
    }


def _curve(view: Mapping[str, Any], columns: Sequence[float]) -> View:
    known = {point["ttl_s"]: point["with_lag"] for point in view["curve"]}
    cells = [
        {
            "text": share(known.get(ttl_s), 1),
            "depth": depth_of(known.get(ttl_s)),
            "own": ttl_s == view["ttl_s"],
        }
        for ttl_s in columns
    ]
    return {"name": text(view["view"], 60), "cells": cells}

"""Draw when each step ran: one bar per step on a common time axis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from argosy.report import svg
from argosy.report.dag import sign
from argosy.report.formats import clip, duration, finite
from argosy.report.reading import status_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from markupsafe import Markup

WIDTH = 410.0
ROW = 28.0
TOP = 22.0
MOST_ROWS = 60
CHARACTER_PX = 6.6
LONGEST_NAME = 24


def draw_timeline(steps: Sequence[Mapping[str, Any]], total_s: float | None) -> Markup | None:
    """Draw the steps that have a start; None where none has one.

    Of more steps than fit, the longest are drawn, in order of their start.
    """
    began = [step for step in steps if status_of(step) not in ("skipped", "unfinished")]
    started = [step for step in began if finite(step.get("started_s")) is not None]
    if not started:
        return None
    longest = sorted(started, key=lambda step: -(finite(step.get("seconds")) or 0.0))[:MOST_ROWS]
    shown = sorted(longest, key=lambda step: (finite(step["started_s"]) or 0.0, started.index(step)))
    end = max([total_s or 0.0, *(_end(step) for step in shown)]) or 1.0
    left = min(max(len(step["name"]) for step in shown), LONGEST_NAME) * CHARACTER_PX + 26
    scale = svg.Scale(0.0, end, left, WIDTH - 48)
    height = TOP + ROW * len(shown) + 4
    bars = [_row(step, TOP + ROW * i, scale) for i, step in enumerate(shown)]
    title = f"Timeline of {len(shown)} steps over {duration(end)}"
    return svg.picture((WIDTH, height), title, *_grid(scale, height), *bars, css="timeline")


def _end(step: Mapping[str, Any]) -> float:
    return (finite(step.get("started_s")) or 0.0) + (finite(step.get("seconds")) or 0.0)


def _grid(scale: svg.Scale, height: float) -> list[Markup]:
    ticks = scale.ticks(5)
    drawn = []
    for tick in ticks:
        x = scale(tick)
        drawn.append(svg.line((x, TOP - 4), (x, height), css="grid"))
        drawn.append(svg.label((x, 11), f"{svg.tick_text(tick, ticks)} s", css="tick", anchor="middle"))
    return drawn


def _row(step: Mapping[str, Any], y: float, scale: svg.Scale) -> Markup:
    status = status_of(step)
    start = scale(finite(step.get("started_s")) or 0.0)
    end = max(scale(_end(step)), start + 3)
    took = duration(step.get("seconds"))
    name = step["name"]
    bar = svg.element("rect", x=start, y=y + 5.5, width=end - start, height=15, rx=2.5, class_=f"bar {status}")
    return svg.element(
        "g",
        svg.element("title", f"{name}: {status}, {took}"),
        sign(status, (8, y + 13)),
        svg.label((20, y + 17.5), clip(name, LONGEST_NAME), css="name"),
        bar,
        svg.label((end + 5, y + 17.5), took, css="note"),
    )

"""Draw the small charts of the report: strips in table rows, curves, trends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from argosy.report import svg

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markupsafe import Markup

STRIP_WIDTH = 260.0
STRIP_HEIGHT = 22.0
SQUARE = 400.0
TREND_WIDTH = 270.0
TREND_HEIGHT = 150.0
MOST_CURVE_POINTS = 200


@dataclass(frozen=True)
class Mark:
    """A reference on a strip: a bound, a time to live, an overall value."""

    value: float
    css: str
    title: str = ""


def strip(
    scale: svg.Scale,
    title: str,
    *,
    dots: Sequence[float] = (),
    bars: Sequence[tuple[float, float, str]] = (),
    marks: Sequence[Mark] = (),
    css: str = "",
) -> Markup:
    """Draw dots, intervals and reference marks on one line; rows with one scale compare.

    A bar is (low, high, class): `good` is the allowed side, `interval` an uncertainty.
    """
    middle = STRIP_HEIGHT / 2
    drawn = [svg.line((scale.start, middle), (scale.end, middle), css="rail")]
    drawn += [svg.line((scale(low), middle), (scale(high), middle), css=kind) for low, high, kind in bars]
    drawn += [_mark(scale(mark.value), mark) for mark in marks]
    drawn += [svg.element("circle", cx=scale(dot), cy=middle, r=4.5, class_="dot") for dot in dots]
    return svg.picture((STRIP_WIDTH, STRIP_HEIGHT), title, *drawn, css=f"strip {css}".strip())


def strip_scale(low: float, high: float, *, log: bool = False) -> svg.Scale:
    """Return the scale that the strips of one table share."""
    return svg.Scale(low, high, 8.0, STRIP_WIDTH - 8, log=log)


def axis(scale: svg.Scale, ticks: Sequence[tuple[float, str]], *, title: str) -> Markup:
    """Draw the axis above the strips of one table."""
    drawn = []
    for value, text in ticks:
        x = scale(value)
        anchor = "start" if x < 24 else "end" if x > STRIP_WIDTH - 24 else "middle"
        drawn.append(svg.label((x, 11), text, css="tick", anchor=anchor))
        drawn.append(svg.line((x, 15), (x, 20), css="grid"))
    return svg.picture((STRIP_WIDTH, 20), title, *drawn, css="strip axis")


def linear_axis(scale: svg.Scale, title: str) -> Markup:
    """Draw the axis of a linear scale with round ticks."""
    ticks = scale.ticks(4)
    return axis(scale, [(tick, svg.tick_text(tick, ticks)) for tick in ticks], title=title)


def roc_chart(points: Sequence[tuple[float, float]], title: str) -> Markup:
    """Draw a ROC curve over the diagonal of chance."""
    x, y = _square_scales()
    kept = thinned(points, MOST_CURVE_POINTS)
    curve = [(x(fpr), y(tpr)) for fpr, tpr in kept]
    area = [(x(0), y(0)), *curve, (x(1), y(0))]
    drawn = [
        *_square_frame(x, y, "false positive rate", "true positive rate"),
        svg.line((x(0), y(0)), (x(1), y(1)), css="chance"),
        svg.polyline(area, "area"),
        svg.polyline(curve, "curve"),
    ]
    return svg.picture((SQUARE, SQUARE), title, *drawn, css="square")


def calibration_chart(bins: Sequence[tuple[float, float, float]], title: str) -> Markup:
    """Draw outcome rate against mean prediction; a dot's area is its share of rows."""
    x, y = _square_scales()
    most = max((n for _, _, n in bins), default=1.0) or 1.0
    dots = [
        svg.element(
            "circle",
            svg.element("title", f"predicted {p:.3f}, came true {rate:.3f}, {n:,.0f} rows"),
            cx=x(p),
            cy=y(rate),
            r=2.5 + 7 * (n / most) ** 0.5,
            class_="bin",
        )
        for p, rate, n in bins
    ]
    drawn = [
        *_square_frame(x, y, "mean prediction", "share that came true"),
        svg.line((x(0), y(0)), (x(1), y(1)), css="chance"),
        svg.polyline([(x(p), y(rate)) for p, rate, _ in bins], "curve thin"),
        *dots,
    ]
    return svg.picture((SQUARE, SQUARE), title, *drawn, css="square")


def trend(
    labels: Sequence[str],
    series: Sequence[tuple[str, Sequence[float | None]]],
    *,
    overall: float | None,
    title: str,
) -> Markup:
    """Draw one or two series over labelled steps, with the overall value as a line."""
    values = [v for _, points in series for v in points if v is not None]
    values += [] if overall is None else [overall]
    low, high = svg.padded(values, 0.15)
    y = svg.Scale(low, high, TREND_HEIGHT - 24, 10.0)
    x = svg.Scale(0.0, max(len(labels) - 1.0, 1.0), 52.0, TREND_WIDTH - 16)
    drawn = _trend_frame(labels, x, y)
    if overall is not None:
        drawn.append(svg.line((x.start, y(overall)), (x.end, y(overall)), css="overall"))
    for css, points in series:
        drawn += _series(css, [(x(i), y(v)) for i, v in enumerate(points) if v is not None])
    return svg.picture((TREND_WIDTH, TREND_HEIGHT), title, *drawn, css="trend")


def thinned(points: Sequence[tuple[float, float]], most: int) -> list[tuple[float, float]]:
    """Return at most `most` points of a curve, evenly by index, with both ends."""
    if len(points) <= most:
        return list(points)
    step = (len(points) - 1) / (most - 1)
    return [points[round(i * step)] for i in range(most)]


def _mark(x: float, mark: Mark) -> Markup:
    ends = svg.line((x, 2), (x, STRIP_HEIGHT - 2), css=f"mark {mark.css}".strip())
    return svg.element("g", svg.element("title", mark.title), ends) if mark.title else ends


def _square_scales() -> tuple[svg.Scale, svg.Scale]:
    return svg.Scale(0, 1, 48, SQUARE - 10), svg.Scale(0, 1, SQUARE - 44, 10)


def _square_frame(x: svg.Scale, y: svg.Scale, x_name: str, y_name: str) -> list[Markup]:
    drawn = []
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        drawn.append(svg.line((x(tick), y.start), (x(tick), y.end), css="grid"))
        drawn.append(svg.line((x.start, y(tick)), (x.end, y(tick)), css="grid"))
        drawn.append(svg.label((x(tick), y.start + 16), f"{tick:g}", css="tick", anchor="middle"))
        drawn.append(svg.label((x.start - 7, y(tick) + 4), f"{tick:g}", css="tick", anchor="end"))
    drawn.append(svg.label(((x.start + x.end) / 2, SQUARE - 8), x_name, css="axis-name", anchor="middle"))
    upright = svg.element(
        "text",
        y_name,
        transform=f"translate(12,{(y.start + y.end) / 2:.0f}) rotate(-90)",
        text_anchor="middle",
        class_="axis-name",
    )
    return [*drawn, upright]


def _trend_frame(labels: Sequence[str], x: svg.Scale, y: svg.Scale) -> list[Markup]:
    ticks = y.ticks(3)
    drawn = []
    for tick in ticks:
        drawn.append(svg.line((x.start - 6, y(tick)), (x.end + 6, y(tick)), css="grid"))
        drawn.append(svg.label((x.start - 12, y(tick) + 4), svg.tick_text(tick, ticks), css="tick", anchor="end"))
    every = max(1, -(-len(labels) // 6))
    drawn += [
        svg.label((x(i), TREND_HEIGHT - 6), name, css="tick", anchor="middle")
        for i, name in enumerate(labels)
        if i % every == 0
    ]
    return drawn


def _series(css: str, points: Sequence[tuple[float, float]]) -> list[Markup]:
    dots = [svg.element("circle", cx=px, cy=py, r=3.2, class_=f"dot {css}") for px, py in points]
    return [svg.polyline(points, f"curve {css}"), *dots]

"""Write SVG elements and map values to pixels."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from argosy.report.formats import MINUS

if TYPE_CHECKING:
    from collections.abc import Sequence


def element(name: str, *children: str, **attributes: object) -> Markup:
    """Build one element; texts and attribute values are escaped, None is left out.

    `class_` writes `class`, other underscores become hyphens: `text_anchor` -> `text-anchor`.
    """
    written = "".join(
        f' {_attribute(key)}="{escape(_plain(value))}"' for key, value in attributes.items() if value is not None
    )
    inner = "".join(escape(child) for child in children)
    return Markup(f"<{name}{written}>{inner}</{name}>")  # noqa: S704 - each part is escaped above


def picture(size: tuple[float, float], title: str, *children: str, css: str = "") -> Markup:
    """Build an `<svg>` that scales with its box and tells screen readers what it shows."""
    width, height = size
    return element(
        "svg",
        element("title", title),
        *children,
        viewBox=f"0 0 {_plain(width)} {_plain(height)}",
        width=width,
        height=height,
        role="img",
        aria_label=title,
        class_=css or None,
    )


def label(at: tuple[float, float], text: str, *, css: str = "", anchor: str | None = None) -> Markup:
    """Build a text element; `anchor` is start (default), middle or end."""
    return element("text", text, x=at[0], y=at[1], text_anchor=anchor, class_=css or None)


def line(start: tuple[float, float], end: tuple[float, float], *, css: str) -> Markup:
    """Build a straight line."""
    return element("line", x1=start[0], y1=start[1], x2=end[0], y2=end[1], class_=css)


def polyline(points: Sequence[tuple[float, float]], css: str) -> Markup:
    """Build an open line through points."""
    joined = " ".join(f"{_plain(x)},{_plain(y)}" for x, y in points)
    return element("polyline", points=joined, class_=css)


@dataclass(frozen=True)
class Scale:
    """Map `low..high` to the pixels `start..end`, linearly or by logarithm."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        """Return the pixel of a value; values outside are drawn at the edge."""
        low, high = self._bend(self.low), self._bend(self.high)
        share = 0.5 if high == low else (self._bend(value) - low) / (high - low)
        return self.start + min(max(share, 0.0), 1.0) * (self.end - self.start)

    def ticks(self, n: int = 5) -> list[float]:
        """Return about `n` round values inside a linear scale."""
        extent = self.high - self.low
        if extent <= 0:
            return [self.low]
        rough = extent / n
        unit = 10.0 ** math.floor(math.log10(rough))
        step = unit * next(factor for factor in (1, 2, 2.5, 5, 10) if factor * unit >= rough * 0.999)
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [round(k * step, 12) for k in range(first, last + 1)]

    def _bend(self, value: float) -> float:
        return math.log(max(value, 1e-9)) if self.log else value


def padded(values: Sequence[float], share: float = 0.08) -> tuple[float, float]:
    """Return the range of the values with some air on both sides, never of zero width."""
    low, high = min(values), max(values)
    air = (high - low) * share or abs(high) * share or 1.0
    return low - air, high + air


def tick_text(value: float, ticks: Sequence[float]) -> str:
    """Write a tick with just the digits that tell it from its neighbours."""
    step = min((b - a for a, b in itertools.pairwise(ticks)), default=abs(value) or 1.0)
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    if step and round(step, digits) != round(step, digits + 1):
        digits += 1
    return f"{value:,.{digits}f}".replace("-", MINUS)


def _attribute(key: str) -> str:
    return key.rstrip("_").replace("_", "-")


def _plain(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.1f}".removesuffix(".0")
    return str(value)

"""Prepare what a materialisation did to the online store, view by view."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from argosy.report import shapes
from argosy.report.charts import linear_axis, strip, strip_scale
from argosy.report.formats import count, moment, share, span, text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from argosy.report import svg

View = dict[str, Any]


def online_view(run: Mapping[str, Any]) -> View | None:
    """Prepare per view the rows written, late and dropped, who has a living row, and the newest row's age."""
    found = shapes.online(run)
    if found is None:
        return None
    scale = strip_scale(0.0, 1.0)
    frozen = [text(view["view"], 60) for view in found["views"] if _is_frozen(view)]
    return {
        "lead": f"Complete as of {moment(found['at'])}."
        + (f" No row of {', '.join(frozen)} is inside its time to live: is the feed frozen?" if frozen else ""),
        "axis": linear_axis(scale, "share of entities"),
        "rows": [_row(view, scale) for view in found["views"]],
    }


def _is_frozen(view: Mapping[str, Any]) -> bool:
    return view["ttl_s"] is not None and (view["freshness_s"] is None or view["freshness_s"] > view["ttl_s"])


def _row(view: Mapping[str, Any], scale: svg.Scale) -> View:
    alive = view["coverage"]
    bars = [] if alive is None else [(0.0, alive, "served")]
    return {
        "name": text(view["view"], 60),
        "ttl": span(view["ttl_s"]) if view["ttl_s"] is not None else "forever",
        "newest": span(view["freshness_s"]),
        "frozen": _is_frozen(view),
        **{name: count(view[name]) for name in ("written", "late", "dropped", "entities")},
        "alive": share(alive),
        "plot": strip(scale, f"{share(alive)} of {count(view['entities'])}", bars=bars) if bars else "",
    }

"""Draw the pipeline of a run: one box per step, its fate by colour, sign and word."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from argosy.report import svg
from argosy.report.formats import clip, duration, finite
from argosy.report.layers import Point, place
from argosy.report.reading import STATUSES, status_of, texts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from markupsafe import Markup

CHARACTER_PX = 6.9
BOX_HEIGHT = 42.0
LAYER_HEIGHT = 66.0
GAP = 12.0
LONGEST_NAME = 22
SMALLEST_GROUP = 3
TIMES = "\N{MULTIPLICATION SIGN}"


@dataclass(frozen=True)
class Node:
    """One box: a step, or a fan-out of steps with the same neighbours."""

    name: str
    title: str
    status: str
    note: str
    members: int


def draw_dag(steps: Sequence[Mapping[str, Any]]) -> tuple[Markup, float]:
    """Draw the steps; return the picture and its width in pixels."""
    group_of = _groups(steps)
    nodes = {name: _node(name, members) for name, members in _members(steps, group_of).items()}
    layout = place(_grouped_edges(steps, group_of))
    unit = max((_box_width(node) for node in nodes.values()), default=100.0)
    width = (layout.columns - 1) * (unit + GAP) + unit + 8
    height = max(layout.layers - 1, 0) * LAYER_HEIGHT + BOX_HEIGHT + 12

    def pixel(point: Point) -> Point:
        return point[0] * (unit + GAP) + unit / 2 + 4, point[1] * LAYER_HEIGHT + BOX_HEIGHT / 2 + 6

    wires = [_wire([pixel(point) for point in points]) for _, _, points in layout.edges]
    boxes = [_box(nodes[name], pixel(point), unit) for name, point in layout.positions.items()]
    title = f"Pipeline graph of {len(steps)} steps"
    return svg.picture((width, height), title, *wires, *boxes, css="dag"), width


def sign(status: str, at: Point) -> Markup:
    """Draw a status as a shape, 10 px wide, for eyes that do not see its colour."""
    shapes = {
        "ran": "M-3,-4.5 L4.5,0 L-3,4.5 Z",
        "reused": "M4,-1.5 A4.2,4.2 0 1 0 4,1.8 M4.4,-4.6 L4.2,-1.2 L1,-1.6",
        "observed": "M-5,0 Q0,-5.5 5,0 Q0,5.5 -5,0 Z M-1.3,0 a1.3,1.3 0 1 0 2.6,0 a1.3,1.3 0 1 0 -2.6,0",
        "unfinished": "M-4.2,0 H-3.6 M-0.3,0 H0.3 M3.6,0 H4.2",
        "skipped": "M-4,0 H4",
        "failed": "M-3.6,-3.6 L3.6,3.6 M3.6,-3.6 L-3.6,3.6",
    }
    moved = f"translate({at[0]:.1f},{at[1]:.1f})"
    return svg.element("path", d=shapes[status], transform=moved, class_=f"sign {status}")


def _groups(steps: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Map each step to the box that stands for it; fan-outs share one."""
    after = {step["name"]: frozenset(texts(step.get("after"))) for step in steps}
    users: dict[str, set[str]] = {name: set() for name in after}
    for name, ups in after.items():
        for up in ups & users.keys():
            users[up].add(name)
    alike: dict[tuple[object, ...], list[str]] = {}
    for name, ups in after.items():
        alike.setdefault((_stem(name), ups, frozenset(users[name])), []).append(name)
    return {
        name: members[0] if len(members) >= SMALLEST_GROUP else name for members in alike.values() for name in members
    }


def _stem(name: str) -> str:
    return re.sub(r"(-\d+)+$", "", name)


def _members(steps: Sequence[Mapping[str, Any]], group_of: Mapping[str, str]) -> dict[str, list[Mapping[str, Any]]]:
    members: dict[str, list[Mapping[str, Any]]] = {}
    for step in steps:
        members.setdefault(group_of[step["name"]], []).append(step)
    return members


def _grouped_edges(steps: Sequence[Mapping[str, Any]], group_of: Mapping[str, str]) -> dict[str, list[str]]:
    after: dict[str, list[str]] = {}
    for step in steps:
        ups = after.setdefault(group_of[step["name"]], [])
        ups.extend(group_of[up] for up in texts(step.get("after")) if up in group_of)
    return after


def _node(name: str, members: Sequence[Mapping[str, Any]]) -> Node:
    counts = Counter(status_of(step) for step in members)
    status = next(status for status in STATUSES if counts[status])
    seconds = sum(finite(step.get("seconds")) or 0.0 for step in members)
    fates = ", ".join(f"{counts[s]} {s}" for s in STATUSES if counts[s]) if len(members) > 1 else status
    note = fates if status in ("skipped", "unfinished") else f"{fates} · {duration(seconds)}"
    shown = f"{len(members)} {TIMES} {_stem(name)}" if len(members) > 1 else name
    return Node(shown, f"{shown}: {note}", status, note, len(members))


def _box_width(node: Node) -> float:
    longest = max(len(clip(node.name, LONGEST_NAME)) * CHARACTER_PX, len(node.note) * CHARACTER_PX * 0.86)
    return longest + 34


def _box(node: Node, center: Point, width: float) -> Markup:
    x, y = center[0] - width / 2, center[1] - BOX_HEIGHT / 2
    css = f"box {node.status}"
    shadow = (
        [svg.element("rect", x=x + 4, y=y + 4, width=width, height=BOX_HEIGHT, rx=6, class_=f"{css} behind")]
        if node.members > 1
        else []
    )
    return svg.element(
        "g",
        svg.element("title", node.title),
        *shadow,
        svg.element("rect", x=x, y=y, width=width, height=BOX_HEIGHT, rx=6, class_=css),
        sign(node.status, (x + 14, center[1])),
        svg.label((x + 25, y + 18), clip(node.name, LONGEST_NAME), css="name"),
        svg.label((x + 25, y + 33), node.note, css="note"),
    )


def _wire(points: Sequence[Point]) -> Markup:
    half = BOX_HEIGHT / 2
    route = [(points[0][0], points[0][1] + half), *points[1:-1], (points[-1][0], points[-1][1] - half - 5)]
    path = f"M{route[0][0]:.1f},{route[0][1]:.1f}"
    for (x1, y1), (x2, y2) in itertools.pairwise(route):
        bend = (y2 - y1) / 2
        path += f" C{x1:.1f},{y1 + bend:.1f} {x2:.1f},{y2 - bend:.1f} {x2:.1f},{y2:.1f}"
    tip = f"M{route[-1][0] - 3.5:.1f},{route[-1][1]:.1f} l3.5,5 l3.5,-5 Z"
    return svg.element("path", d=path, class_="wire") + svg.element("path", d=tip, class_="tip")

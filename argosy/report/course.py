"""Prepare how the run went: the graph, the timeline, every step with its reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from argosy.report.dag import draw_dag, sign
from argosy.report.formats import count, digest, duration, finite, plural, text
from argosy.report.headline import fates
from argosy.report.reading import STATUSES, mapping, status_of, steps
from argosy.report.svg import picture
from argosy.report.timeline import draw_timeline

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_STEPS = 200
MOST_DRAWN = 100
# Together, the texts of all steps have this much room, whatever their number.
ROOM = 60_000
MOST_OUTPUTS = 40
NARROW_PX = 720

View = dict[str, Any]


def course_view(run: Mapping[str, Any]) -> View | None:
    """Prepare the graph and the timeline of the run."""
    known = steps(run)
    if not known:
        return None
    dag, width = draw_dag(known) if len(known) <= MOST_DRAWN else ("", 0.0)
    return {
        "lead": f"{plural(len(known), 'step')}: {fates(known)}; {duration(run.get('seconds'))} in all.",
        "dag": dag,
        "wide": width > NARROW_PX,
        "timeline": draw_timeline(known, finite(run.get("seconds"))),
        "legend": [(status, status_sign(status)) for status in _present(run)],
    }


def steps_view(run: Mapping[str, Any]) -> View | None:
    """Prepare the table of steps, in the order of the document."""
    known = steps(run)
    if not known:
        return None
    cut = f"The first {MOST_STEPS} of {count(len(known))} steps." if len(known) > MOST_STEPS else ""
    shown = known[:MOST_STEPS]
    n_outputs = sum(min(len(mapping(step.get("outputs"))), MOST_OUTPUTS) for step in shown)
    n_errors = sum(bool(step.get(name)) for step in shown for name in ("error", "tail"))
    room = {"output": _room(n_outputs, 600), "error": _room(n_errors, 4000)}
    return {"lead": cut, "rows": [_step(step, room) for step in shown]}


def parameters_view(run: Mapping[str, Any]) -> View | None:
    """Prepare what the run was asked for."""
    given = mapping(run.get("parameters"))
    entries = [(text(name, 80), text(value)) for name, value in given.items()]
    return {"lead": "", "entries": entries} if entries else None


def status_sign(status: str) -> str:
    """Draw a status as a small picture of its own."""
    return picture((14, 14), status, sign(status, (7, 7)), css="inline-sign")


def _present(run: Mapping[str, Any]) -> list[str]:
    found = {status_of(step) for step in steps(run)}
    return [status for status in STATUSES if status in found]


def _room(n: int, most: int) -> int:
    return max(40, min(most, ROOM // max(n, 1)))


def _step(step: Mapping[str, Any], room: Mapping[str, int]) -> View:
    outputs = list(mapping(step.get("outputs")).items())
    shown = [(text(name, 80), text(value, room["output"])) for name, value in outputs[:MOST_OUTPUTS]]
    left_out = len(outputs) - len(shown)
    return {
        "name": step["name"],
        "kind": text(step.get("kind"), 20),
        "status": status_of(step),
        "sign": status_sign(status_of(step)),
        "seconds": duration(step.get("seconds")),
        "key": digest(step.get("key")),
        "reason": text(step.get("reason"), 300) if step.get("reason") else "",
        "error": text(step.get("error"), room["error"]) if step.get("error") else "",
        "tail": text(step.get("tail"), room["error"]) if step.get("tail") else "",
        "outputs": shown + ([("…", f"{left_out} more outputs")] if left_out else []),
    }

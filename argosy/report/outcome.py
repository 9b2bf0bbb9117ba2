"""Prepare what the run decided: the comparison with the champion, the release."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from argosy.report import svg
from argosy.report.charts import Mark, axis, strip, strip_scale
from argosy.report.formats import count, digest, finite, number, signed, text
from argosy.report.reading import first, mapping, numbers, section
from argosy.report.shapes import differences

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Differences are candidate minus champion; for these a negative one is the better.
LOWER_IS_BETTER = ("log_loss", "brier", "expected_calibration_error", "ece")
COMPARED = {
    "log_loss": "Log loss",
    "auc": "AUC",
    "brier": "Brier score",
    "average_precision": "Average precision",
    "expected_calibration_error": "Calibration error",
    "ece": "Calibration error",
}
JUDGED = "log_loss"

View = dict[str, Any]


def comparison_view(run: Mapping[str, Any]) -> View | None:
    """Prepare the differences to the champion, turned so that right is always better."""
    comparison = section(run, "comparison")
    found = differences(run)
    known = {metric: found[metric] for metric in COMPARED if metric in found}
    if not known:
        return {"lead": _none_known(comparison), "rows": []} if comparison else None
    margin = finite(comparison.get("margin"))
    ends = [abs(end) for entry in known.values() for end in numbers([entry["difference"], *entry["interval"]])]
    reach = (max([*ends, abs(margin or 0.0)]) or 0.001) * 1.12
    scale = strip_scale(-reach, reach)
    days = finite(first(comparison, "n_blocks", "days"))
    return {
        "lead": _lead(known, margin),
        "axis": axis(scale, _symmetric_ticks(scale), title="worse to the left, better to the right"),
        "rows": [_compared(metric, entry, scale, margin) for metric, entry in known.items()],
        "with_values": any(finite(entry.get("candidate")) is not None for entry in known.values()),
        "champion": _champion(comparison.get("champion")),
        "days": count(days) if days else None,
        "margin": number(margin) if margin is not None else None,
    }


def release_view(run: Mapping[str, Any]) -> View | None:
    """Prepare what was released under which name, and what it replaced."""
    release = section(run, "release")
    named = {
        "Model": release.get("digest"),
        "Version": release.get("version"),
        "Name": release.get("ref"),
        "Generation": release.get("generation"),
        "Replaces": release.get("previous"),
        "Serving at": release.get("url"),
    }
    entries = [(name, text(value, 200)) for name, value in named.items() if value is not None]
    return {"lead": "", "entries": entries} if entries else None


def better(metric: str, difference: float) -> float:
    """Turn a difference so that positive means better."""
    return -difference if metric in LOWER_IS_BETTER else difference


def _symmetric_ticks(scale: svg.Scale) -> list[tuple[float, str]]:
    ticks = scale.ticks(4)
    return [(tick, svg.tick_text(abs(tick), ticks) if tick else "0") for tick in ticks]


def _compared(metric: str, entry: Mapping[str, Any], scale: svg.Scale, margin: float | None) -> View:
    difference = finite(entry["difference"]) or 0.0
    ends = sorted(better(metric, end) for end in entry["interval"])
    marks = [Mark(0.0, "zero")]
    if margin is not None and metric == JUDGED:
        marks.append(Mark(-abs(margin), "bound", f"margin {number(margin)}"))
    shown = " to ".join(signed(end) for end in entry["interval"])
    title = f"{COMPARED[metric]}: challenger minus champion {signed(difference)}, {shown}"
    bars = [(ends[0], ends[1], "interval")] if ends else []
    return {
        "name": COMPARED[metric],
        "candidate": number(entry.get("candidate")),
        "champion": number(entry.get("champion")),
        "difference": signed(difference),
        "interval": shown,
        "word": _judgement(ends),
        "plot": strip(scale, title, dots=[better(metric, difference)], bars=bars, marks=marks),
    }


def _judgement(ends: Sequence[float]) -> str:
    if not ends:
        return "no interval"
    return "better" if ends[0] > 0 else "worse" if ends[1] < 0 else "no clear difference"


def _lead(known: Mapping[str, Mapping[str, Any]], margin: float | None) -> str:
    metric, entry = next(iter(known.items()))
    ends = sorted(better(metric, end) for end in entry["interval"])
    word = _judgement(ends)
    than = "than the champion's" if word in ("better", "worse") else "to the champion's"
    lead = f"{COMPARED[metric]}: {word} {than}"
    if margin is not None and metric == JUDGED and ends:
        place = "within" if ends[0] >= -abs(margin) else "beyond"
        lead += f"; the interval reaches {place} the margin of {number(abs(margin))}"
    return lead + "."


def _none_known(comparison: Mapping[str, Any]) -> str:
    if comparison.get("champion") is None:
        return "There is no champion to compare with yet."
    return "The difference to the champion is not known."


def _champion(champion: object) -> str:
    """Write a champion given as a digest or as name and version."""
    named = mapping(champion)
    if named:
        return " ".join(text(named[key], 60) for key in ("name", "version") if named.get(key) is not None)
    return digest(champion) if champion else ""

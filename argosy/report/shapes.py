"""Bring what the stages write into the one shape that the report draws."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from argosy.report.formats import finite
from argosy.report.reading import first, items, mapping, numbers, rows, section

Run = Mapping[str, Any]
Row = Mapping[str, Any]

EXPIRED = "OUTSIDE_MAX_AGE"


def all_gates(run: Run) -> list[Row]:
    """Return the gates of all verdicts, in order."""
    return [gate for verdict in rows(run.get("verdicts")) for gate in rows(verdict.get("gates"))]


def differences(run: Run) -> dict[str, Row]:
    """Return per metric its `difference` to the champion and the `interval` of that: two numbers or none."""
    comparison = section(run, "comparison")
    known: dict[str, Row] = {}
    for metric, entry in mapping(comparison.get("differences", comparison)).items():
        if finite(mapping(entry).get("difference")) is not None:
            ends = numbers(first(entry, "interval") or [entry.get("low"), entry.get("high")])
            known[str(metric)] = {**entry, "interval": ends if len(ends) == 2 else []}
    return known


def findings(run: Run) -> list[Row] | None:
    """Return what validation found, None if the run says nothing of it."""
    sections = mapping(run.get("sections"))
    found = sections.get("findings")
    if isinstance(found, Mapping):
        found = found.get("findings")
    return None if found is None else rows(found)


def views(run: Run) -> list[Row]:
    """Return per feature view its `ttl_s`, `ages` (p50, p90, p99), `months` of coverage, share `expired`."""
    found = section(run, "ages").get("views")
    named = (
        [{"view": name, **mapping(view)} for name, view in found.items()]
        if isinstance(found, Mapping)
        else [view for view in rows(found) if view.get("view")]
    )
    return [
        {
            "view": str(view["view"]),
            "ttl_s": finite(view.get("ttl_s")),
            "ages": {key: finite(age) for key, age in mapping(first(view, "age_s", "age_quantiles_s")).items()},
            "months": mapping(first(view, "by_part", "coverage")),
            "least": finite(view.get("min_coverage")),
            "expired": _share(mapping(view.get("statuses")), EXPIRED),
        }
        for view in named
    ]


def coverage(run: Run) -> Row | None:
    """Return the `requests` that coverage was measured on, and per view shares, lag, least and `curve` by TTL."""
    found = section(run, "coverage")
    views = [{"view": name, **mapping(view)} for name, view in mapping(found.get("views")).items()]
    if not views:
        return None
    shares = ("ttl_s", "lag_s", "coverage", "with_lag")
    return {
        "requests": finite(found.get("requests")),
        "views": [
            {
                "view": str(view["view"]),
                **{name: finite(view.get(name)) for name in shares},
                "least": finite(view.get("min_coverage")),
                "curve": [
                    {"ttl_s": finite(point["ttl_s"]), "with_lag": finite(point.get("with_lag"))}
                    for point in rows(view.get("curve"))
                    if finite(point.get("ttl_s")) is not None
                ],
            }
            for view in views
        ],
    }


def online(run: Run) -> Row | None:
    """Return the instant `at` that the online store is complete as of, and per view what became of its rows."""
    found = section(run, "online")
    views = [{"view": name, **mapping(view)} for name, view in mapping(found.get("views")).items()]
    if not views:
        return None
    counts = ("ttl_s", "freshness_s", "coverage", "written", "late", "dropped", "entities", "alive")
    return {
        "at": found.get("at"),
        "views": [{"view": str(view["view"]), **{name: finite(view.get(name)) for name in counts}} for view in views],
    }


def candidates(run: Run) -> list[Row]:
    """Return per candidate its `round`, `params`, `scores` on the folds, `mean`, `spread`, and whether `chosen`."""
    search = section(run, "search")
    return [
        {
            "candidate": row.get("candidate"),
            "round": finite(row.get("round")),
            "params": mapping(row.get("params")),
            "scores": (scores := numbers(first(row, "log_losses", "folds"))),
            "mean": _mean(first(row, "mean", "log_loss"), scores),
            "spread": row.get("spread"),
            "chosen": row.get("chosen", row.get("candidate") == search.get("candidate", object())) is True,
        }
        for row in rows(first(search, "table", "candidates"))
    ]


def calibration(run: Run) -> list[tuple[float, float, float]]:
    """Return per bin its mean prediction, the rate of what happened, and its rows."""
    known = []
    for row in rows(section(run, "metrics").get("calibration")):
        triple = numbers([first(row, "mean_score", "p_mean"), first(row, "rate", "y_rate"), row.get("n") or 0])
        if len(triple) == 3:
            known.append((triple[0], triple[1], triple[2]))
    return known


def roc(run: Run) -> list[tuple[float, float]]:
    """Return the points of the ROC curve."""
    points = [numbers(point) for point in items(section(run, "metrics").get("roc"))]
    return [(point[0], point[1]) for point in points if len(point) >= 2]


def _share(counts: Row, name: str) -> float | None:
    total = sum(numbers(list(counts.values())))
    return (finite(counts.get(name)) or 0.0) / total if total else None


def _mean(given: object, scores: list[float]) -> float | None:
    found = finite(given)
    return found if found is not None or not scores else sum(scores) / len(scores)

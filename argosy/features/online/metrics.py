"""What the marks of an online store say, for Prometheus."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from argosy.features.instants import SECOND_US

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FAMILIES = {
    "argosy_online_as_of_timestamp_seconds": "Until when a view is complete; its delay is time() less this.",
    "argosy_online_newest_timestamp_seconds": "The newest event of a view's source; its age is time() less this.",
    "argosy_online_entities": "Entities of a view that ever had a row.",
    "argosy_online_coverage_ratio": "Share of them with a row inside its time to live, as of the materialisation.",
    "argosy_online_written_rows": "Rows that the last materialisation of a view wrote.",
    "argosy_online_late_rows": "Of these, rows no newer than what the one before had seen.",
}


def render_marks(marks: Mapping[str, Mapping[str, Any]]) -> str:
    """Write marks in Prometheus' text format, a gauge per view and family."""
    from prometheus_client import CollectorRegistry, Gauge, generate_latest

    registry = CollectorRegistry()
    gauges = {name: Gauge(name, text, ["view"], registry=registry) for name, text in FAMILIES.items()}
    for view, mark in sorted(marks.items()):
        for name, value in _values(mark):
            gauges[name].labels(view).set(value)
    text: str = generate_latest(registry).decode()
    return text


def _values(mark: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Yield the gauges of a mark; an age is none where there was no row."""
    as_of_s = mark["at_us"] / SECOND_US
    values = [as_of_s, None if mark["freshness_s"] is None else as_of_s - mark["freshness_s"]]
    values += [mark[name] for name in ("entities", "coverage", "written", "late")]
    yield from ((name, value) for name, value in zip(FAMILIES, values, strict=True) if value is not None)

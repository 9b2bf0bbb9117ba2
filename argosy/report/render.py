"""Render the HTML report of a run: one file, no network, the same bytes for the same run."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from argosy.report import course, coverage, gates, inputs, online, outcome, quality
from argosy.report.formats import duration, moment, text
from argosy.report.headline import headline, key_figures

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jinja2 import Environment

View = dict[str, Any]


@dataclass(frozen=True)
class Section:
    """One part of the report: `view` prepares what the template `<name>.html.j2` shows."""

    name: str
    title: str
    view: Callable[[Mapping[str, Any]], View | None]


SECTIONS = (
    Section("gates", "Gates", gates.gates_view),
    Section("champion", "Against the champion", outcome.comparison_view),
    Section("release", "Release", outcome.release_view),
    Section("run", "How it ran", course.course_view),
    Section("quality", "Model quality", quality.quality_view),
    Section("months", "By month", quality.months_view),
    Section("slices", "Worst slices", quality.slices_view),
    Section("tests", "Model tests", quality.tests_view),
    Section("latency", "Latency and size", quality.latency_view),
    Section("search", "Search", inputs.search_view),
    Section("features", "Feature ages", inputs.ages_view),
    Section("coverage", "Coverage when served", coverage.coverage_view),
    Section("online", "Online store", online.online_view),
    Section("data", "Data findings", inputs.findings_view),
    Section("parameters", "Parameters", course.parameters_view),
    Section("steps", "Steps", course.steps_view),
)


def render_report(run: Mapping[str, Any]) -> str:
    """Render a run document as one HTML page.

    Whatever the document lacks is left out; whatever it holds is shown as text, never as markup.
    """
    environment = _environment()
    script = environment.get_template("report.js").render()
    prepared = [(section, section.view(run)) for section in SECTIONS]
    return environment.get_template("report.html.j2").render(
        run=text(run.get("run"), 120),
        pipeline=text(run.get("pipeline"), 120),
        started=moment(run.get("started")),
        seconds=duration(run.get("seconds")),
        headline=headline(run),
        figures=key_figures(run),
        sections=[(section, view) for section, view in prepared if view is not None],
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


def prepare_rendering() -> None:
    """Compile the templates that every page has, so that the first page does not wait for it."""
    for name in ("report.js", "report.css.j2", "report.html.j2", "run.html.j2", "parameters.html.j2", "steps.html.j2"):
        _environment().get_template(name)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("argosy.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )

"""What a judged model looks like in the typed artifacts that Kubeflow's interface draws.

Here they are plain numbers and texts; a component's shell hands them to kfp's types.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from argosy.report.formats import finite
from argosy.report.reading import mapping
from argosy.report.render import render_report
from argosy.report.verdicts import condition_of, outcome_of, value_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SIGNS = {True: "\N{CHECK MARK}", False: "\N{BALLOT X}", None: "?"}


def scalar_metrics(metrics: Mapping[str, Any]) -> dict[str, float]:
    """Return the overall metrics that are defined, by name: what `Metrics` holds."""
    known = {name: finite(value) for name, value in mapping(metrics.get("overall")).items()}
    return {name: value for name, value in known.items() if value is not None}


def roc_curve(metrics: Mapping[str, Any]) -> dict[str, list[float]]:
    """Return `fpr`, `tpr` and `threshold`, the words of `ClassificationMetrics.log_roc_curve`; each list as long."""
    points: Sequence[Sequence[float]] = metrics.get("roc") or []
    return {name: [point[place] for point in points] for place, name in enumerate(("fpr", "tpr", "threshold"))}


def gates_markdown(verdict: Mapping[str, Any]) -> str:
    """Return the verdict and its gates as a Markdown table, broken ones first."""
    gates = sorted(verdict.get("gates") or [], key=lambda gate: outcome_of(gate) is not False)
    rows = [[SIGNS[outcome_of(gate)], str(gate.get("name", "")), value_of(gate), condition_of(gate)] for gate in gates]
    head = f"## {'Passed' if verdict.get('ok') else 'Refused'}\n\n"
    reasons = "".join(f"- {_escaped(str(reason))}\n" for reason in verdict.get("reasons") or [])
    table = [["", "gate", "value", "wanted"], ["---"] * 4, *rows]
    return head + reasons + "\n" + "".join(f"| {' | '.join(map(_escaped, row))} |\n" for row in table)


def results_page(sections: Mapping[str, Any], verdict: Mapping[str, Any], *, title: str) -> str:
    """Return the model's parts of the report as one HTML page, which needs nothing from elsewhere."""
    status = "succeeded" if verdict.get("ok") else "refused"
    document = {
        "pipeline": title,
        "status": status,
        "steps": [],
        "verdicts": [dict(verdict)],
        "sections": dict(sections),
    }
    return render_report(document)


def _escaped(cell: str) -> str:
    return cell.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ")

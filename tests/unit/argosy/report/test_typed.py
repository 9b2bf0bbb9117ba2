"""What Kubeflow's interface draws comes from the values that the report is drawn from."""

import json
import re

import pytest
from kfp.dsl.types.artifact_types import ClassificationMetrics

from argosy.report.typed import gates_markdown, results_page, roc_curve, scalar_metrics
from tests.fakes.run_records import a_run_document

SECTIONS = a_run_document()["sections"]
VERDICT = {
    "verdict": "failed",
    "ok": False,
    "reasons": ["auc | too low"],
    "gates": [
        {"name": "brier", "kind": "floor", "value": 0.129, "operator": "<=", "bound": 0.131, "ok": True},
        {"name": "auc|pipe", "kind": "floor", "value": 0.77, "operator": ">=", "bound": 0.78, "ok": False},
    ],
}


def test_metrics_that_are_not_defined_are_left_out():
    given = {"overall": {"auc": 0.5, "brier": None, "n": float("nan"), "name": "text"}}
    assert scalar_metrics(given) == {"auc": 0.5}
    assert scalar_metrics({}) == {}


def test_the_curve_is_taken_by_kfps_own_type():
    given = {"roc": [[0.0, 0.0, 1.0], [0.5, 1.0, 0.6], [1.0, 1.0, 0.1]]}
    artifact = ClassificationMetrics(name="curve", uri="/x", metadata={})

    artifact.log_roc_curve(**roc_curve(given))
    artifact.log_confusion_matrix(["no", "yes"], [[1, 2], [3, 4]])

    json.dumps(artifact.metadata, allow_nan=False)
    assert [each["recall"] for each in artifact.metadata["confidenceMetrics"]] == [0.0, 1.0, 1.0]
    assert artifact.metadata["confusionMatrix"]["rows"] == [{"row": [1, 2]}, {"row": [3, 4]}]
    assert roc_curve({}) == {"fpr": [], "tpr": [], "threshold": []}


def test_gates_are_a_table_with_the_broken_ones_first_and_no_stray_bars():
    text = gates_markdown(VERDICT)
    rows = [line for line in text.splitlines() if line.startswith("|")]

    assert text.startswith("## Refused\n\n- auc \\| too low\n")
    assert len({row.replace("\\|", "").count("|") for row in rows}) == 1
    assert "auc\\|pipe" in rows[2]
    assert "brier" in rows[3]


@pytest.mark.parametrize("ok", [True, False])
def test_the_page_shows_gates_and_quality_and_asks_nothing_of_the_network(ok):
    page = results_page(SECTIONS, VERDICT | {"ok": ok}, title="flights")

    assert "ROC" in page
    assert not re.search(r'(?:src|href)="(?!#|data:)', page)

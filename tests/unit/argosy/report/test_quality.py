from __future__ import annotations

import pytest

from argosy.report.quality import latency_view, months_view, quality_view, slices_view
from argosy.report.quality import tests_view as model_tests_view
from tests.fakes.run_records import a_run_document


def metrics(**given):
    return {"sections": {"metrics": given}}


def test_the_overall_metrics_have_their_intervals():
    view = quality_view(a_run_document())

    assert view["lead"] == "On 138,375 labelled rows that training has not seen."
    assert view["figures"][0].name == "AUC"
    assert view["figures"][0].remark.startswith("0.7682")
    assert [chart["title"] for chart in view["charts"]] == ["ROC", "Calibration"]


def test_months_have_a_chart_per_metric_and_one_of_rates():
    view = months_view(a_run_document())

    assert [chart["title"] for chart in view["charts"]] == ["AUC", "Log loss", "Brier score", "Rate"]
    assert view["lead"] == "AUC between 0.7480 (2013-11) and 0.7800 (2013-08)."
    assert len(view["rows"]) == 5


def test_a_single_month_makes_no_section():
    assert months_view(metrics(months=[{"month": "2013-01", "auc": 0.7}])) is None


def test_months_with_gaps_are_drawn_where_known():
    view = months_view(metrics(months=[{"month": "2013-01", "auc": None}, {"month": "2013-02", "auc": 0.7}]))

    assert [chart["title"] for chart in view["charts"]] == ["AUC"]


def test_the_worst_slices_come_first():
    view = slices_view(a_run_document())

    losses = [float(row["log_loss"]) for row in view["rows"]]
    assert losses == sorted(losses, reverse=True)
    assert len(losses) == 12
    assert view["rows"][0]["name"] == "carrier = F9"


def test_slices_without_an_overall_value_are_drawn_without_its_mark():
    (row,) = slices_view(metrics(slices=[{"slice": "origin", "value": "JFK", "log_loss": 0.4}]))["rows"]

    assert row["name"] == "origin = JFK"
    assert "zero" not in row["plot"]


def test_failed_model_tests_come_first():
    found = [{"name": "a", "ok": True}, {"name": "b", "ok": False}, {"name": "c"}]

    view = model_tests_view({"sections": {"tests": {"findings": found}}})

    assert view["lead"] == "1 of 3 model tests failed."
    assert [(row["name"], row["word"]) for row in view["rows"]] == [("b", "failed"), ("a", "passed"), ("c", "unknown")]


def test_latency_shows_what_was_measured():
    figures = latency_view({"sections": {"latency": {"p50_us": 141.0}}})["figures"]

    assert [(figure.name, figure.value) for figure in figures] == [("p50", "141 \N{MICRO SIGN}s")]


@pytest.mark.parametrize("view", [quality_view, months_view, slices_view, model_tests_view, latency_view])
def test_nothing_known_makes_no_section(view):
    assert view({}) is None

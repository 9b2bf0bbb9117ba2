from __future__ import annotations

import pytest

from argosy.report import shapes
from tests.fakes.run_records import a_run_document


def sections(**given):
    return {"sections": given}


def test_differences_are_read_nested_with_an_interval_or_flat_with_two_ends():
    nested = {"differences": {"auc": {"difference": 0.1, "interval": [0.0, 0.2]}}}
    flat = {"champion": "sha256:ab", "auc": {"difference": 0.1, "low": 0.0, "high": 0.2}, "margin": 0.1}

    for comparison in (nested, flat):
        found = shapes.differences(sections(comparison=comparison))
        assert list(found) == ["auc"]
        assert found["auc"]["interval"] == [0.0, 0.2]


def test_a_difference_without_both_ends_has_no_interval():
    found = shapes.differences(
        sections(comparison={"differences": {"auc": {"difference": 0.1, "interval": [0.0, None]}}})
    )

    assert found["auc"]["interval"] == []


def test_findings_are_read_as_a_list_or_within_their_verdict():
    assert shapes.findings(sections(findings=[{"check": "range"}])) == [{"check": "range"}]
    assert shapes.findings(sections(findings={"verdict": "accepted", "findings": []})) == []
    assert shapes.findings(sections()) is None


def test_views_are_read_by_name_or_as_a_list():
    by_name = {
        "weather": {"ttl_s": 7200, "age_s": {"p50": 60}, "by_part": {"2013-01": 0.9}, "statuses": {"PRESENT": 3}}
    }
    listed = [{"view": "weather", "ttl_s": 7200, "age_quantiles_s": {"p50": 60}, "coverage": {"2013-01": 0.9}}]

    for views in (by_name, listed):
        (view,) = shapes.views(sections(ages={"views": views}))
        assert view["view"] == "weather"
        assert view["ages"] == {"p50": 60.0}
        assert view["months"] == {"2013-01": 0.9}


def test_the_share_of_expired_rows_is_taken_of_all():
    statuses = {"PRESENT": 90, "OUTSIDE_MAX_AGE": 10}

    (view,) = shapes.views(sections(ages={"views": {"weather": {"statuses": statuses}}}))

    assert view["expired"] == pytest.approx(0.1)


def test_candidates_are_read_from_the_table_of_the_choice_or_as_a_list():
    table = {"candidate": 1, "table": [{"candidate": 1, "log_loss": 0.42, "folds": [0, 1], "log_losses": [0.41, 0.43]}]}
    listed = {"candidates": [{"candidate": 1, "mean": 0.42, "folds": [0.41, 0.43], "chosen": True}]}

    for search in (table, listed):
        (candidate,) = shapes.candidates(sections(search=search))
        assert candidate["scores"] == [0.41, 0.43]
        assert candidate["mean"] == 0.42
        assert candidate["chosen"] is True


def test_a_mean_that_is_not_given_is_computed():
    (candidate,) = shapes.candidates(sections(search={"candidates": [{"candidate": 0, "folds": [0.25, 0.75]}]}))

    assert candidate["mean"] == 0.5
    assert candidate["chosen"] is False


def test_calibration_bins_without_numbers_are_left_out():
    bins = [{"mean_score": 0.1, "rate": 0.2, "n": 5}, {"p_mean": 0.3, "y_rate": 0.4}, {"mean_score": None, "rate": 0.5}]

    assert shapes.calibration(sections(metrics={"calibration": bins})) == [(0.1, 0.2, 5.0), (0.3, 0.4, 0.0)]


def test_roc_points_are_pairs():
    assert shapes.roc(sections(metrics={"roc": [[0, 0], [0.5], [1, 1]]})) == [(0.0, 0.0), (1.0, 1.0)]


def test_all_gates_are_those_of_every_verdict():
    run = a_run_document()

    assert len(shapes.all_gates(run)) == len(run["verdicts"][1]["gates"])

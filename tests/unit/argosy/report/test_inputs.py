from __future__ import annotations

import pytest

from argosy.report.inputs import ages_view, findings_view, search_view
from tests.fakes.run_records import a_run_document


def ages(**views):
    return {"sections": {"ages": {"views": views}}}


def test_findings_name_their_place_once():
    view = findings_view(a_run_document())

    assert view["lead"] == "5 findings: 3 WARN, 1 QUARANTINE, 1 NULL."
    assert view["rows"][1]["where"] == "weather.wind_speed"
    assert view["rows"][1]["message"] == "got 1048.36, allowed is 0 to 100 mph"
    assert view["rows"][1]["share"] == "<0.01 %"


def test_findings_that_stop_a_batch_stand_out():
    view = findings_view({"sections": {"findings": [{"action": "REJECT"}, {"action": "WARN"}]}})

    assert [row["grave"] for row in view["rows"]] == [True, False]


def test_no_findings_are_said_and_unknown_ones_are_not():
    assert findings_view({"sections": {"findings": []}})["lead"] == "Validation found nothing."
    assert findings_view({}) is None


def test_a_thousand_findings_are_cut():
    view = findings_view({"sections": {"findings": [{"action": "WARN"}] * 1000}})

    assert len(view["rows"]) == 100
    assert view["lead"].endswith("The first 100 are shown.")


def test_views_whose_values_outlived_their_time_to_live_are_named():
    assert ages_view(a_run_document())["lead"].endswith("in carrier_departures, route_fortnight, aircraft_last_leg.")
    young = ages(weather={"ttl_s": 7200, "age_s": {"p50": 1, "p90": 2, "p99": 3}})
    assert ages_view(young)["lead"].startswith("In every view at least 99 %")


def test_a_view_without_a_time_to_live_lasts_forever_and_does_not_stretch_the_axis():
    plane = ages_view(a_run_document())["rows"][-1]

    assert (plane["ttl"], plane["plot"]) == ("forever", "")


def test_coverage_below_what_the_view_asks_for_is_marked():
    weather = ages_view(a_run_document())["coverage"][0]

    assert [cell["low"] for cell in weather["cells"]] == [False] * 11 + [True]


def test_a_month_without_coverage_is_a_dash():
    run = ages(a={"by_part": {"2013-01": 0.5}}, b={"by_part": {"2013-02": 1.0}})

    (first, _) = ages_view(run)["coverage"]

    assert [cell["depth"] for cell in first["cells"]] == [2, 0]


def test_candidates_come_best_first_with_the_chosen_one_marked():
    view = search_view(a_run_document())

    assert [row["mean"] for row in view["rows"]] == sorted(row["mean"] for row in view["rows"])
    assert [row["chosen"] for row in view["rows"]] == [True, False, False, False]
    assert "the chosen one has a mean of 0.4198" in view["lead"]


def test_candidates_are_shown_with_the_round_that_proposed_them():
    view = search_view(a_run_document())

    assert view["lead"].startswith("4 candidates in 2 rounds, 8 scores")
    assert {row["name"]: row["round"] for row in view["rows"]} == {"0": "0", "1": "0", "2": "1", "3": "1"}


def test_candidates_of_no_round_are_shown_without_one():
    view = search_view({"sections": {"search": {"candidates": [{"candidate": 0, "folds": [0.4]}]}}})

    assert view["lead"].startswith("1 candidate, 1 score")
    assert view["rows"][0]["round"] is None


def test_a_candidate_without_scores_comes_last_without_a_picture():
    run = {"sections": {"search": {"candidates": [{"candidate": 0}, {"candidate": 1, "folds": [0.4]}]}}}

    assert [(row["name"], bool(row["plot"])) for row in search_view(run)["rows"]] == [("1", True), ("0", False)]


@pytest.mark.parametrize("view", [findings_view, ages_view, search_view])
def test_nothing_known_makes_no_section(view):
    assert view({}) is None

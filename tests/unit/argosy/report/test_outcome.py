from __future__ import annotations

from argosy.report.outcome import better, comparison_view, release_view
from tests.fakes.run_records import a_refused_run, a_run_document


def test_right_is_better_for_every_metric():
    assert better("auc", 0.1) == 0.1
    assert better("log_loss", 0.1) == -0.1


def test_the_comparison_is_read_by_its_intervals():
    view = comparison_view(a_run_document())

    assert [row["word"] for row in view["rows"]] == ["better", "no clear difference", "no clear difference"]
    assert [row["name"] for row in view["rows"]] == ["Log loss", "AUC", "Brier score"]
    assert (view["champion"], view["days"], view["margin"]) == ("flights-delay 11", "153", "0.0020")
    assert view["lead"] == "Log loss: better than the champion's; the interval reaches within the margin of 0.0020."


def test_a_worse_challenger_reaches_beyond_the_margin():
    lead = comparison_view(a_refused_run())["lead"]

    assert lead == "Log loss: worse than the champion's; the interval reaches beyond the margin of 0.0020."


def test_a_champion_given_as_a_digest_is_shortened():
    comparison = {"champion": "sha256:0123456789abcdef", "log_loss": {"difference": 0.0}}

    view = comparison_view({"sections": {"comparison": comparison}})

    assert view["champion"] == "0123456789ab"
    assert view["rows"][0]["word"] == "no interval"


def test_without_a_champion_the_report_says_so():
    def lead(comparison):
        return comparison_view({"sections": {"comparison": comparison}})["lead"]

    assert lead({"champion": None, "differences": {}}) == "There is no champion to compare with yet."
    assert lead({"champion": {"name": "m"}, "differences": {}}) == "The difference to the champion is not known."
    assert comparison_view({}) is None


def test_a_release_lists_what_is_known_of_it():
    assert dict(release_view(a_run_document())["entries"])["Version"] == "12"
    assert release_view({"sections": {"release": {"generation": 0}}})["entries"] == [("Generation", "0")]
    assert release_view({}) is None

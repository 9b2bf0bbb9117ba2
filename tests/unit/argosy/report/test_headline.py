from __future__ import annotations

from argosy.report.headline import fates, headline, key_figures
from tests.fakes.run_records import a_failed_run, a_no_op_run, a_refused_run, a_run_document


def test_a_promoted_run_says_what_was_promoted_to_where():
    end = headline(a_run_document())

    assert (end.tone, end.word) == ("good", "Promoted")
    assert "flights-delay/champion as version 12 after 27 gates held." in end.sentence


def test_a_refusal_by_a_gate_is_not_called_a_failure():
    end = headline(a_refused_run())

    assert (end.tone, end.word) == ("no", "Refused by check-gates")
    assert end.sentence.startswith("log_loss is 0.4259, asked for")
    assert end.sentence.endswith("There is 1 further reason.")


def test_rejected_data_says_why():
    run = {
        "status": "rejected",
        "verdicts": [{"step": "validate", "verdict": "rejected", "ok": False, "reasons": ["bad"]}],
    }

    assert headline(run).word == "Rejected by validate"
    assert headline(run).sentence == "bad."


def test_a_held_digest_says_where_and_why():
    verdict = {"step": "promote", "verdict": "held", "ok": False, "reasons": ["rolled back on Monday", "b", "c"]}

    end = headline({"status": "held", "verdicts": [verdict]})

    assert end.word == "Held at promote"
    assert end.sentence == "rolled back on Monday. There are 2 further reasons."


def test_a_failed_step_is_named_with_the_last_line_of_its_error():
    end = headline(a_failed_run())

    assert (end.tone, end.word) == ("bad", "Failed at train")
    assert end.sentence.startswith("argosy.errors.BadInput: frame/part-2013-04.parquet")


def test_further_failed_steps_are_counted():
    run = {"steps": [{"name": name, "status": "failed"} for name in "abc"]}

    assert headline(run).sentence == "It left no message. 2 other steps failed too."


def test_a_run_that_reused_everything_had_nothing_to_do():
    end = headline(a_no_op_run())

    assert end.word == "Nothing to do"
    assert "stays flights-delay/champion" in end.sentence


def test_a_run_without_a_release_just_succeeded():
    run = a_run_document()
    del run["sections"]["release"]

    assert headline(run).word == "Succeeded"


def test_a_run_that_ended_otherwise_says_so():
    assert headline({"status": "interrupted"}).word == "Interrupted"
    assert headline({"status": "failed"}).word == "Failed"
    assert headline({}).word == "Unknown"


def test_key_figures_compare_with_the_champion():
    figures = {figure.name: figure for figure in key_figures(a_run_document())}

    assert figures["AUC"].value == "0.7852"
    assert figures["AUC"].remark == "+0.0013 to champion"
    assert figures["Gates held"].remark == "none broken"
    assert figures["Run time"].remark == "20 of 24 steps ran"


def test_figures_that_are_not_known_are_left_out():
    assert [figure.name for figure in key_figures({"seconds": 1})] == ["Run time"]


def test_fates_are_counted_worst_first():
    steps = [{"status": "ran"}, {"status": "failed"}, {"status": "ran"}, {"status": "lost"}]

    assert fates(steps) == "1 failed, 2 ran, 1 unfinished"

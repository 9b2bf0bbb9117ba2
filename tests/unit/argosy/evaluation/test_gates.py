import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.errors import Mistake
from argosy.evaluation.gates import check_gates, check_latency, gate

FLOORS = {"auc": [">=", 0.78], "log_loss": ["<=", 0.419], "size_bytes": ["<=", 5_000_000]}


def good_metrics(**overall):
    return {
        "n_labelled": 1000,
        "size_bytes": 800_000,
        "overall": {"auc": 0.785, "log_loss": 0.415, "brier": 0.129, **overall},
        "intervals": {"auc": [0.77, 0.8]},
        "slices": [
            {"column": "origin", "value": "EWR", "pooled": False, "n": 900, "auc": 0.79},
            {"column": "origin", "value": "JFK", "pooled": False, "n": 900, "auc": 0.77},
            {"column": "origin", "value": "(small slices)", "pooled": True, "n": 9, "auc": 0.1},
        ],
    }


def good_comparison(high=0.001, champion="flights-delay"):
    ok = high < 0.002
    return {
        "champion": {"name": champion, "version": 1} if champion else None,
        "margin": 0.002,
        "ok": ok,
        "reasons": ["log loss +0.0001 against the champion"],
        "differences": {"log_loss": {"interval": [-0.001, high]}} if champion else {},
    }


def verdict(**changed):
    given_values = {
        "metrics": good_metrics(),
        "comparison": good_comparison(),
        "tests": {"findings": [{"name": "a longer queue", "kind": "direction", "ok": True, "message": "+0.08"}]},
        "floors": FLOORS,
        "ceilings": {"auc": 0.80, "log_loss": 0.40},
        "slices": {"auc": [">=", 0.70]},
    }
    return check_gates(**{**given_values, **changed})


def test_a_good_candidate_passes_every_gate():
    outcome = verdict()

    assert outcome["verdict"] == "passed"
    assert outcome["ok"]
    assert outcome["reasons"] == []
    assert [each["kind"] for each in outcome["gates"]] == [
        *["floor"] * 3,
        *["leak"] * 2,
        "champion",
        *["slice"] * 2,
        "test",
    ]


def test_a_verdict_survives_json_unchanged():
    outcome = verdict(metrics=good_metrics(auc=0.5))

    assert json.loads(json.dumps(outcome, allow_nan=False)) == outcome


def test_a_metric_below_its_floor_is_named_with_its_value_interval_and_bound():
    outcome = verdict(metrics=good_metrics(auc=0.7712))

    assert outcome["verdict"] == "failed"
    assert outcome["reasons"] == ["floor: auc is 0.7712 (95 % from 0.77 to 0.8), asked for >= 0.78"]


@pytest.mark.parametrize("value", [None, float("nan"), float("inf")])
def test_a_metric_that_is_not_a_number_breaks_its_gate(value):
    outcome = verdict(metrics=good_metrics(auc=value))

    assert not outcome["ok"]
    assert any("auc is not defined" in reason for reason in outcome["reasons"])


def test_a_model_that_is_too_good_is_refused_as_a_leak():
    outcome = verdict(metrics=good_metrics(auc=0.92, log_loss=0.25))

    assert not outcome["ok"]
    assert [reason.split(" is ")[0] for reason in outcome["reasons"]] == ["leak: auc", "leak: log_loss"]
    assert "look for a leak" in outcome["reasons"][0]


def test_a_candidate_worse_than_the_champion_by_the_margin_is_refused():
    assert not verdict(comparison=good_comparison(high=0.0021))["ok"]


def test_without_a_champion_the_floors_decide():
    comparison = {**good_comparison(champion=None), "ok": True}

    assert verdict(comparison=comparison)["ok"]


def test_too_few_days_for_an_interval_do_not_pass_for_a_comparison():
    comparison = {**good_comparison(), "ok": False, "differences": {}, "reasons": ["labels of 3 days are too few"]}
    outcome = verdict(comparison=comparison)

    assert outcome["reasons"] == ["log loss against the champion: labels of 3 days are too few"]


def test_a_weak_slice_is_refused_by_name_and_pooled_ones_are_not_judged():
    outcome = verdict(slices={"auc": [">=", 0.78]})

    assert outcome["reasons"] == ["slice: origin=JFK auc is 0.77, asked for >= 0.78"]


@pytest.mark.parametrize(("bound", "ok"), [(0.03, True), (0.01, False)])
def test_the_distance_between_slices_of_a_column_can_be_bounded(bound, ok):
    outcome = verdict(slices={"spread.auc": ["<=", bound]})

    assert outcome["ok"] == ok
    assert [each["name"] for each in outcome["gates"] if each["kind"] == "slice"] == ["origin spread.auc"]


def test_a_slice_without_a_value_breaks_the_bound_on_the_distance():
    metrics = good_metrics()
    metrics["slices"][0]["auc"] = None

    assert not verdict(metrics=metrics, slices={"spread.auc": ["<=", 0.9]})["ok"]


def test_a_broken_model_test_is_a_reason_with_its_message():
    finding = {"name": "a longer queue", "kind": "direction", "ok": False, "message": "moves by -0.01"}
    outcome = verdict(tests={"findings": [finding]})

    assert outcome["reasons"] == ["direction test, a longer queue: moves by -0.01"]


def test_all_broken_gates_are_reported_at_once():
    outcome = verdict(metrics=good_metrics(auc=0.5, log_loss=0.7), comparison=good_comparison(high=0.01))

    assert len(outcome["reasons"]) == 3


def test_an_unknown_metric_is_a_mistake_with_the_close_name():
    with pytest.raises(Mistake, match="did you mean 'log_loss'"):
        verdict(floors={"logloss": ["<=", 0.4]})


def test_an_unknown_operator_is_a_mistake():
    with pytest.raises(Mistake, match=r"operator '=='; allowed are < <= > >="):
        verdict(floors={"auc": ["==", 0.4]})


@given(st.floats(0, 1), st.floats(0, 1))
def test_operators_mean_what_they_say(value, bound):
    assert gate("x", "floor", value, op=">=", bound=bound).ok == (value >= bound)
    assert gate("x", "floor", value, op="<", bound=bound).ok == (value < bound)


def test_a_slow_model_is_refused_by_a_verdict_of_its_own():
    latency = {"p50_us": 30.0, "p99_us": 2500.0}
    outcome = check_latency(latency=latency, bounds={"p99_us": ["<=", 2000], "p50_us": ["<=", 200]})

    assert outcome["verdict"] == "failed"
    assert outcome["reasons"] == ["latency: p99_us is 2500, asked for <= 2000"]


def test_a_latency_that_nobody_measured_is_a_mistake():
    with pytest.raises(Mistake, match=r"p95_us.*did you mean 'p99_us'"):
        check_latency(latency={"p99_us": 1.0}, bounds={"p95_us": ["<=", 1]})

import json

import numpy as np
import pytest

from argosy.errors import BadInput, Mistake
from argosy.evaluation import behaviour
from argosy.evaluation.behaviour import Sample, check_direction, check_outage, check_slices, invariances
from argosy.evaluation.cases import Cases, Direction, Outage, TableKey
from argosy.serving.runtime import load_model
from tests.fakes.frames import frame_folder, frame_table
from tests.fakes.judged_models import FEATURES, TRUE_WEIGHTS, good_model, weighted_model
from tests.fakes.linear_model import linear_model, number

CASES = Cases(
    directions=(
        Direction("a longer queue", {"queue": 10}, at_least=0.02),
        Direction("a shorter queue", {"queue": -10}, at_least=-0.02),
    ),
    outages=(Outage("rotation", ("aircraft",), max_cost=0.1),),
    table=(TableKey("carrier"), TableKey("minute_of_day", width=60)),
    slices=("carrier",),
    min_slice_rows=100,
)
WINDOW = {"start": "2013-01-20", "end": "2013-01-31"}


@pytest.fixture(scope="module")
def frame(tmp_path_factory):
    return frame_folder(tmp_path_factory.mktemp("frames") / "frame", per_day=150)


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    return good_model(tmp_path_factory.mktemp("models") / "good")


def sample_of(folder, *, per_day=100):
    rows = frame_table(per_day=per_day)
    rows = rows.filter(rows.column("y").is_valid())
    model = load_model(folder)
    return Sample(model=model, rows=rows, y=rows.column("y").to_numpy(), p=model.predict_table(rows))


def test_a_good_model_passes_every_kind_of_test(good, frame):
    outcome = behaviour.test_model(model=good, frame=frame, cases=CASES, **WINDOW)

    assert outcome["verdict"] == "passed", outcome["reasons"]
    assert {finding["kind"] for finding in outcome["findings"]} == {
        "invariance",
        "direction",
        "minimum functionality",
        "slice",
        "server",
    }
    assert json.loads(json.dumps(outcome, allow_nan=False)) == outcome


def test_a_model_that_learned_nothing_fails_with_reasons(frame, tmp_path):
    constant = weighted_model(tmp_path / "constant", {}, bias=0)
    outcome = behaviour.test_model(model=constant, frame=frame, cases=CASES, **WINDOW)

    broken = {finding["name"] for finding in outcome["findings"] if not finding["ok"]}
    assert outcome["verdict"] == "failed"
    assert len(outcome["reasons"]) == len(broken)
    assert broken == {
        "a longer queue",
        "a shorter queue",
        "better than the constant rate",
        "better than a table of rates by carrier, minute_of_day",
        "skill in every carrier",
    }


@pytest.mark.parametrize(("weight", "ok"), [(0.09, True), (0.0, False), (-0.09, False)])
def test_a_direction_holds_only_where_the_risk_moves_enough_the_right_way(tmp_path, weight, ok):
    sample = sample_of(weighted_model(tmp_path / "model", {"queue": weight}))

    assert check_direction(sample, Direction("a longer queue", {"queue": 10}, at_least=0.02)).ok == ok
    assert check_direction(sample, Direction("a shorter queue", {"queue": -5}, at_least=-0.02)).ok == ok


def test_changed_features_stay_in_the_range_that_training_saw(tmp_path):
    sample = sample_of(weighted_model(tmp_path / "model", {"queue": 1.0}, bias=-30))
    finding = check_direction(sample, Direction("a queue beyond reason", {"queue": 1e6}, at_least=0))

    # The range ends at 30, where this model says one half.
    assert "moves the mean risk by +0.5000" in finding.message


def test_a_direction_is_judged_on_the_rows_that_have_the_feature(tmp_path):
    model = weighted_model(tmp_path / "model", {"queue": 1.0}, bias=-1000)
    sample = sample_of(model)
    none_known = behaviour._blank(sample.rows, ["queue"])
    blanked = Sample(model=sample.model, rows=none_known, y=sample.y, p=sample.model.predict_table(none_known))

    finding = check_direction(blanked, Direction("a longer queue", {"queue": 10}, at_least=0))

    assert not finding.ok
    assert finding.message == "queue: null in every row"


def test_an_outage_that_costs_more_than_allowed_is_broken(tmp_path):
    sample = sample_of(weighted_model(tmp_path / "model", TRUE_WEIGHTS))
    cost = check_outage(sample, Outage("rotation", ("aircraft",), max_cost=1.0))

    assert cost.ok
    assert not check_outage(sample, Outage("rotation", ("aircraft",), max_cost=0.0)).ok
    assert not check_outage(sample, Outage("all", ("aircraft", "now"), max_cost=0.0)).ok


def test_an_outage_of_a_group_that_the_model_does_not_need_costs_nothing(tmp_path):
    sample = sample_of(weighted_model(tmp_path / "model", {"queue": 0.09}))

    assert "log loss +0.0000" in check_outage(sample, Outage("rotation", ("aircraft",), max_cost=0.0)).message


def test_a_slice_in_which_the_model_is_worse_than_a_constant_is_named(tmp_path):
    sample = sample_of(good_model(tmp_path / "model"))
    carriers = np.array(sample.rows.column("carrier").to_pylist())
    turned = np.where(carriers == "DL", 1 - sample.p, sample.p)
    finding = check_slices(Sample(model=sample.model, rows=sample.rows, y=sample.y, p=turned), "carrier", min_rows=100)

    assert not finding.ok
    assert "least gain over its own rate: DL with -" in finding.message


def test_slices_that_are_too_small_are_not_judged(tmp_path):
    sample = sample_of(good_model(tmp_path / "model"))

    assert check_slices(sample, "carrier", min_rows=10_000).message == "no slice has 10000 rows"


@pytest.mark.parametrize("name", ["y", "day", "label_at", "flight_id", "weather__status"])
def test_a_feature_that_is_the_outcome_or_the_row_itself_is_found(tmp_path, name):
    folder = linear_model(tmp_path, features=[*FEATURES, number(name, "now")], weights=TRUE_WEIGHTS, bias=-2)
    model = load_model(folder)
    rows = frame_table(days=2)
    rows = behaviour._replace(rows, {name: rows.column("queue")})
    sample = Sample(model=model, rows=rows, y=np.zeros(rows.num_rows), p=model.predict_table(rows))
    first, *others = invariances(sample, "flight_id")

    assert not first.ok
    assert first.message == f"features that must not be: {name}"
    assert all(finding.ok for finding in others)


@pytest.mark.parametrize(
    ("cases", "message"),
    [
        (Cases(directions=(Direction("a", {"qeue": 1}, 0),)), r"direction 'a': feature 'qeue'.*did you mean 'queue'"),
        (Cases(outages=(Outage("a", ("nwo",), 0),)), r"outage 'a': group 'nwo'.*did you mean 'now'"),
        (Cases(slices=("carier",)), r"slices: feature 'carier'.*did you mean 'carrier'"),
    ],
)
def test_a_case_that_names_what_the_model_does_not_have_is_a_mistake(good, frame, cases, message):
    with pytest.raises(Mistake, match=message):
        behaviour.test_model(model=good, frame=frame, cases=cases, **WINDOW)


def test_without_earlier_labels_there_is_nothing_to_beat(good, frame):
    with pytest.raises(BadInput, match="no labelled rows before 2013-01-01"):
        behaviour.test_model(model=good, frame=frame, cases=CASES, start="2013-01-01", end="2013-01-31")


def test_a_window_without_rows_cannot_be_tested_on(good, frame):
    with pytest.raises(BadInput, match="no labelled rows from 2013-01-00 to 2013-01-00"):
        behaviour.test_model(model=good, frame=frame, cases=CASES, start="2013-01-00", end="2013-01-00")

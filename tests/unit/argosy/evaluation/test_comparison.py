import json
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.errors import BadInput
from argosy.evaluation.comparison import compare, paired_differences
from argosy.evaluation.evaluate import evaluate
from argosy.evaluation.predictions import Scores
from tests.fakes.frames import frame_folder
from tests.fakes.judged_models import TRUE_WEIGHTS, good_model, weighted_model
from tests.fakes.linear_model import linear_model, number

MARGIN = 0.005


@pytest.fixture(scope="module")
def frame(tmp_path_factory):
    return frame_folder(tmp_path_factory.mktemp("frames") / "frame", days=40, per_day=150)


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    return good_model(tmp_path_factory.mktemp("models") / "good")


@pytest.fixture(scope="module")
def predictions(tmp_path_factory, frame, good):
    return predicted(good, frame, tmp_path_factory.mktemp("predictions"))


def predicted(model, frame, folder, start="2013-01-15", end="2013-02-09"):
    evaluate(model=model, frame=frame, start=start, end=end, slices=[], predictions=folder)
    return folder


def test_without_a_champion_there_is_nothing_to_be_worse_than(predictions, frame, tmp_path):
    outcome = compare(predictions=predictions, champion=tmp_path, frame=frame, margin=MARGIN)

    assert outcome["champion"] is None
    assert outcome["ok"]
    assert outcome["differences"] == {}


def test_the_champion_itself_differs_by_exactly_nothing(predictions, frame, good):
    outcome = compare(predictions=predictions, champion=good, frame=frame, margin=MARGIN)

    assert outcome["verdict"] == "passed"
    assert outcome["n_blocks"] == 26
    for difference in outcome["differences"].values():
        assert difference["difference"] == 0
        assert difference["interval"] == [0, 0]


def test_a_worse_champion_is_beaten_and_a_worse_candidate_refused(predictions, frame, good, tmp_path):
    worse = weighted_model(tmp_path / "worse", {"queue": -0.1})
    worse_predictions = predicted(worse, frame, tmp_path / "predictions")

    beaten = compare(predictions=predictions, champion=worse, frame=frame, margin=MARGIN)
    refused = compare(predictions=worse_predictions, champion=good, frame=frame, margin=MARGIN)

    assert beaten["ok"]
    assert {name: row["share_better"] for name, row in beaten["differences"].items()} == {
        "log_loss": 1,
        "brier": 1,
        "auc": 1,
    }
    assert refused["verdict"] == "failed"
    assert "the upper end must stay below the margin of +0.0050" in refused["reasons"][0]
    low, high = refused["differences"]["log_loss"]["interval"]
    assert beaten["differences"]["log_loss"]["interval"] == pytest.approx([-high, -low], abs=1e-6)


def test_a_slightly_worse_candidate_passes_within_the_margin_only(frame, good, tmp_path):
    nearly = weighted_model(tmp_path / "nearly", {**TRUE_WEIGHTS, "queue": 0.07})
    predictions = predicted(nearly, frame, tmp_path / "predictions")
    unbounded = compare(predictions=predictions, champion=good, frame=frame, margin=1)
    high = unbounded["differences"]["log_loss"]["interval"][1]

    assert high > 0
    assert compare(predictions=predictions, champion=good, frame=frame, margin=high * 1.01)["ok"]
    assert not compare(predictions=predictions, champion=good, frame=frame, margin=high * 0.99)["ok"]


def test_too_few_days_are_no_evidence(frame, good, tmp_path):
    few = predicted(good, frame, tmp_path / "predictions", start="2013-02-01", end="2013-02-04")
    outcome = compare(predictions=few, champion=good, frame=frame, margin=MARGIN)

    assert not outcome["ok"]
    assert outcome["reasons"] == ["labels of 4 days are too few for an interval; 5 are needed"]


def test_a_champion_that_reads_what_the_frame_no_longer_has_is_a_reason_not_an_error(predictions, frame, tmp_path):
    champion = linear_model(tmp_path, features=[number("humidity", "weather")], weights={}, bias=0)
    outcome = compare(predictions=predictions, champion=champion, frame=frame, margin=MARGIN)

    assert outcome["verdict"] == "failed"
    assert "reads humidity, which the frame does not have" in outcome["reasons"][0]


def test_another_frame_than_the_predictions_is_bad_input(predictions, frame, good, tmp_path):
    shutil.copytree(frame, tmp_path / "frame")
    part = tmp_path / "frame" / "part-2013-02.parquet"
    rows = pq.read_table(part)
    renamed = pa.array([f"other-{row}" for row in range(rows.num_rows)])
    pq.write_table(rows.set_column(0, "flight_id", renamed), part)

    with pytest.raises(BadInput, match="its rows are not those of"):
        compare(predictions=predictions, champion=good, frame=tmp_path / "frame", margin=MARGIN)


def test_the_outcome_is_plain_json_and_the_same_each_time(predictions, frame, tmp_path):
    champion = weighted_model(tmp_path / "other", {"queue": 0.05})
    outcome = compare(predictions=predictions, champion=champion, frame=frame, margin=MARGIN)

    assert json.loads(json.dumps(outcome, allow_nan=False)) == outcome
    assert outcome == compare(predictions=predictions, champion=champion, frame=frame, margin=MARGIN)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_models_that_err_alike_are_not_told_apart(seed):
    rng = np.random.default_rng(seed)
    n_days, per_day = 30, 40
    odds = rng.normal(-1, 1, n_days * per_day)
    y = (rng.random(len(odds)) < 1 / (1 + np.exp(-odds))).astype(float)
    # The same errors, dealt to the two models the other way around on every second day.
    noise = rng.normal(0, 0.3, len(odds))
    days = np.repeat(np.arange(n_days), per_day)
    sign = np.where(days % 2 == 0, 1, -1)
    ours, theirs = (1 / (1 + np.exp(-(odds + side * sign * noise))) for side in (1, -1))
    scores = Scores(day=days.astype("datetime64[D]"), block=days, y=y, p=ours)

    forth = paired_differences(scores, theirs, n_resamples=400, seed=0)["log_loss"]
    back = paired_differences(Scores(day=scores.day, block=days, y=y, p=theirs), ours, n_resamples=400, seed=0)[
        "log_loss"
    ]

    assert forth["difference"] == pytest.approx(-back["difference"], abs=2e-6)
    assert forth["interval"] == pytest.approx([-back["interval"][1], -back["interval"][0]], abs=2e-6)
    assert forth["interval"][1] - forth["interval"][0] > 0


def test_the_interval_covers_the_true_difference_about_as_often_as_it_says():
    covered = [_interval_of_equals(seed) for seed in range(200)]

    assert 0.88 <= np.mean(covered) <= 0.99


def _interval_of_equals(seed):
    rng = np.random.default_rng(seed)
    days = np.repeat(np.arange(40), 20)
    odds = rng.normal(-1, 1, len(days))
    y = (rng.random(len(days)) < 1 / (1 + np.exp(-odds))).astype(float)
    ours, theirs = (1 / (1 + np.exp(-(odds + rng.normal(0, 0.5, len(days))))) for _ in range(2))
    scores = Scores(day=days.astype("datetime64[D]"), block=days, y=y, p=ours)
    low, high = paired_differences(scores, theirs, n_resamples=300, seed=0)["log_loss"]["interval"]
    return low <= 0 <= high

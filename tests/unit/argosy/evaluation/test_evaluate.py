import hashlib
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from argosy.errors import BadInput
from argosy.evaluation import metrics
from argosy.evaluation.evaluate import evaluate
from argosy.evaluation.predictions import read_scores
from argosy.serving.runtime import load_model
from tests.fakes.frames import frame_folder
from tests.fakes.judged_models import good_model

START, END = "2013-01-24", "2013-02-05"


@pytest.fixture(scope="module")
def frame(tmp_path_factory):
    return frame_folder(tmp_path_factory.mktemp("frames") / "frame", days=40, per_day=150)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return good_model(tmp_path_factory.mktemp("models") / "good")


@pytest.fixture(scope="module")
def predictions(tmp_path_factory):
    return tmp_path_factory.mktemp("predictions")


@pytest.fixture(scope="module")
def outcome(frame, model, predictions):
    return evaluate(model=model, frame=frame, start=START, end=END, slices=["carrier"], predictions=predictions)


def window_of(frame):
    table = pa.concat_tables(pq.read_table(part) for part in sorted(frame.glob("part-*.parquet")))
    days = np.array(table.column("day").to_pylist())
    return table.filter(pa.array((days >= START) & (days <= END)))


def test_every_row_of_the_window_is_scored_labelled_or_not(frame, model, predictions, outcome):
    rows = window_of(frame)
    written = pa.concat_tables(pq.read_table(part) for part in sorted(predictions.glob("*")))

    assert written.column_names == ["flight_id", "t0", "day", "y", "p"]
    assert written.schema.field("p").type == pa.float32()
    assert written.select(["flight_id", "t0", "day", "y"]).equals(rows.select(["flight_id", "t0", "day", "y"]))
    assert written.column("p").to_numpy() == pytest.approx(load_model(model).predict_table(rows), abs=1e-6)
    assert outcome["n_rows"] == rows.num_rows
    assert outcome["n_labelled"] == rows.num_rows - rows.column("y").null_count


def test_one_part_is_written_per_month(predictions, outcome):
    assert [part.name for part in sorted(predictions.iterdir())] == ["part-2013-01.parquet", "part-2013-02.parquet"]
    assert [row["month"] for row in outcome["months"]] == ["2013-01", "2013-02"]


def test_the_metrics_are_those_of_the_labelled_rows(frame, model, outcome):
    rows = window_of(frame)
    rows = rows.filter(rows.column("y").is_valid())
    y, p = rows.column("y").to_numpy(), load_model(model).predict_table(rows)

    assert outcome["overall"]["auc"] == pytest.approx(metrics.auc(y, p), abs=1e-6)
    assert outcome["overall"]["log_loss"] == pytest.approx(metrics.log_loss(y, p), abs=1e-6)
    assert outcome["n_days"] == 13


def test_the_parts_add_up_to_the_whole(outcome):
    for rows in (outcome["months"], outcome["slices"], outcome["calibration"]):
        assert sum(row["n"] for row in rows) == outcome["n_labelled"]
    assert sum(outcome["histogram"]) == outcome["n_rows"]
    mean = sum(row["n"] * row["brier"] for row in outcome["months"]) / outcome["n_labelled"]
    assert mean == pytest.approx(outcome["overall"]["brier"], abs=1e-5)


def test_the_interval_of_each_metric_holds_its_value(outcome):
    for name, (low, high) in outcome["intervals"].items():
        assert low < outcome["overall"][name] < high


def test_the_outcome_is_plain_json(outcome):
    assert json.loads(json.dumps(outcome, allow_nan=False)) == outcome


def test_the_same_inputs_give_the_same_values_and_bytes(frame, model, predictions, outcome, tmp_path):
    again = evaluate(model=model, frame=frame, start=START, end=END, slices=["carrier"], predictions=tmp_path)

    assert again == outcome
    assert [digest(part) for part in sorted(tmp_path.iterdir())] == [
        digest(part) for part in sorted(predictions.iterdir())
    ]


def test_parts_of_an_earlier_window_do_not_stay(frame, model, tmp_path):
    def run(start, end):
        return evaluate(model=model, frame=frame, start=start, end=end, slices=[], predictions=tmp_path)

    run("2013-02-01", "2013-02-02")
    run("2013-01-30", "2013-01-31")

    assert [part.name for part in tmp_path.iterdir()] == ["part-2013-01.parquet"]


def test_a_window_without_labels_has_scores_and_null_metrics(frame, model, tmp_path):
    unlabelled = tmp_path / "frame"
    unlabelled.mkdir()
    (unlabelled / "schema.json").write_text((frame / "schema.json").read_text())
    table = pq.read_table(frame / "part-2013-02.parquet")
    index = table.column_names.index("y")
    table = table.set_column(index, "y", pa.nulls(table.num_rows, pa.int8()))
    pq.write_table(table, unlabelled / "part-2013-02.parquet")

    outcome = evaluate(
        model=model,
        frame=unlabelled,
        start="2013-02-01",
        end="2013-02-05",
        slices=["carrier"],
        predictions=tmp_path / "predictions",
    )

    assert outcome["n_rows"] == 750
    assert outcome["n_labelled"] == 0
    assert outcome["overall"]["auc"] is None
    assert outcome["intervals"] == {}
    assert outcome["slices"] == []
    assert outcome["roc"] == []


def test_predictions_that_are_not_there_are_bad_input(tmp_path):
    with pytest.raises(BadInput, match=r"no part-YYYY-MM\.parquet in it; evaluate writes them"):
        read_scores(tmp_path)


def test_rows_can_stand_for_themselves_where_a_day_means_nothing(predictions, outcome):
    n_days, _ = read_scores(predictions).dense_blocks()
    n_rows, _ = read_scores(predictions, block="flight_id").dense_blocks()

    assert n_days == 13
    assert n_rows == outcome["n_rows"]
    with pytest.raises(BadInput, match="resampled by 'day' or 'flight_id'"):
        read_scores(predictions, block="week")


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()

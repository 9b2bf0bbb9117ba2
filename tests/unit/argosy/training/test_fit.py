from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace

import pyarrow.parquet as pq
import pytest

from argosy.errors import BadInput
from argosy.serving.runtime import load_model
from argosy.training.calibration import log_loss
from argosy.training.fit import train
from argosy.training.frame import first_instant, labels_of, read_labelled
from argosy.training.plan import Window
from tests.fakes.frames import FEATURES, PARAMS, PLAN, frame_folder

SCRIPT = """
import sys
from pathlib import Path
sys.path.insert(0, {root!r})
from argosy.training.fit import train
from argosy.training.plan import SearchBudget, TrainingPlan, Window
plan = TrainingPlan(
    name="m", predicts="late", train=Window("2013-01-01", "2013-01-08"),
    calibrate=Window("2013-01-08", "2013-01-10"), search=SearchBudget(batch=1, folds=1), threads=1,
)
train(frame=Path({frame!r}), plan=plan, params={{"trees": 2}}, seed=1, model=Path({model!r}))
print(sorted({{"pandas", "sklearn", "feast", "mlflow", "kfp"}} & set(sys.modules)))
"""


@pytest.fixture(scope="module")
def frame(tmp_path_factory):
    return frame_folder(tmp_path_factory.mktemp("fit") / "frame", per_day=80)


@pytest.fixture(scope="module")
def model(frame, tmp_path_factory):
    folder = tmp_path_factory.mktemp("fit") / "model"
    train(frame=frame, plan=PLAN, params=PARAMS, seed=1, model=folder)
    return folder


def test_two_trainings_write_the_same_bytes(frame, model, tmp_path):
    card = train(frame=frame, plan=replace(PLAN, threads=1), params=PARAMS, seed=1, model=tmp_path / "again")

    names = sorted(path.name for path in model.iterdir())
    assert names == ["card.json", "model.onnx", "signature.json"]
    for name in names:
        assert (model / name).read_bytes() == (tmp_path / "again" / name).read_bytes()
    assert json.loads((model / "card.json").read_text()) == card


def test_two_threads_write_the_same_bytes_each_time(frame, tmp_path):
    plan = replace(PLAN, threads=2)
    for name in ("one", "two"):
        train(frame=frame, plan=plan, params=PARAMS, seed=1, model=tmp_path / name)

    graphs = {(tmp_path / name / "model.onnx").read_bytes() for name in ("one", "two")}
    assert len(graphs) == 1


def test_a_model_of_several_seeds_is_repeatable_and_says_which(frame, tmp_path):
    plan = replace(PLAN, seeds=3, threads=2)
    cards = [train(frame=frame, plan=plan, params=PARAMS, seed=1, model=tmp_path / name) for name in ("one", "two")]

    for name in ("card.json", "model.onnx", "signature.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    signature = json.loads((tmp_path / "one" / "signature.json").read_text())
    assert signature["ensemble"] == {"kind": "mean_log_odds", "boosters": 3}
    assert cards[0]["seeds"] == [1, 2, 3]
    assert cards[0]["parity"]["max_difference"] <= 1e-5


def test_calibration_is_decided_on_the_mean_of_the_margins(frame, tmp_path):
    plan = replace(PLAN, seeds=2)
    card = train(frame=frame, plan=plan, params=PARAMS, seed=1, model=tmp_path)
    rows = read_labelled(frame, plan.calibrate, known_by=first_instant(frame, day=plan.calibrate.end))

    served = load_model(tmp_path)

    assert served.signature["calibration"] == {"kind": "none"}
    probabilities = served.predict_table(rows).astype(float)
    assert card["calibration"]["log_loss_before"] == pytest.approx(log_loss(labels_of(rows), probabilities), abs=2e-6)


def test_another_seed_gives_another_model(frame, model, tmp_path):
    train(frame=frame, plan=PLAN, params=PARAMS, seed=2, model=tmp_path)

    assert (tmp_path / "model.onnx").read_bytes() != (model / "model.onnx").read_bytes()


def test_the_model_ranks_later_days_better_than_chance(frame, model):
    table = pq.read_table(frame / "part-2013-01.parquet", filters=[("day", ">=", "2013-01-24")])
    labelled = table.filter(table["y"].is_valid())
    labels = labelled["y"].to_numpy()

    scores = load_model(model).predict_table(labelled)

    assert scores[labels == 1].mean() > scores[labels == 0].mean() + 0.1


def test_the_signature_tells_what_to_send_and_what_comes_back(model):
    signature = json.loads((model / "signature.json").read_text())

    assert (signature["name"], signature["version"]) == ("flights-delay", 1)
    assert signature["output"] == {"name": "probability", "description": "arrives 15+ minutes late"}
    assert [feature["name"] for feature in signature["features"]] == [feature["name"] for feature in FEATURES]
    assert set(signature["example"]) == {feature["name"] for feature in FEATURES}


def test_the_card_tells_how_the_model_came_about(model):
    card = json.loads((model / "card.json").read_text())

    assert card["params"] == PARAMS
    assert card["plan"]["train"] == {"start": "2013-01-01", "end": "2013-01-21"}
    assert card["parity"]["max_difference"] <= 1e-5
    assert sum(card["importance"].values()) == pytest.approx(1, abs=0.01)
    assert next(iter(card["importance"])) in {"prev_delay", "queue"}


def test_labels_that_came_when_the_next_window_had_begun_are_not_trained_on(frame, model):
    card = json.loads((model / "card.json").read_text())
    rows = pq.read_table(frame / "part-2013-01.parquet").select(["day", "t0", "y", "label_at"]).to_pylist()
    next_begins = min(row["t0"] for row in rows if row["day"] >= "2013-01-21")
    labelled = [row for row in rows if row["day"] < "2013-01-21" and row["y"] is not None]

    in_time = [row for row in labelled if row["label_at"] <= next_begins]
    assert card["training"]["n_rows"] == len(in_time) < len(labelled)


def test_a_window_without_rows_is_refused(frame, tmp_path):
    plan = replace(PLAN, train=Window("2012-01-01", "2012-02-01"))

    with pytest.raises(BadInput, match="no part between 2012-01 and 2012-02"):
        train(frame=frame, plan=plan, params=PARAMS, seed=1, model=tmp_path)


def test_training_imports_neither_pandas_nor_scikit_learn(tmp_path, request):
    frame = frame_folder(tmp_path / "frame", days=10)
    root = str(request.config.rootpath)
    script = SCRIPT.format(root=root, frame=str(frame), model=str(tmp_path / "model"))

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"


def test_params_whose_numbers_are_all_floats_train_the_same_model(frame, model, tmp_path):
    floats = {name: float(value) for name, value in PARAMS.items()}

    train(frame=frame, plan=PLAN, params=floats, seed=1, model=tmp_path / "model")

    for path in model.iterdir():
        assert (tmp_path / "model" / path.name).read_bytes() == path.read_bytes()


def test_a_model_carries_the_rules_of_its_frame(frame, tmp_path):
    carried = shutil.copytree(frame, tmp_path / "frame")
    (carried / "features.json").write_text("the rules\n")

    train(frame=carried, plan=PLAN, params=PARAMS, seed=1, model=tmp_path / "model")

    assert (tmp_path / "model" / "features.json").read_text() == "the rules\n"

from __future__ import annotations

import json

import pytest

from argosy.training.search import score_candidate, shortened
from tests.fakes.frames import PARAMS, PLAN, frame_folder

TRIAL = {"candidate": 3, "round": 1, "fold": 1, "params": PARAMS}


@pytest.fixture(scope="module")
def frame(tmp_path_factory):
    return frame_folder(tmp_path_factory.mktemp("frame"))


def test_a_short_scoring_grows_the_first_trees_of_the_same_model():
    params = {"trees": 450, "learning_rate": 0.04, "max_depth": 5}

    assert shortened(params, 0.5) == {"trees": 225, "learning_rate": 0.04, "max_depth": 5}
    assert shortened(params, 0.001)["trees"] == 1


def test_scoring_is_repeatable_and_trains_on_earlier_rows_only(frame):
    first, second = (score_candidate(frame=frame, plan=PLAN, trial=TRIAL, seed=4) for _ in range(2))

    assert first == second
    assert {name: first[name] for name in TRIAL} == TRIAL
    assert 0.2 < first["log_loss"] < 0.7
    assert first["n_train"] > first["n_scored"]


def test_a_score_depends_on_the_params_and_the_fold_of_its_trial(frame):
    trials = [TRIAL, TRIAL | {"fold": 0}, TRIAL | {"params": PARAMS | {"max_depth": 1}}]

    scores = [score_candidate(frame=frame, plan=PLAN, trial=trial, seed=4)["log_loss"] for trial in trials]

    assert len(set(scores)) == 3


def test_a_trial_whose_numbers_are_all_floats_is_the_same_trial(frame):
    floats = TRIAL | {"candidate": 3.0, "round": 1.0, "fold": 1.0}
    floats["params"] = {name: float(value) for name, value in PARAMS.items()}

    one, other = (score_candidate(frame=frame, plan=PLAN, trial=trial, seed=4) for trial in (TRIAL, floats))

    assert json.dumps(one) == json.dumps(other)


def test_a_score_does_not_depend_on_the_number_of_its_candidate(frame):
    renumbered = TRIAL | {"candidate": 9, "round": 4}

    one, other = (score_candidate(frame=frame, plan=PLAN, trial=trial, seed=4) for trial in (TRIAL, renumbered))

    assert one["log_loss"] == other["log_loss"]

from __future__ import annotations

import pytest

from argosy.errors import BadInput
from argosy.training.search import (
    KNOWN_GOOD,
    SPACE,
    choose_candidate,
    draw_params,
    score_candidate,
    shortened,
)
from tests.fakes.frames import PLAN, frame_folder


@pytest.fixture(scope="module")
def frame(tmp_path_factory):
    return frame_folder(tmp_path_factory.mktemp("frame"))


def a_score(candidate: int, fold: int, loss: float) -> dict:
    return {"candidate": candidate, "fold": fold, "log_loss": loss, "params": {"max_depth": candidate}}


def test_the_first_candidates_are_the_known_good_points():
    drawn = [draw_params(candidate=index, seed=1, total_step=18) for index in range(2)]

    assert drawn == [{"trees": 300} | KNOWN_GOOD[0], {"trees": 600} | KNOWN_GOOD[1]]


def test_candidates_come_from_the_space_and_depend_on_seed_and_index_alone():
    def draw(seed):
        return [draw_params(candidate=index, seed=seed, total_step=18) for index in range(2, 30)]

    assert all(params[name] in SPACE[name] for params in draw(1) for name in SPACE)
    assert all(type(params["max_depth"]) is int for params in draw(1))
    assert draw(1) == draw(1)
    assert draw(1) != draw(2)


def test_more_trees_go_with_a_shorter_step():
    params = draw_params(candidate=3, seed=1, total_step=6)

    assert params["trees"] * params["learning_rate"] == pytest.approx(6, abs=0.05)


def test_a_short_scoring_grows_the_first_trees_of_the_same_model():
    params = {"trees": 450, "learning_rate": 0.04, "max_depth": 5}

    assert shortened(params, 0.5) == {"trees": 225, "learning_rate": 0.04, "max_depth": 5}
    assert shortened(params, 0.001)["trees"] == 1


def test_scoring_is_repeatable_and_trains_on_earlier_rows_only(frame):
    first, second = (score_candidate(frame=frame, plan=PLAN, candidate=0, fold=1, seed=4) for _ in range(2))

    assert first == second
    assert (first["candidate"], first["fold"], first["params"]) == (0, 1, {"trees": 300} | KNOWN_GOOD[0])
    assert 0.2 < first["log_loss"] < 0.7
    assert first["n_train"] > first["n_scored"]


def test_the_lowest_mean_wins_whatever_the_order_of_the_scores():
    scores = [a_score(1, 1, 0.42), a_score(0, 0, 0.40), a_score(1, 0, 0.37), a_score(0, 1, 0.41)]

    chosen = choose_candidate(scores=scores)

    assert (chosen["candidate"], chosen["params"], chosen["log_loss"]) == (1, {"max_depth": 1}, 0.395)
    assert chosen["table"][0] == {
        "candidate": 0,
        "params": {"max_depth": 0},
        "log_loss": 0.405,
        "spread": 0.01,
        "folds": [0, 1],
        "log_losses": [0.40, 0.41],
    }
    assert choose_candidate(scores=scores[::-1]) == chosen


def test_a_tie_goes_to_the_lower_index():
    chosen = choose_candidate(scores=[a_score(2, 0, 0.4), a_score(1, 0, 0.4)])

    assert chosen["candidate"] == 1


def test_candidates_scored_on_different_folds_are_not_compared():
    with pytest.raises(BadInput, match="different folds"):
        choose_candidate(scores=[a_score(0, 0, 0.4), a_score(1, 1, 0.3)])


def test_no_scores_are_refused():
    with pytest.raises(BadInput, match="none were given"):
        choose_candidate(scores=[])

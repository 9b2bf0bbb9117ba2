from __future__ import annotations

import pytest

from argosy.errors import BadInput
from argosy.training.choice import candidate_table, choose_candidate, ordered_scores


def a_score(candidate: int, fold: int, loss: float | None) -> dict:
    params = {"max_depth": candidate}
    return {"candidate": candidate, "round": candidate // 2, "fold": fold, "log_loss": loss, "params": params}


def test_the_lowest_mean_wins_whatever_the_order_of_the_scores():
    scores = [a_score(1, 1, 0.42), a_score(0, 0, 0.40), a_score(1, 0, 0.37), a_score(0, 1, 0.41)]

    chosen = choose_candidate(scores=scores)

    assert (chosen["candidate"], chosen["params"], chosen["log_loss"]) == (1, {"max_depth": 1}, 0.395)
    assert chosen["table"][0] == {
        "candidate": 0,
        "round": 0,
        "params": {"max_depth": 0},
        "log_loss": 0.405,
        "spread": 0.01,
        "folds": [0, 1],
        "log_losses": [0.40, 0.41],
    }
    assert choose_candidate(scores=scores[::-1]) == chosen


def test_a_candidate_of_any_round_may_win():
    scores = [a_score(candidate, 0, 0.5 - candidate / 100) for candidate in range(5)]

    assert (choose_candidate(scores=scores)["candidate"], choose_candidate(scores=scores)["round"]) == (4, 2)


def test_a_tie_goes_to_the_lower_index():
    chosen = choose_candidate(scores=[a_score(2, 0, 0.4), a_score(1, 0, 0.4)])

    assert chosen["candidate"] == 1


def test_candidates_scored_on_different_folds_are_not_compared():
    with pytest.raises(BadInput, match="different folds"):
        choose_candidate(scores=[a_score(0, 0, 0.4), a_score(1, 1, 0.3)])


def test_no_scores_are_refused_by_the_choice_and_are_an_empty_table():
    assert candidate_table(ordered_scores([])) == []
    with pytest.raises(BadInput, match="none were given"):
        choose_candidate(scores=[])


@pytest.mark.parametrize("loss", [float("nan"), float("inf"), None, "0.4"])
def test_a_score_that_is_not_a_finite_number_is_refused_with_its_place(loss):
    with pytest.raises(BadInput, match=r"^scores: candidate 1, fold 2: log_loss is .*needed is a finite number"):
        choose_candidate(scores=[a_score(0, 2, 0.4), a_score(1, 2, loss)])


def test_a_score_without_a_log_loss_is_refused_with_its_place():
    with pytest.raises(BadInput, match=r"^scores: candidate 0, fold 1: log_loss is None"):
        ordered_scores([{"candidate": 0, "fold": 1}])


def test_two_scores_of_one_candidate_on_one_fold_are_refused():
    with pytest.raises(BadInput, match=r"^scores: candidate 3, fold 1: was scored twice"):
        choose_candidate(scores=[a_score(3, 1, 0.4), a_score(3, 0, 0.4), a_score(3, 1, 0.5)])

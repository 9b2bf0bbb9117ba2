from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.errors import BadInput
from argosy.launcher.closure import Roots, source_closure
from argosy.launcher.stamps import Stamps
from argosy.training.proposals import KNOWN_GOOD, SPACE, propose_points, propose_trials, with_trees
from tests.fakes.frames import PLAN
from tests.fakes.searching import bowl, searched

FOREIGN = """
import json, sys
from argosy.training.proposals import propose_points
print(json.dumps(propose_points(json.loads(sys.argv[1]), n_points=3, seed=5)))
"""
UNWANTED = ("pandas", "sklearn", "scipy", "sqlalchemy", "alembic", "xgboost", "torch", "matplotlib")


def rows(losses):
    """Return rows of a table whose points are spread over the space."""
    points = propose_points([], n_points=len(losses), seed=1)
    return [
        {"candidate": number, "round": 0, "params": with_trees(point, 18.0), "log_loss": loss}
        for number, (point, loss) in enumerate(zip(points, losses, strict=True))
    ]


def of_round(scores, number):
    return [score for score in scores if score["round"] == number]


def distance(params):
    """Return how far a point is from the bottom of the bowl."""
    return bowl(params) - 0.4


def test_the_first_round_starts_with_the_known_good_points():
    assert propose_trials(scores=[], plan=PLAN, seed=1) == [
        {"candidate": candidate, "round": 0, "fold": fold, "params": {"trees": trees} | KNOWN_GOOD[candidate]}
        for candidate, trees in enumerate((300, 600))
        for fold in (0, 1)
    ]


def test_a_larger_first_round_draws_more_points_after_the_known_good_ones():
    points = propose_points([], n_points=6, seed=1)

    assert points[:2] == list(KNOWN_GOOD)
    assert len({json.dumps(point) for point in points}) == 6


def test_a_smaller_round_leaves_known_good_points_to_the_next_one():
    assert propose_points(rows([0.4]), n_points=1, seed=1) == [KNOWN_GOOD[1]]


def test_every_round_counts_its_candidates_on_and_hands_on_all_earlier_scores():
    scores = searched(PLAN, rounds=3, seed=1)

    assert [(score["candidate"], score["round"], score["fold"]) for score in scores] == [
        (candidate, candidate // 2, fold) for candidate in range(6) for fold in (0, 1)
    ]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0.3, 0.7), max_size=12), st.integers(1, 5), st.integers(0, 2**31))
def test_points_lie_in_the_space_and_keep_its_types(losses, n_points, seed):
    points = propose_points(rows(losses), n_points=n_points, seed=seed)

    assert len(points) == n_points
    for point in points:
        assert list(point) == list(SPACE)
        assert all(space.low <= point[name] <= space.high for name, space in SPACE.items())
        assert {type(point[name]) for name in ("max_depth", "min_child_weight")} == {int}


def test_more_trees_go_with_a_shorter_step():
    params = with_trees(KNOWN_GOOD[1] | {"learning_rate": 0.0372}, 6.0)

    assert params["trees"] * params["learning_rate"] == pytest.approx(6, abs=0.05)


@settings(max_examples=20, deadline=None)
@given(st.permutations(range(8)))
def test_the_order_of_scores_does_not_matter(order):
    scores = searched(PLAN, rounds=2, seed=1)
    shuffled = [scores[place] for place in order]

    expected = propose_trials(scores=scores, plan=PLAN, seed=1)
    assert propose_trials(scores=shuffled, plan=PLAN, seed=1) == expected


def test_other_scores_or_another_seed_propose_other_points():
    losses = [0.45, 0.44, 0.46, 0.43]

    proposed = propose_points(rows(losses), n_points=2, seed=5)

    assert proposed == propose_points(rows(losses), n_points=2, seed=5)
    assert proposed != propose_points(rows(losses[::-1]), n_points=2, seed=5)
    assert proposed != propose_points(rows(losses), n_points=2, seed=6)


@pytest.mark.parametrize("hash_seed", ["0", "1", "4294967295"])
def test_another_process_with_other_hashes_proposes_the_same_points(hash_seed):
    tried = rows([0.45, 0.44, 0.46, 0.43])

    command = [sys.executable, "-W", "error", "-c", FOREIGN, json.dumps(tried)]
    foreign = subprocess.run(command, env=os.environ | {"PYTHONHASHSEED": hash_seed}, capture_output=True, check=True)

    assert json.loads(foreign.stdout) == propose_points(tried, n_points=3, seed=5)
    assert foreign.stderr == b""


def test_scores_that_went_through_an_engine_with_one_kind_of_number_propose_the_same_trials():
    scores = searched(PLAN, rounds=2, seed=1)

    again = json.loads(json.dumps(scores, sort_keys=True), parse_int=float)

    expected = propose_trials(scores=scores, plan=PLAN, seed=1)
    assert propose_trials(scores=again, plan=PLAN, seed=1) == expected
    assert type(expected[0]["fold"]) is int


def test_later_rounds_come_closer_to_the_best_point():
    plan = replace(PLAN, search=replace(PLAN.search, batch=4, folds=1))

    near, far = [], []
    for seed in range(5):
        scores = searched(plan, rounds=6, seed=seed)
        near += [distance(score["params"]) for score in of_round(scores, 5)]
        far += [distance(score["params"]) for score in of_round(scores, 0)[2:]]

    assert sum(near) / len(near) < 0.6 * sum(far) / len(far)


def test_a_score_that_is_not_a_number_is_refused():
    scores = searched(PLAN, rounds=1, seed=1)
    scores[2]["log_loss"] = math.nan

    with pytest.raises(BadInput, match="candidate 1, fold 0: log_loss is nan"):
        propose_trials(scores=scores, plan=PLAN, seed=1)


def test_a_missing_score_is_refused():
    scores = searched(PLAN, rounds=1, seed=1)[:-1]

    with pytest.raises(BadInput, match="different folds"):
        propose_trials(scores=scores, plan=PLAN, seed=1)


def test_proposing_imports_no_library_that_it_does_not_need():
    asking = f"{FOREIGN}print(json.dumps([name for name in {UNWANTED} if name in sys.modules]))"

    command = [sys.executable, "-c", asking, json.dumps(rows([0.4] * 4))]
    printed = subprocess.run(command, capture_output=True, check=True).stdout

    assert json.loads(printed.splitlines()[-1]) == []


@pytest.mark.parametrize(("module", "libraries"), [("search", {"xgboost"}), ("fit", {"onnx"})])
def test_steps_that_propose_nothing_do_not_depend_on_optuna(tmp_path, module, libraries):
    roots, stamps = Roots(Path(__file__).parents[4]), Stamps(tmp_path / "stamps.sqlite")

    closure = source_closure(f"import argosy.training.{module}", roots, stamps)

    imported = {name.split(".")[0] for name in closure.third_party}
    assert libraries <= imported
    assert "optuna" not in imported


def test_choosing_imports_no_library_at_all(tmp_path):
    roots, stamps = Roots(Path(__file__).parents[4]), Stamps(tmp_path / "stamps.sqlite")

    assert source_closure("import argosy.training.choice", roots, stamps).third_party == ()

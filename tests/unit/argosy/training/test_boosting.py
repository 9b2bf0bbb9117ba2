from __future__ import annotations

import sys

import numpy as np
import pytest

from argosy.training.boosting import absent, fit_booster, margins_of, trees_of

PARAMS = {"trees": 5, "max_depth": 2, "learning_rate": 0.3}


def some_rows(n_rows: int = 400) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(2)
    matrix = rng.normal(size=(n_rows, 3)).astype(np.float32)
    return matrix, (matrix[:, 0] + rng.normal(size=n_rows) > 1).astype(np.float32)


def test_an_absent_package_cannot_be_imported_until_the_block_ends():
    with absent("sqlite3.dump"), pytest.raises(ImportError):
        import sqlite3.dump

    assert "sqlite3.dump" not in sys.modules
    import sqlite3.dump  # noqa: F401


def test_a_package_that_is_loaded_stays_loaded():
    with absent("json"):
        import json

        assert json.loads("1") == 1


def test_the_same_rows_give_the_same_trees():
    matrix, labels = some_rows()

    first, second = (
        fit_booster(matrix, labels, params=PARAMS | {"subsample": 0.5}, threads=2, seed=3) for _ in range(2)
    )

    assert first.save_raw("json") == second.save_raw("json")


def test_the_trees_add_up_to_the_margins():
    matrix, labels = some_rows()
    booster = fit_booster(matrix, labels, params=PARAMS, threads=1, seed=3)

    intercept, trees = trees_of(booster)

    assert len(trees) == PARAMS["trees"]
    assert intercept == pytest.approx(np.log(labels.mean() / (1 - labels.mean())), abs=1e-4)
    expected = [intercept + sum(_leaf(tree, row) for tree in trees) for row in matrix[:20]]
    np.testing.assert_allclose(margins_of(booster, matrix[:20]), expected, atol=1e-5)


def _leaf(tree, row) -> float:
    node = 0
    while tree["left_children"][node] != -1:
        goes_left = row[tree["split_indices"][node]] < np.float32(tree["split_conditions"][node])
        node = tree["left_children" if goes_left else "right_children"][node]
    return tree["split_conditions"][node]

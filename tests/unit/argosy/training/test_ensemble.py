from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from argosy.serving.runtime import open_session
from argosy.training.boosting import margins_of
from argosy.training.calibration import probabilities_of
from argosy.training.ensemble import (
    divide_leaves,
    ensemble_seeds,
    fit_ensemble,
    importance_of,
    mean_margins,
    mean_trees,
)
from argosy.training.export import export_graph
from tests.fakes.frames import PLAN

PARAMS = {"trees": 6, "max_depth": 3, "learning_rate": 0.3, "subsample": 0.7}
FEATURES = [{"name": name, "type": "number"} for name in "abc"]


@pytest.fixture(scope="module")
def rows() -> np.ndarray:
    matrix = np.random.default_rng(8).normal(size=(2000, 3)).astype(np.float32)
    matrix[np.random.default_rng(9).random(matrix.shape) < 0.2] = np.nan
    return matrix


@pytest.fixture(scope="module")
def labels(rows) -> np.ndarray:
    noise = np.random.default_rng(4).normal(size=len(rows))
    return (np.nan_to_num(rows[:, 0]) + noise > 1).astype(np.float32)


def fit(rows, labels, n_seeds, seed=5):
    plan = replace(PLAN, seeds=n_seeds)
    return fit_ensemble(rows, labels, columns=[[1], [2]], params=PARAMS, plan=plan, seed=seed)


def predict(content: bytes, rows: np.ndarray, folder) -> np.ndarray:
    (folder / "model.onnx").write_bytes(content)
    return open_session(folder / "model.onnx", threads=1).run(None, {"features": rows})[0].ravel()


def a_tree(threshold: float, left: float, right: float) -> dict:
    """A tree of one cut on the first feature; NaN goes left."""
    return {
        "left_children": [1, -1, -1],
        "right_children": [2, -1, -1],
        "split_indices": [0, 0, 0],
        "split_conditions": [threshold, left, right],
        "default_left": [1, 0, 0],
    }


def test_dividing_the_leaves_keeps_the_threshold():
    assert divide_leaves(a_tree(8.0, 2.0, -4.0), by=2) == a_tree(8.0, 1.0, -2.0)


def test_two_trees_of_one_cut_add_up_to_the_mean_worked_out_by_hand(tmp_path):
    # The first booster says 0.2 + (1 or 3), the second 0.4 + (-2 or 6), cut at 0 and at 10.
    trees = [divide_leaves(tree, by=2) for tree in (a_tree(0.0, 1.0, 3.0), a_tree(10.0, -2.0, 6.0))]
    graph = export_graph(intercept=0.3, trees=trees, features=FEATURES[:1], calibration={"kind": "none"})

    got = predict(graph, np.array([[-1], [5], [20], [np.nan]], np.float32), tmp_path)

    expected = [(1.2 - 1.6) / 2, (3.2 - 1.6) / 2, (3.2 + 6.4) / 2, (1.2 - 1.6) / 2]
    np.testing.assert_allclose(got, probabilities_of(np.array(expected)), atol=1e-6)


@pytest.mark.parametrize("calibration", [{"kind": "none"}, {"kind": "platt", "a": 0.8, "b": -0.3}])
def test_the_exported_graph_of_two_boosters_is_the_mean_of_their_margins(rows, labels, calibration, tmp_path):
    first, second = boosters = fit(rows, labels, 2)
    margins = (margins_of(first, rows) + margins_of(second, rows)) / 2
    intercept, trees = mean_trees(boosters)

    graph = export_graph(intercept=intercept, trees=trees, features=FEATURES, calibration=calibration)

    line = {"slope": calibration.get("a", 1.0), "intercept": calibration.get("b", 0.0)}
    np.testing.assert_allclose(predict(graph, rows, tmp_path), probabilities_of(margins, **line), atol=1e-6)
    np.testing.assert_array_equal(mean_margins(boosters, rows), margins)


def test_boosters_with_different_intercepts_are_averaged_too(rows, labels, tmp_path):
    boosters = fit(rows, labels, 1) + fit(rows, 1 - labels, 1)
    intercept, trees = mean_trees(boosters)

    graph = export_graph(intercept=intercept, trees=trees, features=FEATURES, calibration={"kind": "none"})

    # The rates are p and 1 - p, whose log odds cancel.
    assert intercept == pytest.approx(0, abs=1e-4)
    expected = probabilities_of(mean_margins(boosters, rows))
    np.testing.assert_allclose(predict(graph, rows, tmp_path), expected, atol=1e-6)


def test_one_booster_is_exported_as_it_is(rows, labels):
    (booster,) = boosters = fit(rows, labels, 1)
    intercept, trees = mean_trees(boosters)

    margins = mean_margins(boosters, rows)

    np.testing.assert_array_equal(margins, margins_of(booster, rows))
    assert len(trees) == PARAMS["trees"]
    assert intercept == pytest.approx(np.log(labels.mean() / (1 - labels.mean())), abs=1e-4)


def test_a_larger_ensemble_keeps_the_boosters_of_a_smaller_one(rows, labels):
    small, large = fit(rows, labels, 2), fit(rows, labels, 3)

    assert ensemble_seeds(5, 3) == [5, 6, 7]
    assert [b.save_raw("json") for b in large[:2]] == [b.save_raw("json") for b in small]
    assert len({bytes(booster.save_raw("json")) for booster in large}) == 3


def test_each_seed_blanks_other_rows(rows, labels):
    plain = PARAMS | {"subsample": 1.0}
    plan = replace(PLAN, seeds=2, dropout=0.3)

    first, second = fit_ensemble(rows, labels, columns=[[0]], params=plain, plan=plan, seed=5)

    # Without sampling of rows or columns nothing else can tell the two apart.
    assert np.abs(margins_of(first, rows) - margins_of(second, rows)).max() > 0


def test_importance_is_shared_over_all_boosters(rows, labels):
    shares = importance_of(fit(rows, labels, 2), ["a", "b", "c"])

    assert next(iter(shares)) == "a"
    assert sum(shares.values()) == pytest.approx(1, abs=0.001)

from __future__ import annotations

import numpy as np
import onnx
import pytest

from argosy.serving.runtime import METADATA_DIGEST, features_digest, open_session
from argosy.training.boosting import fit_booster, margins_of, trees_of
from argosy.training.calibration import probabilities_of
from argosy.training.export import export_graph

FEATURES = [{"name": name, "type": "number"} for name in "abc"]


@pytest.fixture(scope="module")
def rows() -> np.ndarray:
    matrix = np.random.default_rng(8).normal(size=(2000, 3)).astype(np.float32)
    matrix[np.random.default_rng(9).random(matrix.shape) < 0.2] = np.nan
    return matrix


@pytest.fixture(scope="module")
def booster(rows):
    labels = (np.nan_to_num(rows[:, 0]) > 0.5).astype(np.float32)
    params = {"trees": 20, "max_depth": 4, "learning_rate": 0.2}
    return fit_booster(rows, labels, params=params, threads=1, seed=1)


def export(booster, calibration):
    intercept, trees = trees_of(booster)
    return export_graph(intercept=intercept, trees=trees, features=FEATURES, calibration=calibration)


def predict(content: bytes, rows: np.ndarray, folder) -> np.ndarray:
    (folder / "model.onnx").write_bytes(content)
    return open_session(folder / "model.onnx", threads=1).run(None, {"features": rows})[0].ravel()


@pytest.mark.parametrize("calibration", [{"kind": "none"}, {"kind": "platt", "a": 0.8, "b": -0.3}])
def test_the_graph_predicts_what_the_trees_predict_nan_included(booster, rows, calibration, tmp_path):
    line = {"slope": calibration.get("a", 1.0), "intercept": calibration.get("b", 0.0)}

    got = predict(export(booster, calibration), rows, tmp_path)

    np.testing.assert_allclose(got, probabilities_of(margins_of(booster, rows), **line), atol=1e-6)


def test_the_file_is_valid_and_names_nothing_but_the_model(booster):
    graph = onnx.load_from_string(export(booster, {"kind": "none"}))

    onnx.checker.check_model(graph, full_check=True)
    assert graph.graph.name == "model"
    assert [entry.key for entry in graph.metadata_props] == [METADATA_DIGEST]
    assert graph.metadata_props[0].value == features_digest(FEATURES)


def test_the_same_trees_give_the_same_bytes(booster):
    assert export(booster, {"kind": "none"}) == export(booster, {"kind": "none"})


def test_a_tree_of_a_single_leaf_is_exported(rows, tmp_path):
    labels = (np.arange(len(rows)) % 2).astype(np.float32)
    params = {"trees": 2, "max_depth": 2, "learning_rate": 0.2, "min_child_weight": 1e9}
    stump = fit_booster(rows, labels, params=params, threads=1, seed=1)

    got = predict(export(stump, {"kind": "none"}), rows[:5], tmp_path)

    np.testing.assert_allclose(got, 0.5, atol=1e-6)

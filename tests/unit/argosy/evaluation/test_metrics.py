import doctest

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from argosy.evaluation import metrics

# Few distinct scores, so that ties are common.
SCORES = st.integers(1, 19).map(lambda twentieths: twentieths / 20)


@st.composite
def labelled_scores(draw, both_classes=True):
    n = draw(st.integers(2, 40))
    y = draw(arrays(np.int8, n, elements=st.integers(0, 1)))
    if both_classes:
        y[0], y[-1] = 0, 1
    return y, draw(arrays(np.float64, n, elements=SCORES))


def test_the_examples_in_the_docstrings_hold():
    assert doctest.testmod(metrics).failed == 0


@given(labelled_scores())
def test_auc_is_the_share_of_rightly_ordered_pairs(case):
    y, p = case
    wins = [float(a > b) + (a == b) / 2 for a in p[y == 1] for b in p[y == 0]]

    assert metrics.auc(y, p) == pytest.approx(np.mean(wins), abs=1e-12)


@given(labelled_scores())
def test_turning_the_scores_around_turns_the_auc_around(case):
    y, p = case

    assert metrics.auc(y, 1 - p) == pytest.approx(1 - metrics.auc(y, p), abs=1e-12)


@given(labelled_scores(), st.randoms(use_true_random=False))
def test_no_metric_depends_on_the_order_of_the_rows(case, random):
    y, p = case
    order = list(range(len(y)))
    random.shuffle(order)

    for name, metric in metrics.METRICS.items():
        assert metric(y[order], p[order]) == pytest.approx(metric(y, p), abs=1e-9), name


@given(labelled_scores())
def test_average_precision_is_the_mean_precision_at_each_positive_with_ties_counted_together(case):
    y, p = case
    at_each = [y[p >= score].mean() for score in p[y == 1]]

    assert metrics.average_precision(y, p) == pytest.approx(np.mean(at_each), abs=1e-12)


@given(labelled_scores(both_classes=False))
def test_log_loss_and_brier_are_least_at_the_constant_that_is_the_base_rate(case):
    y, _ = case
    rate = np.full(len(y), y.mean())

    for metric in (metrics.log_loss, metrics.brier):
        assert metric(y, rate) <= metric(y, np.clip(rate + 0.05, 0, 1)) + 1e-12
        assert metric(y, rate) <= metric(y, np.clip(rate - 0.05, 0, 1)) + 1e-12


@pytest.mark.slow
@settings(deadline=None)
@given(labelled_scores())
def test_the_metrics_agree_with_scikit_learn(case):
    sklearn_metrics = pytest.importorskip("sklearn.metrics")
    y, p = case

    assert metrics.auc(y, p) == pytest.approx(sklearn_metrics.roc_auc_score(y, p))
    assert metrics.average_precision(y, p) == pytest.approx(sklearn_metrics.average_precision_score(y, p))
    assert metrics.log_loss(y, p) == pytest.approx(sklearn_metrics.log_loss(y, p))
    assert metrics.brier(y, p) == pytest.approx(sklearn_metrics.brier_score_loss(y, p))


@given(labelled_scores())
def test_the_roc_curve_rises_from_corner_to_corner_and_its_area_is_the_auc(case):
    y, p = case
    points = np.array(metrics.roc_points(y, p))
    area = float(np.trapezoid(points[:, 1], points[:, 0]))

    assert points[0].tolist() == [0, 0, 1]
    assert points[-1, :2].tolist() == [1, 1]
    assert (np.diff(points[:, :2], axis=0) >= 0).all()
    for false_rate, true_rate, threshold in points[1:]:
        (true_negatives, false_positives), (false_negatives, hits) = metrics.confusion_matrix(y, p, threshold=threshold)
        assert false_rate == pytest.approx(false_positives / (true_negatives + false_positives))
        assert true_rate == pytest.approx(hits / (false_negatives + hits))
    assert area == pytest.approx(metrics.auc(y, p), abs=1e-12)


def test_a_long_roc_curve_is_thinned_and_keeps_its_area():
    rng = np.random.default_rng(3)
    p = rng.random(20_000)
    y = (rng.random(20_000) < p).astype(np.int8)
    points = np.array(metrics.roc_points(y, p))

    assert 150 < len(points) <= 200
    assert float(np.trapezoid(points[:, 1], points[:, 0])) == pytest.approx(metrics.auc(y, p), abs=1e-3)


def test_calibrated_scores_lie_on_the_line_and_exaggerated_ones_have_a_slope_below_one():
    rng = np.random.default_rng(5)
    odds = rng.normal(-1, 1, 200_000)
    y = (rng.random(200_000) < 1 / (1 + np.exp(-odds))).astype(np.int8)

    slope, intercept = metrics.calibration_line(y, 1 / (1 + np.exp(-odds)))
    exaggerated, _ = metrics.calibration_line(y, 1 / (1 + np.exp(-2 * odds)))

    assert slope == pytest.approx(1, abs=0.03)
    assert intercept == pytest.approx(0, abs=0.03)
    assert exaggerated == pytest.approx(0.5, abs=0.015)


@pytest.mark.parametrize(
    ("y", "p"),
    [([0, 0], [0.1, 0.2]), ([0, 1], [0.5, 0.5]), ([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9]), ([], [])],
    ids=["one class", "one score", "separated", "no rows"],
)
def test_a_calibration_line_that_is_not_defined_is_nan(y, p):
    slope, intercept = metrics.calibration_line(np.array(y, dtype=np.int8), np.array(p, dtype=float))

    assert np.isnan(slope)
    assert np.isnan(intercept)


def test_every_metric_of_no_rows_is_nan():
    empty = np.array([])

    assert all(np.isnan(metric(empty, empty)) for metric in metrics.METRICS.values())
    assert metrics.roc_points(empty, empty) == []
    assert metrics.calibration_bins(empty, empty) == []


def test_ranking_metrics_of_one_class_are_nan():
    y, p = np.zeros(3), np.array([0.1, 0.2, 0.3])

    assert np.isnan(metrics.auc(y, p))
    assert np.isnan(metrics.average_precision(y, p))
    assert metrics.roc_points(y, p) == []


def test_a_certain_and_wrong_score_costs_a_finite_loss():
    assert metrics.log_loss(np.array([1]), np.array([0.0])) == pytest.approx(16.118, abs=1e-3)


@given(arrays(np.float32, st.integers(1, 50), elements=st.floats(0, 1, width=32)))
def test_every_score_falls_into_one_bin_of_the_histogram_one_included(p):
    assert sum(metrics.score_histogram(p)) == len(p)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_what_json_cannot_say_becomes_null(value):
    assert metrics.rounded(value) is None

from __future__ import annotations

import numpy as np
import pytest

from argosy.training.calibration import choose_calibration, daily_gain, fit_platt, log_loss, probabilities_of


def a_window(*, slope: float, intercept: float, n_days: int = 20, per_day: int = 500, seed: int = 5):
    rng = np.random.default_rng(seed)
    margins = rng.normal(-1, 1.2, n_days * per_day)
    chances = probabilities_of(margins, slope=slope, intercept=intercept)
    labels = (rng.random(len(margins)) < chances).astype(np.float32)
    days = np.repeat([f"2013-07-{day:02d}" for day in range(1, n_days + 1)], per_day)
    return margins, labels, days


def test_the_log_loss_of_a_certain_mistake_is_finite():
    assert log_loss(np.array([1], np.float32), np.array([0.0])) == pytest.approx(34.54, abs=0.01)


def test_extreme_log_odds_do_not_overflow():
    assert probabilities_of(np.array([-1e4, 0.0, 1e4])).tolist() == [0.0, 0.5, 1.0]


def test_platt_scaling_finds_the_line_that_made_the_labels():
    margins, labels, _ = a_window(slope=0.7, intercept=-0.4, per_day=5000)

    slope, intercept = fit_platt(margins, labels)

    assert (slope, intercept) == (pytest.approx(0.7, abs=0.03), pytest.approx(-0.4, abs=0.03))


def test_platt_scaling_survives_labels_that_a_line_separates():
    slope, _ = fit_platt(np.array([-2.0, -1.0, 1.0, 2.0]), np.array([0, 0, 1, 1], np.float32))

    assert np.isfinite(slope)


def test_a_calibrated_model_is_left_alone():
    margins, labels, days = a_window(slope=1.0, intercept=0.0)

    calibration, report = choose_calibration(margins, labels, days)

    assert calibration == {"kind": "none"}
    assert report["gain"] < 0.001


def test_a_biased_model_is_calibrated():
    margins, labels, days = a_window(slope=0.6, intercept=-0.8)

    calibration, report = choose_calibration(margins, labels, days)

    assert calibration["kind"] == "platt"
    assert calibration["a"] == pytest.approx(0.6, abs=0.05)
    assert report["gain"] > 0.01


def test_a_bias_of_the_first_days_alone_is_not_corrected():
    early, late = a_window(slope=1.0, intercept=-1.0, n_days=10), a_window(slope=1.0, intercept=0.0, n_days=20)
    margins, labels = (np.concatenate([early[i], late[i][5000:]]) for i in (0, 1))

    calibration, report = choose_calibration(margins, labels, late[2])

    assert calibration == {"kind": "none"}
    assert report["gain"] < 0


def test_the_error_of_a_gain_counts_days_not_rows():
    days = np.repeat(["a", "b"], 100)
    gains = np.repeat([0.0, 1.0], 100)

    assert daily_gain(gains, days) == (pytest.approx(0.5), pytest.approx(0.5))


def test_one_day_says_nothing_about_other_days():
    assert daily_gain(np.ones(10), np.repeat(["a"], 10)) == (1.0, float("inf"))

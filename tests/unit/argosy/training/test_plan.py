from __future__ import annotations

import pytest

from argosy.training.plan import SearchBudget, TrainingPlan, Window


def test_a_window_that_ends_before_it_starts_is_refused():
    with pytest.raises(ValueError, match="end must be later"):
        Window("2013-02-01", "2013-02-01")


def test_calibration_inside_the_training_window_is_refused():
    with pytest.raises(ValueError, match="inside the training window"):
        TrainingPlan(
            name="m",
            predicts="late",
            train=Window("2013-01-01", "2013-02-01"),
            calibrate=Window("2013-01-31", "2013-02-10"),
            search=SearchBudget(batch=1, folds=1),
        )


def test_a_fit_without_seeds_is_refused():
    with pytest.raises(ValueError, match="seeds 0; the final fit needs at least 1"):
        TrainingPlan(
            name="m",
            predicts="late",
            train=Window("2013-01-01", "2013-02-01"),
            calibrate=Window("2013-02-01", "2013-02-10"),
            search=SearchBudget(batch=1, folds=1),
            seeds=0,
        )

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.training.folds import time_fold
from argosy.training.plan import Window


def test_half_a_year_makes_two_folds_of_two_months():
    half = Window("2013-01-01", "2013-07-01")

    assert time_fold(half, fold=0, n_folds=2) == (
        Window("2013-01-01", "2013-03-02"),
        Window("2013-03-02", "2013-05-01"),
    )
    assert time_fold(half, fold=1, n_folds=2) == (
        Window("2013-01-01", "2013-05-01"),
        Window("2013-05-01", "2013-07-01"),
    )


@given(days=st.integers(6, 400), n_folds=st.integers(1, 5))
def test_folds_are_in_time_order_and_the_last_one_ends_with_the_window(days, n_folds):
    start = date(2013, 1, 1)
    window = Window(start.isoformat(), (start + timedelta(days=days)).isoformat())

    folds = [time_fold(window, fold=fold, n_folds=n_folds) for fold in range(n_folds)]

    assert all(train.end == scored.start for train, scored in folds)
    assert all(earlier[1].end == later[1].start for earlier, later in pairwise(folds))
    assert folds[-1][1].end == window.end


def test_a_fold_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="fold 2: allowed are 0 to 1"):
        time_fold(Window("2013-01-01", "2013-02-01"), fold=2, n_folds=2)


def test_a_window_too_short_for_its_folds_is_refused():
    with pytest.raises(ValueError, match="2 days cannot be cut into 2 folds"):
        time_fold(Window("2013-01-01", "2013-01-03"), fold=0, n_folds=2)

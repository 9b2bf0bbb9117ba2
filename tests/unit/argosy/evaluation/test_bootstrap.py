import doctest

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.errors import BadInput
from argosy.evaluation import bootstrap, metrics
from argosy.evaluation.bootstrap import block_sums, draw_blocks, interval, pairwise_wins, statistics


def labelled_days(seed, n_days=6, n_rows=60):
    rng = np.random.default_rng(seed)
    days = np.concatenate([np.arange(n_days), rng.integers(0, n_days, n_rows - n_days)])
    p = rng.integers(1, 20, n_rows) / 20
    return (rng.random(n_rows) < p).astype(np.int8), p, days


def test_the_examples_in_the_docstrings_hold():
    assert doctest.testmod(bootstrap).failed == 0


@given(st.integers(0, 1000), st.lists(st.integers(0, 3), min_size=6, max_size=6).filter(any))
def test_a_resample_has_the_metrics_of_its_rows_repeated(seed, counts):
    y, p, days = labelled_days(seed)
    rows = np.concatenate([np.flatnonzero(days == day) for day in range(6) for _ in range(counts[day])])

    resampled = statistics(np.array([counts]), block_sums(y, p, days, 6))

    for name in ("log_loss", "brier", "auc"):
        expected = metrics.METRICS[name](y[rows], p[rows])
        assert resampled[name][0] == pytest.approx(expected, abs=1e-9, nan_ok=True), name


@given(st.integers(0, 1000))
def test_the_wins_of_all_pairs_of_days_add_up_to_the_auc(seed):
    y, p, days = labelled_days(seed)
    n_pairs = y.sum() * (len(y) - y.sum())

    assert pairwise_wins(y, p, days, 6).sum() / n_pairs == pytest.approx(metrics.auc(y, p), abs=1e-12)


def test_every_resample_draws_as_many_days_as_there_are():
    counts = draw_blocks(n_blocks=8, n_resamples=500, seed=1)

    assert counts.shape == (500, 8)
    assert (counts.sum(axis=1) == 8).all()
    assert counts.mean() == pytest.approx(1)


def test_the_same_seed_draws_the_same_days():
    first, again, other = (draw_blocks(n_blocks=9, n_resamples=20, seed=seed) for seed in (1, 1, 2))

    assert (first == again).all()
    assert (first != other).any()


def test_a_resample_without_positives_has_no_auc_and_does_not_spoil_the_interval():
    y, p, days = np.array([1, 0, 0, 0]), np.array([0.9, 0.1, 0.2, 0.3]), np.array([0, 0, 1, 1])
    values = statistics(np.array([[1, 1], [0, 2]]), block_sums(y, p, days, 2))["auc"]

    assert values[0] == 1
    assert np.isnan(values[1])
    assert interval(values) == (1, 1)
    assert np.isnan(interval(values[1:])).all()


def test_days_that_err_together_widen_the_interval():
    rng = np.random.default_rng(2)
    day_effect = np.repeat(rng.normal(0, 1, 40), 50)
    y = (rng.random(2000) < 1 / (1 + np.exp(1 - day_effect))).astype(np.int8)
    p = np.full(2000, 0.3)
    days, shuffled = np.repeat(np.arange(40), 50), rng.permutation(np.repeat(np.arange(40), 50))
    counts = draw_blocks(n_blocks=40, n_resamples=2000, seed=0)

    by_day, by_chance = (
        np.ptp(interval(statistics(counts, block_sums(y, p, blocks, 40))["brier"])) for blocks in (days, shuffled)
    )

    assert by_day > 2 * by_chance


def test_more_blocks_than_fit_into_memory_are_refused():
    rows = np.arange(6000)

    with pytest.raises(BadInput, match=r"6000 blocks to resample, at most 5000 are allowed"):
        block_sums(rows % 2, np.full(6000, 0.5), rows, 6000)

from __future__ import annotations

import numpy as np
import pytest

from argosy.errors import BadInput
from argosy.training.parity import check_parity, parity_rows, require_parity


def test_rows_come_from_the_training_range_and_half_of_them_miss_cells_besides():
    matrix = np.random.default_rng(1).uniform(5, 6, (300, 4)).astype(np.float32)

    rows = parity_rows(matrix, seed=2)

    assert rows.shape == (10_000, 4)
    assert np.isin(rows[:5000], matrix).all()
    assert np.isnan(rows[5000:]).mean() == pytest.approx(0.1, abs=0.01)
    assert np.isfinite(matrix).all()


def test_equal_predictions_pass():
    expected = np.linspace(0, 1, 10_000)

    parity = check_parity(expected=expected, got=expected.astype(np.float32))

    assert parity["flips"] == 0
    require_parity(parity)


def test_a_difference_is_refused_with_its_numbers():
    expected = np.full(10_000, 0.49)
    got = expected.astype(np.float32)
    got[:3] = 0.51

    with pytest.raises(BadInput, match=r"differs .* by 0\.02 with 3 decision flips on 10000 rows"):
        require_parity(check_parity(expected=expected, got=got))


def test_rounding_at_the_threshold_is_no_flip():
    parity = check_parity(expected=np.array([0.5]), got=np.array([0.49999997], np.float32))

    assert parity["flips"] == 0


def test_a_nan_is_the_largest_difference():
    parity = check_parity(expected=np.array([0.5]), got=np.array([np.nan], np.float32))

    assert parity["max_difference"] == float("inf")


def test_too_few_rows_are_no_proof():
    with pytest.raises(BadInput, match="on at least 10000"):
        require_parity({"n_rows": 10, "max_difference": 0.0, "flips": 0})

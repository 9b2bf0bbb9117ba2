import numpy as np
import pyarrow as pa
import pytest

from argosy.evaluation.baseline import PRIOR_ROWS, cell_codes, table_scores
from argosy.evaluation.cases import TableKey


def test_without_keys_every_row_gets_the_overall_rate():
    scores = table_scores((), pa.table({"a": [1, 2, 3, 4]}), np.array([1, 0, 0, 0]), pa.table({"a": [9, 9]}))

    assert scores.tolist() == [0.25, 0.25]


def test_a_cell_has_its_own_rate_shrunk_towards_the_overall_one_and_an_unseen_cell_gets_that():
    earlier = pa.table({"carrier": ["AA"] * 80 + ["B6"] * 20})
    y = np.array([1] * 40 + [0] * 60)
    scores = table_scores([TableKey("carrier")], earlier, y, pa.table({"carrier": ["AA", "B6", "OO", None]}))

    aa = (40 + PRIOR_ROWS * 0.4) / (80 + PRIOR_ROWS)
    b6 = (0 + PRIOR_ROWS * 0.4) / (20 + PRIOR_ROWS)
    assert scores == pytest.approx([aa, b6, 0.4, 0.4])


def test_numbers_are_binned_by_width_and_null_is_a_cell_of_its_own():
    table = pa.table({"minute": pa.array([0, 59, 60, 119.5, None, None], pa.float32()), "origin": list("AAAABB")})

    by_hour = cell_codes([TableKey("minute", width=60)], table, n_rows=6)
    by_both = cell_codes([TableKey("minute", width=60), TableKey("origin")], table, n_rows=6)

    assert [len(set(by_hour[rows])) for rows in (slice(0, 2), slice(2, 4), slice(4, 6), slice(0, 6))] == [1, 1, 1, 3]
    assert len(set(by_both)) == 3

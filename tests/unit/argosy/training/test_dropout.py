from __future__ import annotations

import numpy as np
import pytest

from argosy.training.dropout import drop_groups, droppable_columns

SCHEMA = {
    "features": [{"group": "schedule"}, {"group": "weather"}, {"group": "now"}, {"group": "weather"}],
    "groups": [
        {"name": "schedule", "droppable": False},
        {"name": "weather", "droppable": True},
        {"name": "now", "droppable": True},
    ],
}


def test_a_group_is_blanked_as_a_whole_in_about_its_share_of_the_rows():
    matrix = np.ones((20_000, 4), dtype=np.float32)

    blank = np.isnan(drop_groups(matrix, columns=[[1, 3], [2]], share=0.1, seed=1))

    assert not blank[:, 0].any()
    assert (blank[:, 1] == blank[:, 3]).all()
    assert blank.mean(axis=0)[1:] == pytest.approx(0.1, abs=0.01)
    assert (blank[:, 1] & blank[:, 2]).mean() == pytest.approx(0.01, abs=0.003)


def test_the_draw_depends_on_the_seed_alone_and_leaves_its_input_as_it_was():
    matrix = np.ones((500, 2), dtype=np.float32)

    once, again, other = (drop_groups(matrix, columns=[[0], [1]], share=0.3, seed=s) for s in (1, 1, 2))

    np.testing.assert_array_equal(once, again)
    assert not np.array_equal(np.isnan(once), np.isnan(other))
    assert np.isfinite(matrix).all()


def test_only_groups_that_can_expire_are_droppable():
    assert droppable_columns(SCHEMA) == [[1, 3], [2]]

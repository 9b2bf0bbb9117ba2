from __future__ import annotations

import json
import math

import pytest

from argosy.training.whole import whole_numbers


def test_whole_floats_become_ints_inside_objects_too():
    got = whole_numbers({"fold": 1.0, "params": {"max_depth": 6.0, "subsample": 0.8}})

    assert json.dumps(got) == '{"fold": 1, "params": {"max_depth": 6, "subsample": 0.8}}'


@pytest.mark.parametrize("value", ["1.0", True, None, 7, 0.5, math.inf])
def test_any_other_value_stays_what_it_is(value):
    assert whole_numbers(value) is value


def test_what_is_not_a_number_stays_that():
    assert math.isnan(whole_numbers({"log_loss": math.nan})["log_loss"])

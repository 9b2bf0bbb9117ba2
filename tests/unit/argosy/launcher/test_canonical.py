import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.launcher.canonical import canonical_json, digest_of, normal_json

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_canonical_json_reads_back_as_the_same_value(value):
    assert json.loads(canonical_json(value)) == value


def test_the_order_of_names_is_no_part_of_a_digest():
    assert digest_of({"a": 1, "b": 2}) == digest_of({"b": 2, "a": 1})


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_number_that_json_cannot_carry_is_refused(number):
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json({"metrics": [number]})


@given(JSON)
def test_normalising_twice_changes_nothing_more(value):
    assert normal_json(normal_json(value)) == normal_json(value) == value


def test_equal_numbers_have_one_form_at_any_depth():
    assert canonical_json(normal_json({"a": [3.0, {"b": -0.0}]})) == b'{"a":[3,{"b":0}]}'


def test_a_float_beyond_exact_integers_stays_one():
    assert isinstance(normal_json(2.0**60), float)

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.features.visibility import judge
from tests.fakes.features import a_request, a_row, a_view, visible

TTL = 60


@pytest.mark.parametrize(
    ("event", "status"),
    [
        (None, "NOT_FOUND"),
        (101, "NOT_FOUND"),
        (100, "PRESENT"),
        (40, "PRESENT"),
        (39, "OUTSIDE_MAX_AGE"),
    ],
)
def test_a_row_counts_from_its_instant_to_its_ttl_both_inclusive(event, status):
    assert judge(event, 100, TTL, [1.0]) == status


def test_without_a_ttl_a_row_never_ages():
    assert judge(-(2**62), 2**62, None, [1.0]) == "PRESENT"


def test_a_ttl_of_zero_microseconds_is_no_forever():
    assert judge(99, 100, 0, [1.0]) == "OUTSIDE_MAX_AGE"
    assert judge(100, 100, 0, [1.0]) == "PRESENT"


@pytest.mark.parametrize(
    ("values", "status"),
    [([None, None], "NULL_VALUE"), ([None, 0.0], "PRESENT"), ([], "NULL_VALUE"), ([""], "PRESENT")],
)
def test_a_row_without_any_value_is_a_null(values, status):
    assert judge(100, 100, TTL, values) == status


@given(event=st.integers(-200, 200), at=st.integers(-200, 200), ttl=st.none() | st.integers(1, 200), null=st.booleans())
def test_the_rule_is_the_one_that_retrieval_is_held_to(event, at, ttl, null):
    view, row = a_view(ttl_us=ttl), a_row(known_at=event, v=None if null else 1.0)
    status, _, _ = visible(view, [row], a_request(t0=at))

    assert judge(event, at, ttl, [row["v"]]) == status

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.errors import BadInput
from argosy.features.instants import instant_text, instant_us


@pytest.mark.parametrize(
    ("text", "at_us"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2013-06-15T12:00:00.000001+00:00", 1_371_297_600_000_001),
        ("2013-11-03T01:30:00-04:00", 1_383_456_600_000_000),
        ("2013-11-03T01:30:00-05:00", 1_383_460_200_000_000),
        ("1969-12-31T23:59:59.999999Z", -1),
    ],
)
def test_an_instant_is_read_to_the_microsecond_in_its_zone(text, at_us):
    assert instant_us(text) == at_us


@pytest.mark.parametrize("text", ["2013-06-15T12:00:00", "2013-06-15", "noon", "", None, 5])
def test_what_names_no_instant_is_refused_with_an_example(text):
    with pytest.raises(BadInput, match="write one like 2013-06-15T12:00:00Z"):
        instant_us(text)


@given(st.integers(-(2**50), 2**53))
def test_an_instant_is_read_as_it_was_written(at_us):
    assert instant_us(instant_text(at_us)) == at_us

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.errors import Mistake
from argosy.spec.model import Parameter
from argosy.spec.values import typed, typed_for, with_whole_numbers

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


def as_protobuf(value):
    """Return a value as it looks after protocol buffers: every number a double."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, int):
        return float(value)
    if isinstance(value, list):
        return [as_protobuf(item) for item in value]
    return {key: as_protobuf(item) for key, item in value.items()}


@given(JSON)
def test_whole_numbers_survive_protocol_buffers(value):
    # Equal, of equal types, whatever the order of names.
    assert json.dumps(with_whole_numbers(as_protobuf(value), "p"), sort_keys=True) == json.dumps(value, sort_keys=True)


@pytest.mark.parametrize(
    ("value", "type_", "result"),
    [
        (3.0, "NUMBER_INTEGER", 3),
        (3, "NUMBER_DOUBLE", 3.0),
        (0.5, "NUMBER_DOUBLE", 0.5),
        ("3.0", "STRING", "3.0"),
        (True, "BOOLEAN", True),
        ([1.0, [2.0]], "LIST", [1, [2]]),
        ({"a": 1.0}, "STRUCT", {"a": 1}),
    ],
)
def test_a_value_arrives_as_its_type_has_it(value, type_, result):
    assert repr(typed(value, type_, "p")) == repr(result)


@pytest.mark.parametrize(
    ("value", "type_", "message"),
    [
        (3.5, "NUMBER_INTEGER", r"p: got 3\.5; a whole number \(NUMBER_INTEGER\) is needed here"),
        (True, "NUMBER_INTEGER", "p: got true; a whole number"),
        (True, "NUMBER_DOUBLE", "p: got true; a finite number"),
        (1, "BOOLEAN", "p: got 1; true or false"),
        (1, "STRING", "p: got 1; a text"),
        ({}, "LIST", "p: got {}; a list"),
        ([], "STRUCT", r"p: got \[\]; an object"),
        ({"a": [float("inf")]}, "STRUCT", r"p\.a\[0\]: got inf; JSON has no such number"),
        (None, "STRING", "p: got null; a text"),
        ({"a": "\ud800"}, "STRUCT", r'p\.a: got "\\ud800"; UTF-8 has no half of a surrogate pair'),
    ],
)
def test_a_value_of_another_type_is_refused(value, type_, message):
    with pytest.raises(Mistake, match=message):
        typed(value, type_, "p")


def test_null_is_for_optional_parameters():
    assert typed_for(Parameter("a", "STRING", optional=True), None, "p") is None
    with pytest.raises(Mistake, match="got null"):
        typed_for(Parameter("a", "STRING"), None, "p")


def test_literals_are_all_that_is_allowed():
    parameter = Parameter("profile", "STRING", literals=("year", "month"))

    assert typed_for(parameter, "month", "p") == "month"
    with pytest.raises(Mistake, match='p: got "day"; allowed: "year", "month"'):
        typed_for(parameter, "day", "p")

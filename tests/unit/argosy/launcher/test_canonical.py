import json
import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.launcher.canonical import (
    DEEPEST,
    canonical_json,
    digest_of,
    fault_of,
    normal_json,
    unsubstituted_json,
)
from tests.fakes.argo_pod import expanded

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


@given(JSON)
def test_text_that_is_not_substituted_reads_back_as_the_same_value(value):
    text = unsubstituted_json(value)

    assert json.loads(text) == value
    assert "{{" not in text
    assert expanded(text, {}) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("{{x}}", r'"\u007b\u007bx}}"'),
        ("$(HOME) $$ $x $", r'"\u0024(HOME) \u0024$ $x $"'),
        ("a\x7f", r'"a\u007f"'),
        ("\U000e0067", r'"\udb40\udc67"'),
        ("é 漢 \u2028", '"é 漢 \u2028"'),
    ],
)
def test_what_argo_would_break_is_escaped_and_the_rest_stays_readable(value, text):
    assert unsubstituted_json(value) == text


def within_lists(depth):
    value = []
    for _ in range(depth - 1):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ({"a": [1, math.inf]}, ".a[1]: got inf; JSON has no such number"),
        (["\ud800x"], r'[0]: got "\ud800x"; UTF-8 has no half of a surrogate pair'),
        ({"a": {"\udfff": 1}}, r'.a: got "\udfff"; UTF-8 has no half'),
        (within_lists(DEEPEST + 1), ": got more than 100 lists or objects within each other"),
        (within_lists(5000), ": got more than 100 lists or objects within each other"),
    ],
)
def test_what_json_cannot_carry_is_named_with_its_place(value, fault):
    assert fault_of(value).startswith(fault)


@given(JSON)
def test_what_json_can_carry_has_no_fault(value):
    assert fault_of(value) is None
    assert fault_of(within_lists(DEEPEST)) is None


def test_a_float_beyond_exact_integers_stays_one():
    assert isinstance(normal_json(2.0**60), float)


@pytest.mark.parametrize("text", ["{{x}}", "\x7f", "\U000e0001 \U0001f600", "é\u2028"])
def test_text_for_an_orchestrator_holds_what_it_held(text):
    found = unsubstituted_json([text])

    assert json.loads(found) == [text]
    assert not re.search("{{|\x7f|[\U00010000-\U0010ffff]", found)

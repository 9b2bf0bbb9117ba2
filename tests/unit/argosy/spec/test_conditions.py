import pytest

from argosy.errors import Mistake
from argosy.spec.conditions import channel_names, evaluate, read_expression
from argosy.spec.model import Condition

TYPES = {
    "text": "STRING",
    "whole": "NUMBER_INTEGER",
    "real": "NUMBER_DOUBLE",
    "flag": "BOOLEAN",
    "items": "LIST",
}
VALUES = {"text": "heads", "whole": 7, "real": 0.5, "flag": True}


def ch(name):
    return f"inputs.parameter_values['{name}']"


def holds(text, values=VALUES):
    return evaluate(Condition(text, read_expression(text, TYPES, "place"), {}), values)


@pytest.mark.parametrize(
    ("text", "result"),
    [
        (f"{ch('text')} == 'heads'", True),
        (f"{ch('text')} != 'heads'", False),
        (f"'tails' == {ch('text')}", False),
        (f"{ch('text')} < 'i'", True),
        (f"int({ch('whole')}) > 5", True),
        (f"int({ch('whole')}) <= 5", False),
        (f"int({ch('whole')}) >= int({ch('whole')})", True),
        (f"int({ch('whole')}) == -7", False),
        (f"double(int({ch('whole')})) > {ch('real')}", True),
        (f"{ch('real')} < double(1)", True),
        (f"{ch('real')} == 5e-1", True),
        (f"{ch('real')} == .5", True),
        (f"int({ch('real')}) == 0", True),
        (f"{ch('flag')} == true", True),
        (f"{ch('flag')} == false", False),
        (f"!({ch('text')} == 'heads')", False),
        (f"!({ch('text')} == 'tails') && {ch('text')} == 'heads'", True),
        (f"!({ch('text')} == 'tails') && !({ch('flag')} == true)", False),
        (f"({ch('flag')} == true && int({ch('whole')}) == 7)", True),
        (f"  {ch('text')}\n  == 'heads' ", True),
        (f"{ch('text')} == ''", False),
        (f"{ch('text')} == 'a && b'", False),
    ],
)
def test_a_condition_of_kfp_is_decided(text, result):
    assert holds(text) is result


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{ch('flag')} == 1", "place: a truth value is compared with a number; compare values of one type"),
        (f"int({ch('whole')}) == true", "place: a number is compared with a truth value"),
        (f"{ch('text')} == 5", "place: a text is compared with a number"),
        (f"{ch('text')} == true", "place: a text is compared with a truth value"),
        (f"{ch('items')} == 'a'", "place: 'items' is a LIST; only numbers, texts and bools compare"),
        (f"{ch('other')} == 'a'", "place: 'other' is not an input; inputs here: text, whole"),
        (f"int({ch('flag')}) == 1", r"place: 'flag' is a bool, which has no int\(\)"),
    ],
)
def test_values_of_two_types_are_not_compared(text, message):
    with pytest.raises(Mistake, match=f"^{message}"):
        read_expression(text, TYPES, "place")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "whole is None; a number, text or truth value is needed"),
        ({"whole": [1]}, r"whole is \[1\]"),
        ({"whole": "seven"}, r"int\('seven'\) is no number"),
    ],
)
def test_a_value_that_does_not_fit_is_a_mistake_when_it_is_decided(values, message):
    with pytest.raises(Mistake, match=message):
        holds(f"int({ch('whole')}) == 7", values)


def test_a_value_of_another_type_than_declared_is_found_when_it_is_decided():
    with pytest.raises(Mistake, match="got 1 and True, which do not compare"):
        holds(f"{ch('flag')} == true", {"flag": 1})


def test_a_conjunction_stops_at_the_first_that_does_not_hold():
    assert holds(f"{ch('text')} == 'tails' && int({ch('whole')}) == 1", {"text": "heads"}) is False


def test_channels_are_named_once_and_sorted():
    expression = read_expression(f"{ch('whole')} == 1 && {ch('real')} > {ch('whole')}", TYPES, "place")

    assert channel_names(expression) == ["real", "whole"]

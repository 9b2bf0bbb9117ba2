import pytest

from argosy.errors import Mistake
from argosy.spec.cel import parse_expression
from argosy.spec.model import ChannelOperand, Comparison, Conjunction, LiteralOperand, Negation

TEXT = "inputs.parameter_values['text']"
QUOTE = "; kfp cannot write a text that holds a quote, a backslash or a line break into a condition"
OTHER_TYPE = "; kfp writes this for a bool or a number that is compared with a text: compare values of one type"


def test_a_condition_of_an_else_branch_becomes_a_tree():
    text = f"!({TEXT} == 'a') && double(int(inputs.parameter_values['n'])) <= double(2)"

    assert parse_expression(text, "place") == Conjunction(
        (
            Negation(Comparison("==", ChannelOperand("text"), LiteralOperand("a"))),
            Comparison("<=", ChannelOperand("n", ("int", "double")), LiteralOperand(2.0)),
        )
    )


@pytest.mark.parametrize(
    ("literal", "value"), [("-7", -7), ("5.0", 5.0), ("1e+20", 1e20), ("true", True), ("'true'", "true"), ("''", "")]
)
def test_a_literal_keeps_its_type(literal, value):
    right = parse_expression(f"{TEXT} == {literal}", "place").right

    assert repr(right) == repr(LiteralOperand(value))


@pytest.mark.parametrize(
    ("text", "rest", "hint"),
    [
        (f"{TEXT} == 'it's'", "s'", QUOTE),
        (f"{TEXT} == 'a\\b'", "'a\\b'", QUOTE),
        (f"{TEXT} == 'a\nb'", "'a\nb'", QUOTE),
        (f"'{TEXT}' == 'true'", "text']' == 'true'", OTHER_TYPE),
        ("'int(inputs.parameter_values['n'])' == '1'", "n'])' == '1'", OTHER_TYPE),
        (f"{TEXT} == 'a' || true == true", "|| true == true", ""),
        (TEXT, "", ""),
        (f"({TEXT} == 'a' ", "", ""),
        (f"!{TEXT} == 'a'", "inputs.parameter_values['text'] == 'a'", ""),
        ("size(1) == 1", "size(1) == 1", ""),
        ("nan == 1", "nan == 1", ""),
        ("true == true)", ")", ""),
        ("", "", ""),
    ],
)
def test_what_is_outside_the_grammar_is_refused_with_the_rest_and_the_reason(text, rest, hint):
    with pytest.raises(Mistake) as caught:
        parse_expression(text, "place")

    assert str(caught.value) == f"place: cannot read {rest!r} in {text!r}{hint}"

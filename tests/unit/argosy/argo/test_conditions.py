import pytest

from argosy.argo.conditions import when
from argosy.argo.expressions import Reader
from argosy.argo.scopes import read_scopes
from argosy.errors import Unsupported
from argosy.spec.cel import parse_expression
from argosy.spec.conditions import channel_names, evaluate
from argosy.spec.model import Condition, Constant, FieldOf, PipelineInput, TaskOutput, Template
from tests.fakes import argo_expressions
from tests.fakes.plans import a_plan, a_task

CODE = "def step():\n    return 1\n"


def condition(text, **channels):
    expression = parse_expression(text, "here")
    return Condition(text, expression, channels or dict.fromkeys(channel_names(expression), PipelineInput("v")))


def reader(**declared):
    return Reader(read_scopes(a_plan(a_task("made", CODE, declared=declared))), "t", (), frozenset({"made"}))


def holds(text, given):
    """Say whether Argo would find a condition to hold."""
    found = when([condition(text)], reader())
    return argo_expressions.evaluate(found[4:-3], {"workflow": {"parameters": {"v": given}}})


V = "inputs.parameter_values['v']"


@pytest.mark.parametrize(
    ("text", "given", "value"),
    [
        (f"{V} == 3", "3", 3),
        (f"{V} == 3", "4", 4),
        (f"int({V}) >= 3", "3", 3),
        (f"int({V}) > 3", '"5"', "5"),
        (f"double({V}) < 0.5", "0.25", 0.25),
        (f"{V} == 'heads'", '"heads"', "heads"),
        (f"{V} != 'it is \"}}}}\"'", '"x"', "x"),
        (f"{V} == true", "true", True),
        (f"!({V} == true)", "true", True),
        (f"!({V} == 'a') && {V} != 'b'", '"c"', "c"),
        (f"!({V} == 'a') && {V} != 'b'", '"b"', "b"),
    ],
)
def test_argo_decides_as_this_machine_does(text, given, value):
    assert holds(text, given) is evaluate(condition(text), {"v": value})


def test_no_conditions_are_no_field():
    assert when([], reader()) is None


def test_several_conditions_are_joined_each_in_parentheses():
    made = TaskOutput("made", "Output")

    text = when([condition(f"{V} == 1", v=made), condition(f"{V} > 0", v=made)], reader())

    output = 'fromJSON(tasks["made"].outputs.parameters["Output"])'
    assert text == f"{{{{= ({output} == 1) && ({output} > 0) }}}}"


def test_of_a_measurement_the_value_compares():
    text = when([condition(f"{V} < 2", v=TaskOutput("made", "Output"))], reader(measurements=("Output",)))

    measured = {"made": {"outputs": {"parameters": {"Output": '{"argosy":"measured","of":["k","o"],"value":"1.5"}'}}}}
    assert argo_expressions.evaluate(text[4:-3], {"tasks": measured}) is True


@pytest.mark.parametrize("given", ['{"a": 1}', '"{\\"a\\": 1}"'])
def test_a_field_of_an_object_or_of_its_text_compares(given):
    text = when([condition(f"{V} == 1", v=FieldOf(PipelineInput("v"), "a"))], reader())

    assert argo_expressions.evaluate(text[4:-3], {"workflow": {"parameters": {"v": given}}}) is True


def test_a_constant_compares():
    assert when([condition(f"{V} == 'x'", v=Constant("x"))], reader()) == '{{= "x" == "x" }}'


def test_a_text_made_of_values_is_refused():
    with pytest.raises(
        Unsupported, match=r"^tasks\.t\.triggerPolicy\.condition: condition \(a text made of values\): cannot"
    ):
        when([condition(f"{V} == 'x'", v=Template("{{$.pipeline_job_name}}", {}))], reader())

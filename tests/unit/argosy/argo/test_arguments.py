import pytest

from argosy.argo.arguments import argument_text, parameters
from argosy.errors import Unsupported
from argosy.spec.read import read_pipeline
from tests.fakes.argo_specs import ITEM, a_dag, a_loop, a_parameter, a_task, outer, pipeline, when

ROUND = a_dag({"say": a_task("comp-say", text=outer(ITEM))}, inputs={ITEM: a_parameter(), "items": a_parameter("LIST")})
LOOPED = pipeline(
    {"loop": a_loop("comp-round", {"inputParameter": "items"}, items=outer("items"))},
    parameters={"items": a_parameter("LIST")},
    round=ROUND,
)
COMPARED = pipeline(
    {"branch": when(a_task("comp-branch", n=outer("n")), "int(inputs.parameter_values['n']) > 3")},
    parameters={"n": a_parameter("NUMBER_INTEGER")},
    branch=a_dag({"count": a_task("comp-count", n=outer("n"))}, inputs={"n": a_parameter("NUMBER_INTEGER")}),
)


def text(spec, name, value):
    return argument_text(name, value, read_pipeline(spec))


def test_a_value_that_only_passes_may_be_any():
    spec = pipeline({"say": a_task("comp-say", text=outer("text"))}, parameters={"text": a_parameter()})

    assert text(spec, "text", "{{\U000e0067") == r'"\u007b\u007b\udb40\udc67"'


@pytest.mark.parametrize("value", [[2**53, 0.1, -1e15], ["{{x}}", {"a": "é"}], []])
def test_items_that_argo_writes_as_they_are_may_be_looped_over(value):
    assert text(LOOPED, "items", value)


@pytest.mark.parametrize("value", [[2**53 + 1], [[{"a": 1e20}]], ["\x7f"], ["England: \U000e0067"], [{"😀": 1}]])
def test_items_that_argo_would_write_anew_are_refused(value):
    message = r"^parameter 'items': value that Argo would change \(\[.*, items of a loop\): .*; give large numbers as"

    with pytest.raises(Unsupported, match=message):
        text(LOOPED, "items", value)


def test_a_number_in_a_condition_is_refused_where_argo_would_compare_another_one():
    assert text(COMPARED, "n", 2**53) == "9007199254740992"

    with pytest.raises(Unsupported, match=r"^parameter 'n': value that Argo would change \(9007199254740993, in a co"):
        text(COMPARED, "n", 2**53 + 1)


def test_a_default_is_refused_as_a_given_value_is():
    spec = {**LOOPED, "root": {**LOOPED["root"], "inputDefinitions": {"parameters": {
        "items": a_parameter("LIST", defaultValue=[2**60], isOptional=True)}}}}  # fmt: skip

    with pytest.raises(Unsupported, match=r"^parameter 'items': value that Argo would change"):
        parameters(read_pipeline(spec))


@pytest.mark.parametrize("name", ["a.b", "a b", "{{a}}", "é", "a\n"])
def test_a_name_that_argo_does_not_take_is_refused(name):
    spec = pipeline({"say": a_task("comp-say", text=outer(name))}, parameters={name: a_parameter()})

    with pytest.raises(Unsupported, match=r"^root\.inputDefinitions: name of an input or output .*; rename it"):
        parameters(read_pipeline(spec))

import json

import pytest

from argosy.argo.expressions import Reader, as_argument, as_expression, pieces_of, quoted
from argosy.argo.scopes import read_scopes
from argosy.spec.model import (
    Constant,
    FieldOf,
    FinalStatus,
    FirstOf,
    PipelineInput,
    RunValue,
    TaskOutput,
    Template,
)
from tests.fakes.argo_expressions import evaluate
from tests.fakes.plans import a_plan, a_task

CODE = "def step():\n    return 1\n"
MADE, OTHER = TaskOutput("made", "Output"), TaskOutput("other", "Output")


def reader(*sure):
    return Reader(read_scopes(a_plan(a_task("made", CODE), a_task("other", CODE))), "reader", (), frozenset(sure))


def argument(source, *sure):
    return as_argument(pieces_of(source, reader(*sure)))


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (Constant({"a": [1, "{{x}}"]}), r'{"a":[1,"\u007b\u007bx}}"]}'),
        (PipelineInput("rows"), "{{workflow.parameters.rows}}"),
        (MADE, "{{tasks.made.outputs.parameters.Output}}"),
        (OTHER, '{{=(tasks["other"].outputs?.parameters?.["Output"] ?? "")}}'),
        (RunValue("pipeline_job_name"), '"{{workflow.name}}"'),
        (RunValue("pipeline_task_name"), '"reader"'),
        (RunValue("pipeline_root"), '""'),
        (
            FieldOf(MADE, "a"),
            '{"argosy":"field","name":"a","of":{{=toJson(tasks["made"].outputs.parameters["Output"])}}}',
        ),
        (FieldOf(Constant({"a": 1}), "a"), r'{"argosy":"field","name":"a","of":"{\"a\":1}"}'),
        (
            FinalStatus("body", ("made", "other")),
            '{"argosy":"status","name":"body","states":["{{tasks.made.status}}","{{tasks.other.status}}"],'
            '"run":"{{workflow.name}}"}',
        ),
    ],
)
def test_a_source_becomes_the_text_of_an_argument(source, text):
    assert argument(source, "made") == text


def test_a_text_of_values_holds_each_as_a_text():
    template = Template("{{$.inputs.parameters['n']}}!", {"n": MADE})

    assert argument(template, "made") == (
        r"""{"argosy":"text","value":"\u007b\u007b$.inputs.parameters['n']}}!","channels":{"n":"""
        '{{=toJson(tasks["made"].outputs.parameters["Output"])}}}}'
    )


@pytest.mark.parametrize(("made", "other", "first"), [("1", None, "1"), (None, "2", "2"), (None, None, "")])
def test_the_first_of_several_is_the_first_that_is_there(made, other, first):
    text = as_expression(pieces_of(FirstOf((MADE, OTHER)), reader()))
    outputs = {
        name: {"outputs": {"parameters": {"Output": value}}} if value else {}
        for name, value in (("made", made), ("other", other))
    }

    assert evaluate(text, {"tasks": outputs}) == first


@pytest.mark.parametrize("text", ["a", '"', "\\", "{{x}}", "é\n\u2028", "\\u007b"])
def test_a_quoted_text_is_itself_and_has_no_braces(text):
    assert evaluate(quoted(text), {}) == text
    assert "{" not in quoted(text)
    assert "}" not in quoted(text)


def test_an_argument_and_its_expression_say_the_same():
    source = FieldOf(MADE, "a")
    variables = {"tasks": {"made": {"outputs": {"parameters": {"Output": '{"a":1}'}}}}}

    said = evaluate(as_expression(pieces_of(source, reader("made"))), variables)

    assert json.loads(said) == {"argosy": "field", "name": "a", "of": '{"a":1}'}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pipeline_job_name", '"{{workflow.name}}"'),
        ("pipeline_task_name", '"reader"'),
        ("pipeline_task_uuid", '"{{workflow.uid}}-"'),
        ("workspace_path", '"/kfp-workspace/{{workflow.name}}"'),
    ],
)
def test_names_of_the_run_are_variables_of_the_workflow(name, text):
    assert argument(RunValue(name)) == text

"""Arguments of programs are filled in as Kubeflow fills them in."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.errors import Mistake
from argosy.launcher.placeholders import fill_run, render_argv

GIVEN = {
    "inputs": {
        "parameterValues": {"text": "it's", "number": 3, "list": [1, "é"], "none": None, "empty": "", "no": False},
        "artifacts": {"data": {"artifacts": [{"name": "data", "uri": "/in/data", "metadata": {"rows": 5}}]}},
    },
    "outputs": {
        "parameters": {"sum": {"outputFile": "/out/sum"}},
        "artifacts": {"model": {"artifacts": [{"name": "model", "uri": "/out/model", "metadata": {}}]}},
        "outputFile": "/out/executor_output.json",
    },
}


@pytest.mark.parametrize(
    ("word", "rendered"),
    [
        ("plain", "plain"),
        ("{{$.inputs.parameters['text']}}", "it's"),
        ('{{$.inputs.parameters["text"]}}', "it's"),
        ("--n={{$.inputs.parameters['number']}}!", "--n=3!"),
        ("{{$.inputs.parameters['list']}}", '[1, "é"]'),
        ("{{$.inputs.parameters['no']}}", "false"),
        ("{{$.inputs.parameters['none']}}", "null"),
        ("{{$.inputs.parameters['nobody']}}", "null"),
        ("{{$.inputs.artifacts['data'].path}} {{$.inputs.artifacts['data'].uri}}", "/in/data /in/data"),
        ("{{$.inputs.artifacts['data'].metadata['rows']}}", "5"),
        ("{{$.inputs.artifacts['data'].metadata}}", '{"rows": 5}'),
        ("{{$.inputs.artifacts['data']}}", json.dumps(GIVEN["inputs"]["artifacts"]["data"]["artifacts"])),
        ("{{$.outputs.artifacts['model'].path}}", "/out/model"),
        ("{{$.outputs.parameters['sum'].output_file}}", "/out/sum"),
        ("{{$}}", json.dumps(GIVEN, ensure_ascii=False)),
    ],
)
def test_a_placeholder_becomes_what_it_stands_for(word, rendered):
    assert render_argv([word], GIVEN) == [rendered]


def test_if_present_takes_the_branch_of_what_was_given():
    word = '{"IfPresent": {"InputName": "%s", "Then": ["--x", "{{$.inputs.parameters[\'%s\']}}"], "Else": "no"}}'
    assert render_argv([word % ("text", "text")], GIVEN) == ["--x", "it's"]
    assert render_argv([word % ("nobody", "nobody")], GIVEN) == ["no"]
    assert render_argv([word % ("none", "none")], GIVEN) == ["no"]
    assert render_argv([word % ("empty", "empty")], GIVEN) == ["--x", ""]


def test_if_present_without_an_else_leaves_nothing():
    word = '{"IfPresent": {"InputName": "nobody", "Then": ["--x"]}}'
    assert render_argv(["a", word, "b"], GIVEN) == ["a", "b"]


def test_concat_joins_its_parts_with_structures_inside():
    inner = {"IfPresent": {"InputName": "text", "Then": "{{$.inputs.parameters['text']}}", "Else": "?"}}
    word = json.dumps({"Concat": ["one+", inner, "=", "{{$.outputs.artifacts['model'].uri}}"]})
    assert render_argv([word], GIVEN) == ["one+it's=/out/model"]


@pytest.mark.parametrize("word", ["{{$.inputs.artifacts['x'].path}}", "{{$.outputs.parameters['x'].output_file}}"])
def test_a_name_that_is_not_there_is_refused_with_the_placeholder(word):
    with pytest.raises(Mistake, match="the component has no such"):
        render_argv([word], GIVEN)


@given(st.text())
def test_what_is_put_in_is_not_read_again(text):
    executor_input = {"inputs": {"parameterValues": {"a": text, "b": "secret"}, "artifacts": {}}, "outputs": {}}
    assert render_argv(["<{{$.inputs.parameters['a']}}>"], executor_input) == [f"<{text}>"]


def test_what_only_the_run_knows_is_filled_in_and_the_rest_is_left():
    word = "{{$.pipeline_job_name}} {{$.pipeline_job_name}} {{$.pipeline_root}} {{$.inputs.parameters['a']}}"

    assert fill_run(word, {"pipeline_job_name": "run-1"}) == (
        "run-1 run-1 {{$.pipeline_root}} {{$.inputs.parameters['a']}}"
    )

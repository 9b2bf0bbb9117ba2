from dataclasses import replace
from pathlib import Path

import pytest

from argosy.errors import Mistake
from argosy.launcher.step import Input
from argosy.spec.model import (
    Collected,
    Component,
    Constant,
    Executor,
    FieldOf,
    FirstOf,
    Known,
    LoopItem,
    Pipeline,
    PipelineInput,
    Start,
    Task,
    TaskOutput,
    Template,
)
from argosy.spec.plan_text import plan_text, read_plan
from argosy.spec.read import read_pipeline

ROOT = Path(__file__).parents[4]
SOURCES = {
    "constant": Constant({"is": [1, "1", None, {"!x": "{{y}}"}], "a": "n"}),
    "input": PipelineInput("n"),
    "output": TaskOutput("train[2]", "model"),
    "field": FieldOf(LoopItem("loop"), "yes"),
    "choice": FirstOf((TaskOutput("a", "x"), TaskOutput("b", "x")), ("loop",)),
    "text": Template("{{$.inputs.parameters['pipelinechannel--n']}}\n", {"pipelinechannel--n": PipelineInput("n")}),
    "collected": Collected((TaskOutput("a[0]", "x"), TaskOutput("a[1]", "x")), of_artifacts=True),
}
SOURCE = 'def train():\n    return """{{ text }}"""  # $(HOME) é\n'


def a_plan(**more):
    component = Component("comp", {}, {}, Executor("image", source=SOURCE, function="train"))
    task = Task(
        "t", component, SOURCES, Start(after=("a",), one_of=(("a", "b"),)), platform={"resources": {"cpu": "1"}}
    )
    return replace(Pipeline("small", "", {}, (task,)), **more)


def test_a_plan_is_read_back_as_it_was():
    assert read_plan(plan_text(a_plan())) == a_plan()


def test_a_source_stands_as_it_was_written():
    assert 'return """{{ text }}"""  # $(HOME) é\n' in plan_text(a_plan())


def test_the_flagship_is_read_back_as_it_was():
    pipeline = read_pipeline(ROOT / "manifests/workflows/kubeflow/flights-training.yaml")

    assert read_plan(plan_text(pipeline)) == pipeline


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("!Pipeline\nname: x\nspeed: 3\n", "unexpected keyword argument 'speed'"),
        ("!Train\nname: x\n", "'Train'"),
        ("- 1\n", "this is no plan, but list"),
        ("a: [\n", "made by another version of Argosy"),
    ],
)
def test_what_is_no_plan_is_a_mistake(text, said):
    with pytest.raises(Mistake, match=said):
        read_plan(text)


def test_what_is_known_ahead_stands_in_no_plan():
    known = a_plan(outputs={"x": Known(Input(1, 1))})

    with pytest.raises(Exception, match="cannot represent"):
        plan_text(known)

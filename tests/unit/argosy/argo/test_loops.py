import json

import pytest

from argosy.argo.loops import ENCODED, GATHERED
from argosy.argo.wanted import Wanted
from argosy.argo.workflow import manifest
from argosy.errors import Mistake, Unsupported
from argosy.spec.model import (
    ArtifactSlot,
    Constant,
    FieldOf,
    FirstOf,
    Loop,
    LoopItem,
    Parameter,
    Pipeline,
    PipelineInput,
    Start,
    TaskOutput,
    Template,
)
from tests.fakes.argo_expressions import evaluate
from tests.fakes.plans import a_task

CODE = "def step():\n    return 1\n"
ITEM = Parameter("item", "STRUCT")
LIST = {"Output": "LIST"}


def plan(*loops, inputs=None, tasks=()):
    inner = [a_task(f"in-{loop.name}", CODE, outputs=LIST, loops=(*loop.loops, loop.name)) for loop in loops]
    return Pipeline("small", "", inputs or {}, (*tasks, *inner), loops={loop.name: loop for loop in loops})


def items_of(loop, *others, **more):
    """Return the argument `items` of a loop."""
    templates = manifest(plan(*others, loop, **more), Wanted())["spec"]["templates"]
    tasks = [task for template in templates for task in template.get("dag", {}).get("tasks", [])]
    arguments = next(task for task in tasks if task["name"] == loop.name)["arguments"]["parameters"]
    return {each["name"]: each["value"] for each in arguments}["items"]


def test_items_of_the_spec_are_texts_that_keep_their_types():
    assert json.loads(items_of(Loop("loop", Constant([1, "1", None, {"a": "{{"}]), ITEM))) == [
        "1", '"1"', "null", r'{"a":"\u007b\u007b"}',
    ]  # fmt: skip
    assert items_of(Loop("loop", Constant("[1]"), ITEM)) == '["1"]'


@pytest.mark.parametrize("value", [3, "no list"])
def test_items_of_the_spec_that_are_no_list_are_a_mistake(value):
    with pytest.raises(Mistake, match=f"^loop loop.items: got {value!r}; a list is needed here"):
        items_of(Loop("loop", Constant(value), ITEM))


def test_a_list_output_is_taken_in_the_form_that_argo_expands():
    loop = Loop("loop", TaskOutput("made", "Output"), ITEM, start=Start(after=("made",)))

    made = manifest(plan(loop, tasks=[a_task("made", CODE, outputs=LIST)]), Wanted())

    outputs = {each["name"]: each["outputs"]["parameters"] for each in made["spec"]["templates"] if "outputs" in each}
    assert [each["name"] for each in outputs["step"]] == ["Output", "Output-items"]
    assert (
        items_of(loop, tasks=[a_task("made", CODE, outputs=LIST)]) == "{{tasks.made.outputs.parameters.Output-items}}"
    )


def test_a_choice_of_lists_is_one_too():
    tasks = [a_task("one", CODE, outputs=LIST), a_task("other", CODE, outputs=LIST)]
    choice = FirstOf((TaskOutput("one", "Output"), TaskOutput("other", "Output")))
    start = Start(after=("one", "other"), tolerates=("one", "other"))

    text = items_of(Loop("loop", choice, ITEM, start=start), tasks=tasks)

    other = {"outputs": {"parameters": {"Output-items": '["1"]'}}}
    assert evaluate(text[3:-2], {"tasks": {"one": {}, "other": other}}) == '["1"]'


def test_a_parameter_is_split_by_an_expression():
    text = items_of(Loop("loop", PipelineInput("items"), ITEM), inputs={"items": Parameter("items", "LIST")})

    given = {"workflow": {"parameters": {"items": '[1, "a {{b}}", [2], 0.5]'}}}
    assert json.loads(evaluate(text[3:-2], given)) == ["1", r'"a \u007b\u007bb}}"', "[2]", "0.5"]
    assert text == "{{=" + ENCODED.format("fromJSON(workflow.parameters.items)") + "}}"


def test_a_field_that_holds_a_list_or_its_text_is_split_too():
    outer = Loop("outer", Constant([1]), ITEM)
    loop = Loop("loop", FieldOf(LoopItem("outer"), "list"), ITEM, loops=("outer",))

    text = items_of(loop, outer)

    for item in ('{"list":[1]}', '{"list":"[1]"}', '"{\\"list\\":[1]}"'):
        assert evaluate(text[3:-2], {"inputs": {"parameters": {"item": item}}}) == '["1"]'


def test_artifacts_of_a_parameter_are_items_as_they_stand():
    files = ArtifactSlot("files", "system.Dataset", is_list=True)
    loop = Loop("loop", PipelineInput("files"), ArtifactSlot("file", "system.Dataset"))

    assert items_of(loop, inputs={"files": files}) == "{{workflow.parameters.files}}"


@pytest.mark.parametrize("given", ['["1","","[2]"]', '["1", "[2]"]'])
def test_what_another_loop_gave_is_split_without_absent_rounds(given):
    first = Loop("first", Constant([1]), ITEM)
    loop = Loop("loop", TaskOutput("in-first", "Output"), ITEM, start=Start(after=("in-first",)))

    text = items_of(loop, first)

    variables = {"tasks": {"first": {"outputs": {"parameters": {"in-first-Output": given}}}}}
    assert json.loads(evaluate(text[3:-2], variables)) == ["1", "[2]"]
    assert text.startswith("{{=" + GATHERED.partition("{}")[0])


def test_what_argo_read_as_lists_is_written_again():
    assert json.loads(evaluate(GATHERED.format("x"), {"x": '[[1],{"a":2}]'})) == ["[1]", '{"a":2}']


def test_a_text_made_of_values_is_no_list_for_argo():
    with pytest.raises(
        Unsupported, match=r"^loop loop\.items: items of a loop \(a text made of values\): cannot compile to Argo"
    ):
        items_of(Loop("loop", Template("[{{$.pipeline_job_name}}]", {}), ITEM))

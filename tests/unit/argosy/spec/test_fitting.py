import pytest

from argosy.errors import Mistake
from argosy.spec.model import FieldOf, LoopItem
from tests.fakes.groups import ITEM, a_loop, a_round, a_step, by_name, pipeline
from tests.fakes.specs import (
    a_component,
    a_group,
    a_parameter,
    a_task,
    an_artifact,
    artifact_of,
    constant,
    outer,
    output_of,
    with_field,
)

NUMBER = a_component("exec-number", outputs={"Output": a_parameter("NUMBER_INTEGER")})
TEXTS = a_component(
    "exec-texts", inputs={"list": a_parameter("LIST", isOptional=True), "text": a_parameter(isOptional=True)}
)
ALL = {"list": outer("numbers")}
MAYBE = a_parameter("NUMBER_INTEGER", isOptional=True)


@pytest.mark.parametrize(
    ("tasks", "message"),
    [
        (
            {"n": a_task("comp-number"), "t": a_task("comp-texts", list=output_of("n"))},
            "root.dag.tasks.t.inputs.parameters.list: got 'Output', a parameter (NUMBER_INTEGER); a parameter (LIST)",
        ),
        (
            {"t": a_task("comp-texts", list=outer("answer"))},
            "root.dag.tasks.t.inputs.parameters.list: got 'answer', a parameter (STRING); a parameter (LIST) is needed",
        ),
        (
            {"list": a_task("comp-list"), "g": a_task("comp-one", file=artifact_of("list", "files"))},
            "root.dag.tasks.g.inputs.artifacts.file: got 'files', a list of artifacts; an artifact is needed here",
        ),
        (
            {"n": a_task("comp-number"), "loop": a_loop("comp-body", "list", list=output_of("n"))},
            "root.dag.tasks.loop.inputs.parameters.list: got 'Output', a parameter (NUMBER_INTEGER)",
        ),
        (
            {"n": a_task("comp-number"), "loop": a_loop("comp-body", "number", number=output_of("n"), **ALL)},
            "root.dag.tasks.loop.parameterIterator.items.inputParameter: got 'number', a parameter (NUMBER_INTEGER)",
        ),
        (
            {"t": a_step(text={**outer("numbers"), "parameterExpressionSelector": 'parseJson(string_value)["k"]'})},
            "root.dag.tasks.t.inputs.parameters.text.parameterExpressionSelector: 'numbers' is a parameter (LIST)",
        ),
        (
            {"g": a_task("comp-wrong")},
            "components.comp-wrong.dag.outputs.parameters.out: gives a parameter (STRING); outputDefinitions says a",
        ),
        (
            {"g": a_task("comp-needs")},
            "root.dag.tasks.g.inputs: missing: note; give a value, or make the input optional",
        ),
        (
            {"g": a_task("comp-needs", note=constant("a"), **{"pipelinechannel--x": constant("b")})},
            "root.dag.tasks.g.inputs.parameters.pipelinechannel--x: comp-needs has no such input; inputs: note",
        ),
        (
            {"loop": {**a_loop("comp-body", **ALL), "parameterIterator": {"itemInput": "x", "items": {"raw": "[]"}}}},
            "root.dag.tasks.loop.parameterIterator.itemInput: 'x' is no such input of the loop; inputs: ",
        ),
    ],
)  # fmt: skip
def test_what_certainly_does_not_fit_is_refused_with_its_place(tasks, message):
    wrong = a_group({"inner": a_step()}, outputs={"out": ("inner", "Output")})
    groups = {
        "number": NUMBER,
        "texts": TEXTS,
        "one": a_component("exec-one", inputs={"file": an_artifact()}),
        "body": a_round({"inner": a_step()}, {"list": a_parameter("LIST"), "number": MAYBE}),
        "wrong": with_field(wrong, "outputDefinitions.parameters.out", a_parameter("BOOLEAN")),
        "needs": a_group({"inner": a_step()}, inputs={"note": a_parameter()}),
    }  # fmt: skip

    with pytest.raises(Mistake) as caught:
        pipeline(tasks, **groups)

    assert str(caught.value).startswith(message)


def test_a_text_takes_any_value_and_items_and_fields_go_anywhere():
    field = {**outer(ITEM), "parameterExpressionSelector": 'parseJson(string_value)["k"]'}

    found = pipeline(
        {"n": a_task("comp-number"), "t": a_step(text=output_of("n")), "loop": a_loop("comp-body")},
        number=NUMBER,
        texts=TEXTS,
        body=a_round({"inner": a_task("comp-texts", list=outer(ITEM), text=field)}),
    )

    assert by_name(found)["inner"].inputs == {"list": LoopItem("loop"), "text": FieldOf(LoopItem("loop"), "k")}

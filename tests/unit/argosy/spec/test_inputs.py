import pytest

from argosy.errors import Mistake, Unsupported
from argosy.spec.model import Constant, PipelineInput, Template
from argosy.spec.read import read_pipeline
from tests.fakes.specs import (
    a_component,
    a_parameter,
    a_spec,
    a_task,
    an_artifact,
    artifact_of,
    constant,
    outer,
    output_of,
)

PREPARE = a_component("exec-prepare", outputs={"data": an_artifact(), "text": a_parameter()})
SLOTS = {
    "rows": a_parameter("NUMBER_INTEGER", isOptional=True),
    "text": a_parameter(isOptional=True),
    "tags": a_parameter("LIST", isOptional=True),
    "data": an_artifact(isOptional=True),
}
HOLE = "{{$.inputs.parameters['%s']}}"


def inputs_of(slots=SLOTS, **sources):
    """Return the resolved inputs of a task that may take the outputs of `prepare`."""
    tasks = {"prepare": a_task("comp-prepare"), "train": a_task("comp-train", **sources)}
    components = {"comp-prepare": PREPARE, "comp-train": a_component("exec-train", inputs=slots)}
    pipeline = read_pipeline(a_spec(tasks, components, parameters={"note": a_parameter(isOptional=True)}))
    return next(task for task in pipeline.tasks if task.name == "train").inputs


def test_constants_arrive_by_type():
    found = inputs_of(rows=constant(3.0), tags=constant([1.0, {"a": 2.0}]), text=constant(None))

    assert repr(found) == repr({"rows": Constant(3), "tags": Constant([1, {"a": 2}]), "text": Constant(None)})


def test_a_constant_with_a_placeholder_is_a_template_of_what_it_names():
    found = inputs_of(text=constant(f"hi {HOLE % 'pipelinechannel--n'}"), **{"pipelinechannel--n": outer("note")})

    assert found == {
        "text": Template(f"hi {HOLE % 'pipelinechannel--n'}", {"pipelinechannel--n": PipelineInput("note")})
    }


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        (
            {"row": constant(1.0)},
            "row: comp-train has no such input (did you mean 'rows'?); inputs: rows, tags, text, ",
        ),
        ({"rows": constant(0.5)}, "rows: got 0.5; a whole number (NUMBER_INTEGER) is needed here"),
        ({"data": constant("s3://x")}, "data: got a constant; an artifact is needed here"),
        ({"text": outer("notes")}, "text: 'notes' is not an input of the component around (did you mean 'note'?)"),
        ({"text": output_of("prepare", "txt")}, "text: 'prepare' has no output 'txt' (did you mean 'text'?); it has: "),
        ({"text": output_of("prepare", "data")}, "text: got 'data', an artifact; a parameter (STRING) is needed"),
        ({"data": artifact_of("prepare", "text")}, "data: got 'text', a parameter (STRING); an artifact is needed"),
        ({"text": constant(HOLE % "other")}, "text: 'other' is not given to this task; given: none"),
        (
            {"rows": constant(HOLE % "pipelinechannel--n"), "pipelinechannel--n": outer("note")},
            "rows: got a text with a placeholder; NUMBER_INTEGER cannot be written as a text",
        ),
    ],
)
def test_an_input_that_does_not_fit_is_refused_with_its_place(sources, message):
    with pytest.raises(Mistake) as caught:
        inputs_of(**sources)

    kind = "artifacts" if message.startswith("data: got 'text'") else "parameters"
    assert str(caught.value).startswith(f"root.dag.tasks.train.inputs.{kind}.{message}")


def test_a_placeholder_of_the_run_is_refused_by_name():
    with pytest.raises(
        Unsupported,
        match=r"inputs\.parameters\.text: placeholder of the run \(\{\{\$\.pipeline_google_cloud_location\}\}\)",
    ):
        inputs_of(text=constant("{{$.pipeline_google_cloud_location}}"))


def test_every_missing_input_is_named():
    slots = {"rows": a_parameter("NUMBER_INTEGER"), "data": an_artifact(), "text": a_parameter(defaultValue="d")}

    with pytest.raises(Mistake, match=r"^root\.dag\.tasks\.train\.inputs: missing: rows, data; give a value"):
        inputs_of(slots)

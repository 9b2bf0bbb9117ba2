from dataclasses import replace

import pytest

from argosy.errors import Mistake
from argosy.launcher.artifacts import Artifact, Artifacts
from argosy.launcher.step import Input, Outcome, Output, OutputSlot
from argosy.spec.model import (
    ArtifactSlot,
    Component,
    Constant,
    Declaration,
    Executor,
    Importer,
    Loop,
    LoopItem,
    Parameter,
    Pipeline,
    PipelineInput,
    RunValue,
    Task,
    TaskOutput,
)
from argosy.spec.plan import build_step, resolve_inputs
from argosy.spec.unrolling import Unrolling
from tests.fakes.plans import a_task

PROGRAM = Executor("python:3.11", ("cat", "{{$.inputs.parameters['n']}}"), ("--me", "{{$.pipeline_task_name}}"))


def a_step(inputs=None, slots=(), executor=PROGRAM, **more):
    component = Component("comp", {slot.name: slot for slot in slots}, more.pop("outputs", {}), executor)
    return Task("step", replace(component, declaration=more.pop("declaration", Declaration())), inputs or {}, **more)


def ready(task, *, before=(), loops=None, **more):
    """Return the last instance of a plan in which the tasks before it have ended as said, and how far it has come."""
    tasks = tuple(a_task(name, "") for name, _ in before)
    so_far = Unrolling(Pipeline("small", "", {}, (*tasks, task), loops or {}), more.pop("arguments", {}), **more)
    made = so_far.ready()
    for instance, (_, end) in zip(made, before, strict=False):
        so_far.end(instance, end if isinstance(end, Outcome) else Outcome("ran", "key", {"Output": Output(end)}))
    return made[-1], so_far


def built(task, **more):
    return build_step(*ready(task, **more))


def given(slot, value):
    """Return what a slot is given of the output of an earlier task."""
    return built(a_step({slot.name: TaskOutput("one", "Output")}, [slot]), before=[("one", value)]).inputs[slot.name]


def test_a_program_becomes_a_step_with_placeholders_of_its_own_left_in():
    step = built(
        a_step({"n": Constant(3)}, [Parameter("n", "NUMBER_INTEGER")], cache=False, cache_salt="v2", timeout_s=9)
    )

    assert step.argv == ("cat", "{{$.inputs.parameters['n']}}", "--me", "step")
    assert (step.image, step.inputs) == ("python:3.11", {"n": Input(3, 3)})
    assert (step.source, step.function, step.cache, step.salt, step.timeout_s) == ("", "", False, "v2", 9)


def test_python_becomes_a_step_with_its_source():
    step = built(a_task("one", "def step(): ...\n", declared={"kind": "observe", "reads": ("data",), "key": ("n",)}))

    assert step.source.endswith("def step(): ...\n")
    assert (step.function, step.kind, step.reads, step.natural_key) == ("step", "observe", ("data",), ("n",))
    assert (step.image, step.argv) == ("", ())


def test_outputs_keep_what_they_are():
    outputs = {
        "n": Parameter("n", "LIST"),
        "m": ArtifactSlot("m", "system.Model"),
        "many": ArtifactSlot("many", "system.Dataset", is_list=True),
    }

    assert built(a_step(outputs=outputs)).outputs == {
        "n": OutputSlot("LIST", is_artifact=False),
        "m": OutputSlot("system.Model", is_artifact=True),
        "many": OutputSlot("system.Dataset", is_artifact=True, is_list=True),
    }


def test_image_and_environment_may_name_channels():
    channel = "{{$.inputs.parameters['pipelinechannel--tag']}}"
    executor = replace(PROGRAM, image=f"python:{channel}", env={"RUN": "{{$.pipeline_job_name}}", "TAG": channel})
    channels = {"pipelinechannel--tag": PipelineInput("tag"), "$.pipeline_job_name": RunValue("pipeline_job_name")}

    step = built(
        a_step(executor=executor, channels=channels), arguments={"tag": 3.0}, run_values={"pipeline_job_name": "monday"}
    )

    assert (step.image, dict(step.env)) == ("python:3", {"RUN": "monday", "TAG": "3"})


def test_a_step_in_a_loop_is_named_by_its_round_and_gets_its_item():
    loop = Loop("L", Constant(["a"]), Parameter("i", "STRING"))
    task = a_step({"n": LoopItem("L")}, [Parameter("n", "STRING")], loops=("L",))

    step = built(task, loops={"L": loop})

    assert (step.name, step.inputs["n"].value) == ("step[0]", "a")
    assert step.argv[-1] == "step[0]"


@pytest.mark.parametrize(
    ("type_", "value", "fitted"),
    [
        ("NUMBER_INTEGER", 3.0, 3),
        ("NUMBER_DOUBLE", 3, 3.0),
        ("STRING", 3, "3"),
        ("STRING", [1.0, {"ü": None}], '[1, {"ü": null}]'),
        ("STRING", True, "true"),
        ("LIST", [1.0], [1]),
    ],
)
def test_a_value_arrives_as_the_input_has_it(type_, value, fitted):
    found = given(Parameter("n", type_), value)

    assert repr((found.value, found.identity)) == repr((fitted, fitted))


def test_one_artifact_is_a_list_of_one_where_a_list_is_taken():
    one = Artifact("sha256:1", {})

    assert given(ArtifactSlot("d", "system.Dataset", is_list=True), one) == Input(Artifacts((one,)), ["sha256:1"])


def test_several_artifacts_do_not_fit_where_one_is_taken():
    two = Artifacts((Artifact("sha256:1", {}), Artifact("sha256:2", {})))

    with pytest.raises(Mistake, match=r"^tasks\.step\.inputs\.d: got 2 artifacts; one is needed here"):
        given(ArtifactSlot("d", "system.Dataset"), two)


@pytest.mark.parametrize(
    ("slot", "value", "message"),
    [
        (Parameter("n", "NUMBER_INTEGER"), 0.5, r"got 0\.5; a whole number"),
        (Parameter("n", "STRUCT"), [], r"got \[\]; an object"),
        (Parameter("n", "STRING", literals=("a",)), "b", 'got "b"; allowed: "a"'),
        (Parameter("n", "STRING"), None, "got null; a text"),
    ],
)
def test_a_value_that_does_not_fit_is_a_mistake_with_its_place(slot, value, message):
    with pytest.raises(Mistake, match=rf"^tasks\.step\.inputs\.n: {message}"):
        given(slot, value)


def test_an_input_that_nobody_gave_has_its_default_or_is_left_out():
    slots = [Parameter("a", "STRING", optional=True, default="d"), Parameter("b", "STRING", optional=True)]

    assert built(a_step({"b": PipelineInput("p")}, slots)).inputs == {"a": Input("d", "d")}


def test_an_input_whose_task_failed_has_its_default_and_else_is_a_mistake():
    failed, source = [("one", Outcome("failed"))], {"n": TaskOutput("one", "Output")}
    slot = Parameter("n", "NUMBER_INTEGER", optional=True, default=5)

    assert resolve_inputs(*ready(a_step(source, [slot]), before=failed))["n"].value == 5
    with pytest.raises(Mistake, match=r"^tasks\.step\.inputs\.n: its task gave no value, because it was skipped or"):
        resolve_inputs(*ready(a_step(source, [Parameter("n", "NUMBER_INTEGER")]), before=failed))


def test_an_importer_is_no_step():
    with pytest.raises(TypeError, match="step is an importer"):
        built(a_step(executor=Importer("file:///data")))

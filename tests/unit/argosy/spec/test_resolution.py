import pytest

from argosy.errors import Mistake
from argosy.launcher.artifacts import Artifact, Artifacts
from argosy.launcher.step import Input, Outcome, Output
from argosy.spec.model import (
    Constant,
    FieldOf,
    FinalStatus,
    FirstOf,
    Loop,
    LoopItem,
    Parameter,
    Pipeline,
    PipelineInput,
    RunValue,
    Start,
    TaskOutput,
    Template,
)
from argosy.spec.resolution import Place, instance_name, loop_items, reason_to_skip, resolve, shared
from argosy.spec.unrolling import Unrolling
from tests.fakes.plans import a_task

OUT = TaskOutput("one", "Output")
HERE = Place("here")
ITEM = Parameter("item", "STRUCT")


def after(*ends, tasks=("one", "two"), measured=False, **more):
    """Return how far a plan of tasks has come: the value of each, or its outcome."""
    arguments = more.pop("arguments", {})
    plan = Pipeline("small", "", {}, tuple(a_task(name, "") for name in tasks))
    so_far = Unrolling(plan, arguments, **more)
    for instance, end in zip(so_far.ready(), ends, strict=False):
        ran = Outcome("ran", f"key of {instance.name}", {"Output": Output(end, measured)})
        so_far.end(instance, end if isinstance(end, Outcome) else ran)
    return so_far


SKIPPED, FAILED = Outcome("skipped"), Outcome("failed", error="no luck")


def in_loop(ends, items=(1, 2)):
    """Return how far a plan has come in which `one` and `two` stand in a loop; ends by task, a list for the rounds."""
    tasks = tuple(a_task(name, "", loops=("L",)) for name in ends)
    so_far = Unrolling(Pipeline("small", "", {}, tasks, {"L": Loop("L", Constant(list(items)), ITEM)}), {})
    for instance in so_far.ready():
        end = ends[instance.task.name][instance.index[0]]
        so_far.end(instance, end if isinstance(end, Outcome) else Outcome("ran", "key", {"Output": Output(end)}))
    return so_far


def test_a_source_is_what_it_names():
    so_far = after(7, arguments={"p": [1]}, run_values={"pipeline_job_name": "monday"})

    assert resolve(OUT, HERE, so_far) == Input(7, 7)
    assert resolve(Constant({"a": 1}), HERE, so_far) == Input({"a": 1}, {"a": 1})
    assert resolve(PipelineInput("p"), HERE, so_far) == Input([1], [1])
    assert resolve(RunValue("pipeline_job_name"), HERE, so_far).value == "monday"
    assert resolve(RunValue("pipeline_task_name"), HERE, so_far).value == "here"


def test_what_nobody_gave_is_nothing():
    assert resolve(PipelineInput("p"), HERE, after()) is None
    assert resolve(FieldOf(PipelineInput("p"), "k"), HERE, after()) is None


@pytest.mark.parametrize("end", [SKIPPED, FAILED])
def test_the_output_of_a_task_that_did_not_run_is_nothing(end):
    assert resolve(OUT, HERE, after(end)) is None


def test_an_output_that_a_task_did_not_give_is_a_mistake():
    with pytest.raises(Mistake, match=r"^tasks\.one: it gave no output 'other'; it gave Output"):
        resolve(TaskOutput("one", "other"), HERE, after(7))


def test_the_first_of_several_is_that_of_the_branch_that_ran():
    choice = FirstOf((OUT, TaskOutput("two", "Output")))

    assert resolve(choice, HERE, after(SKIPPED, 2)).value == 2
    assert resolve(choice, HERE, after(1, SKIPPED)).value == 1
    assert resolve(choice, HERE, after(SKIPPED, SKIPPED)) is None


def test_a_choice_in_a_loop_is_made_in_each_round():
    so_far = in_loop({"one": [SKIPPED, 10], "two": [20, SKIPPED]})
    choice = FirstOf((OUT, TaskOutput("two", "Output")), loops=("L",))

    assert resolve(choice, HERE, so_far).value == [20, 10]
    assert resolve(choice, Place("inside", ("L",), (1,)), so_far).value == 10


def test_rounds_that_gave_nothing_are_left_out_of_what_is_collected():
    assert resolve(OUT, HERE, in_loop({"one": [SKIPPED, 10]})).value == [10]
    assert resolve(OUT, HERE, in_loop({"one": [SKIPPED, SKIPPED]})).value == []


def test_an_item_is_that_of_the_round():
    so_far = in_loop({"one": [0, 0]}, items=["a", "b"])

    assert resolve(LoopItem("L"), Place("t", ("L",), (1,)), so_far) == Input("b", "b")


@pytest.mark.parametrize("whole", [{"k": [1]}, '{"k": [1]}'])
def test_a_field_is_taken_of_an_object_or_of_its_json_text(whole):
    assert resolve(FieldOf(OUT, "k"), HERE, after(whole)) == Input([1], [1])


@pytest.mark.parametrize("whole", [{"j": 1}, "no json", 3, ["k"]])
def test_a_field_that_is_not_there_is_a_mistake_that_shows_what_is(whole):
    with pytest.raises(Mistake, match=r"^tasks\.here: .* has no field 'k'; give an object that has it"):
        resolve(FieldOf(OUT, "k"), HERE, after(whole))


def test_a_template_is_filled_in():
    template = Template("n = {{$.inputs.parameters['n']}}", {"n": OUT})

    assert resolve(template, HERE, after(7)) == Input("n = 7", "n = 7")


def test_what_depends_on_a_measurement_is_known_by_where_it_came_from():
    so_far = after({"k": 0.5}, measured=True)
    template = Template("{{$.inputs.parameters['n']}}", {"n": FieldOf(OUT, "k")})
    origin = ["key of one", "Output"]

    assert resolve(OUT, HERE, so_far) == Input({"k": 0.5}, origin, measured=True)
    assert resolve(FieldOf(OUT, "k"), HERE, so_far) == Input(0.5, [origin, "k"], measured=True)
    assert resolve(template, HERE, so_far) == Input("0.5", [template.value, {"n": [origin, "k"]}], measured=True)
    loop = Loop("L", FieldOf(OUT, "l"), ITEM)
    assert loop_items(loop, HERE, after({"l": [1]}, measured=True)) == [Input(1, [[origin, "l"], 0], measured=True)]


@pytest.mark.parametrize(
    ("ends", "state"),
    [((1, 2), "COMPLETE"), ((1, SKIPPED), "COMPLETE"), ((SKIPPED, SKIPPED), "SKIPPED"), ((1, FAILED), "FAILED")],
)
def test_a_group_ended_as_the_worst_of_its_tasks(ends, state):
    status = resolve(FinalStatus("group", ("one", "two")), HERE, after(*ends)).value

    assert (status["state"], status["pipelineTaskName"]) == (state, "group")
    assert status["error"] == ({"code": 1, "message": "no luck"} if state == "FAILED" else {})


def test_the_error_of_a_group_is_that_of_its_own_tasks():
    so_far = after(Outcome("failed", error="elsewhere"), FAILED)

    assert resolve(FinalStatus("group", ("two",)), HERE, so_far).value["error"]["message"] == "no luck"


def test_the_items_of_a_loop_are_a_list_of_values_of_artifacts_or_a_json_text():
    files = Artifacts((Artifact("sha256:1", {}), Artifact("sha256:2", {})))

    assert [item.value for item in loop_items(Loop("L", OUT, ITEM), HERE, after([1.0, {"b": 1, "a": 2}]))] == [
        1, {"a": 2, "b": 1},
    ]  # fmt: skip
    assert [item.value for item in loop_items(Loop("L", OUT, ITEM), HERE, after("[1, 2]"))] == [1, 2]
    assert [item.identity for item in loop_items(Loop("L", OUT, ITEM), HERE, after(files))] == ["sha256:1", "sha256:2"]


@pytest.mark.parametrize("given", [3, "abc", {"a": 1}, SKIPPED, Artifact("sha256:1", {})])
def test_items_that_are_no_list_are_a_mistake_that_names_the_loop(given):
    with pytest.raises(Mistake, match=r"^loop L: its items are .*; a list is needed"):
        loop_items(Loop("L", OUT, ITEM), HERE, after(given))


@pytest.mark.parametrize(
    ("start", "ends", "reason"),
    [
        ({"after": ("one",)}, (1,), ""),
        ({"after": ("one",)}, (SKIPPED,), "one was skipped"),
        ({"after": ("one",)}, (FAILED,), "one failed"),
        ({"after": ("one",), "tolerates": ("one",)}, (SKIPPED,), ""),
        ({"after": ("one",), "tolerates": ("one",)}, (FAILED,), "one failed"),
        ({"after": ("one",), "survives": ("one",)}, (FAILED,), ""),
        ({"after": ("one",), "survives": ("one",)}, (SKIPPED,), ""),
    ],
)
def test_a_start_says_what_may_have_been_skipped_and_what_may_have_failed(start, ends, reason):
    assert reason_to_skip(Start(**start), HERE, after(*ends)) == reason


def test_of_the_choices_of_one_of_one_has_to_have_run():
    start = Start(after=("one", "two"), tolerates=("one", "two"), one_of=(("one", "two"),))

    assert reason_to_skip(start, HERE, after(SKIPPED, 2)) == ""
    assert reason_to_skip(start, HERE, after(SKIPPED, SKIPPED)) == "one and two were skipped"


def test_loops_are_shared_from_the_outside_in():
    assert shared(("L", "M"), ("L", "M", "N")) == 2
    assert shared(("L", "M"), ("M",)) == 0
    assert shared((), ("L",)) == 0


def test_an_instance_is_named_by_its_rounds():
    assert [instance_name("t", index) for index in ((), (2,), (2, 0))] == ["t", "t[2]", "t[2,0]"]

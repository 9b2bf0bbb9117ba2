from argosy.argo.scopes import read_scopes
from argosy.argo.wanted import Wanted
from argosy.argo.workflow import manifest
from argosy.spec.model import (
    Constant,
    FirstOf,
    Loop,
    LoopItem,
    Parameter,
    Pipeline,
    PipelineInput,
    Start,
    TaskOutput,
)
from tests.fakes.argo_expressions import evaluate
from tests.fakes.plans import a_task

CODE = "def step():\n    return 1\n"
ITEM = Parameter("item", "NUMBER_INTEGER")
OUTER = Loop("outer", Constant([1]), ITEM)
INNER = Loop("outer/inner", Constant([2]), ITEM, loops=("outer",))
BOTH = ("outer", "outer/inner")


def a_plan(*tasks, loops=(OUTER, INNER), outputs=None):
    return Pipeline("small", "", {}, tasks, loops={loop.name: loop for loop in loops}, outputs=outputs or {})


def given(task, **inputs):
    """Return a task with sources as inputs."""
    task.inputs.update(inputs)
    return task


def names(scope):
    return sorted(scope.inputs.values()), sorted(scope.outputs.values())


def test_what_comes_from_around_enters_every_loop_on_the_way():
    around = a_task("around", CODE)
    inside = given(a_task("inside", CODE, after=["around"], loops=BOTH), a=TaskOutput("around", "Output"))

    scopes = read_scopes(a_plan(around, inside)).scopes

    assert names(scopes[()]) == ([], [])
    assert names(scopes["outer",]) == names(scopes[BOTH]) == (["around-Output"], [])


def test_what_is_gathered_leaves_every_loop_on_the_way():
    inside = a_task("inside", CODE, loops=BOTH)
    after = given(a_task("after", CODE, after=["inside"]), a=TaskOutput("inside", "Output"))

    found = read_scopes(a_plan(inside, after))

    assert names(found.scopes["outer",]) == names(found.scopes[BOTH]) == ([], ["inside-Output"])
    assert found.depth(TaskOutput("inside", "Output"), ()) == 2
    assert found.node("inside", ()) == "outer"
    assert found.node("inside", ("outer",)) == "inner"
    assert found.node("after", ("outer",)) is None


def test_an_item_enters_its_own_round_and_goes_on_into_the_loops_within():
    inside = given(a_task("inside", CODE, loops=BOTH), a=LoopItem("outer"), b=LoopItem("outer/inner"))

    scopes = read_scopes(a_plan(inside)).scopes

    assert names(scopes["outer",]) == (["item"], [])
    assert names(scopes[BOTH]) == (["item", "outer-item"], [])


def test_a_choice_is_made_in_the_round_and_gathered_as_one():
    one, other = (a_task(name, CODE, loops=("outer",)) for name in ("one", "other"))
    choice = FirstOf((TaskOutput("one", "Output"), TaskOutput("other", "Output")), ("outer",))

    made = manifest(a_plan(one, other, loops=(OUTER,), outputs={"all": choice}), Wanted())

    templates = {each["name"]: each for each in made["spec"]["templates"]}
    [output] = templates["outer-round"]["outputs"]["parameters"]
    taken = {"outputs": {"parameters": {"Output": "2"}}}
    assert evaluate(output["valueFrom"]["expression"], {"tasks": {"one": {}, "other": taken}}) == "2"
    assert [each["name"] for each in templates["outer"]["outputs"]["parameters"]] == [output["name"]]


def test_a_task_in_a_loop_is_skipped_where_nothing_was_chosen_outside():
    tasks = [a_task(name, CODE) for name in ("one", "other")]
    choice = FirstOf((TaskOutput("one", "Output"), TaskOutput("other", "Output")))
    inside = given(a_task("inside", CODE, loops=("outer",)), a=choice)
    start = Start(after=("one", "other"), tolerates=("one", "other"), one_of=(("one", "other"),))
    outer = Loop("outer", Constant([1]), ITEM, start=Start(after=("one", "other"), tolerates=("one", "other")))
    object.__setattr__(inside, "start", start)

    made = manifest(a_plan(*tasks, inside, loops=(outer,)), Wanted())

    round_ = next(each for each in made["spec"]["templates"] if each["name"] == "outer-round")
    assert round_["dag"]["tasks"][0]["when"] == '{{= inputs.parameters["one-Output"] != "" }}'


def test_what_depends_on_a_measurement_is_one():
    first = a_task("first", CODE, declared={"measurements": ("Output",)})
    second = given(a_task("second", CODE, after=["first"]), a=TaskOutput("first", "Output"))
    third = given(a_task("third", CODE), a=PipelineInput("n"))

    found = read_scopes(a_plan(first, second, third, loops=()))

    assert found.is_measured(TaskOutput("second", "Output"))
    assert not found.is_measured(TaskOutput("third", "Output"))

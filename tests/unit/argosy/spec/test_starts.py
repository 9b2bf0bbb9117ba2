from argosy.spec.conditions import read_expression
from argosy.spec.model import (
    Condition,
    Constant,
    FieldOf,
    FinalStatus,
    FirstOf,
    Loop,
    LoopItem,
    Parameter,
    Pipeline,
    Start,
    TaskOutput,
    Template,
)
from argosy.spec.starts import Prerequisites, Producers, producers, upstream
from tests.fakes.plans import a_task

A, B, C = (TaskOutput(name, "Output") for name in "abc")


def some(*names):
    return frozenset(names)


def a_condition(text="'a' == 'a'"):
    return Condition(text, read_expression(text, {}, ""), {})


def test_a_source_waits_for_the_tasks_whose_outputs_are_in_it():
    assert producers([A, FieldOf(B, "k"), Constant(1), LoopItem("L")]) == Producers(hard=some("a", "b"))
    assert producers([Template("", {"x": A, "y": C})]) == Producers(hard=some("a", "c"))


def test_a_choice_tolerates_skips_and_needs_one_that_ran():
    assert producers([FirstOf((A, B))]) == Producers(soft=some("a", "b"), one_of=some(some("a", "b")))


def test_a_choice_of_choices_needs_one_of_them_all():
    found = producers([FirstOf((FirstOf((A, B)), C))])

    assert found == Producers(soft=some("a", "b", "c"), one_of=some(some("a", "b", "c")))


def test_a_final_status_waits_for_ends():
    assert producers([FinalStatus("g", ("a", "b"))]) == Producers(ended=some("a", "b"))


def test_what_comes_before_is_gathered_with_each_condition_once():
    first, equal, other = a_condition(), a_condition(), a_condition("'a' == 'b'")

    joined = Prerequisites(hard=some("a"), conditions=(first,)).joined(
        [Prerequisites(soft=some("b"), conditions=(equal, other)), Prerequisites(ended=some("c"))]
    )

    assert joined == Prerequisites(some("a"), some("b"), some("c"), conditions=(first, other))


def test_a_start_names_each_task_once_under_the_strictest_word():
    before = Prerequisites(hard=some("a"), soft=some("a", "b"), ended=some("a", "b", "c"))

    assert before.start() == Start(after=("a", "b", "c"), tolerates=("b",), survives=("c",))


def test_the_output_of_what_may_have_failed_may_be_missing():
    survivor = Prerequisites(ended=some("a", "b"))

    assert survivor.waiting_for(producers([A, FirstOf((A, B))])) == survivor
    assert survivor.waiting_for(producers([C])).hard == some("c")


def test_a_task_in_loops_waits_for_what_they_wait_for_too():
    loops = {
        "L": Loop("L", A, Parameter("i", "LIST"), start=Start(after=("a",))),
        "M": Loop("M", LoopItem("L"), Parameter("j", "STRING"), loops=("L",), start=Start(after=("a", "b"))),
    }
    task = a_task("t", "", after=("c",), loops=("L", "M"))

    assert upstream(task, Pipeline("p", "", {}, (task,), loops)) == ("c", "a", "b")

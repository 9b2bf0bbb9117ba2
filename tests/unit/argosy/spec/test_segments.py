from dataclasses import replace

from argosy.spec.fusing import fuse
from argosy.spec.model import Constant, FinalStatus, FirstOf, Loop, LoopItem, Parameter, Pipeline, Start, TaskOutput
from argosy.spec.segments import MOST_BYTES, segments
from tests.fakes.plans import a_task, holds

LOOP = Loop("L", Constant([1, 2]), Parameter("item", "NUMBER_INTEGER"))


def names(*tasks, loops=(), alike=lambda _task: "all"):
    """Return the names of what stands in each segment."""
    plan = Pipeline("small", "", {}, tasks, {loop.name: loop for loop in loops})
    return [sorted(segment.items) for segment in segments(plan, alike)]


def after(name, *others, **more):
    return a_task(name, "", inputs={other: (other, "Output") for other in others}, **more)


def test_alike_tasks_share_a_segment():
    assert names(after("a"), after("b", "a"), after("c")) == [["a", "b", "c"]]


def test_another_kind_between_them_parts_them():
    kinds = {"a": "small", "b": "large", "c": "small"}

    assert names(after("a"), after("b", "a"), after("c", "b"), alike=lambda task: kinds[task.name]) == [
        ["a"],
        ["b"],
        ["c"],
    ]


def test_what_does_not_wait_for_the_other_kind_joins_the_first():
    kinds = {"a": "small", "b": "large", "c": "small"}

    assert names(after("a"), after("b", "a"), after("c"), alike=lambda task: kinds[task.name]) == [["a", "c"], ["b"]]


def test_a_task_that_wants_a_pod_of_its_own_gets_one():
    assert names(after("a"), after("b", "a"), alike=lambda task: None if task.name == "a" else "all") == [["a"], ["b"]]


def test_a_loop_joins_with_all_of_its_rounds():
    each = replace(a_task("each", "", loops=("L",)), inputs={"n": LoopItem("L")})

    assert names(after("a"), each, after("b", "each"), loops=[LOOP]) == [["L", "a", "b"]]


def test_what_may_be_skipped_joins_if_nothing_elsewhere_depends_on_it():
    sometimes = after("sometimes", "a", conditions=(holds("a", "Output", 1),))

    assert names(after("a"), sometimes, after("b", "sometimes")) == [["a", "b", "sometimes"]]


def test_what_may_be_skipped_stays_apart_where_something_elsewhere_depends_on_it():
    sometimes = after("sometimes", "a", conditions=(holds("a", "Output", 1),))
    kinds = {"b": "other"}

    found = names(after("a"), sometimes, after("b", "sometimes"), alike=lambda task: kinds.get(task.name, "all"))

    assert found == [["a"], ["sometimes"], ["b"]]


def test_an_exit_handler_has_a_pod_of_its_own_and_so_has_what_it_is_told_of():
    told = replace(
        a_task("told", ""), inputs={"s": FinalStatus("g", ("b",))}, start=Start(after=("b",), survives=("b",))
    )

    assert names(after("a"), after("b"), after("c"), told) == [["a", "c"], ["b"], ["told"]]


def test_a_choice_is_made_within_a_pod_or_before_it():
    choice = FirstOf((TaskOutput("yes", "Output"), TaskOutput("no", "Output")))
    start = Start(after=("no", "yes"), tolerates=("no", "yes"), one_of=(("no", "yes"),))
    reader = replace(a_task("reader", ""), inputs={"n": choice}, start=start)
    kinds = {"no": "other"}

    found = names(after("yes"), after("no"), reader, alike=lambda task: kinds.get(task.name, "all"))

    assert found == [["yes"], ["no"], ["reader"]]


def test_a_segment_ends_where_its_template_would_be_too_large():
    long = "def step():\n    return 1\n" + "#" * (MOST_BYTES // 2)
    tasks = [a_task(name, long) for name in "abc"]

    assert names(*tasks) == [["a"], ["b"], ["c"]]


def test_a_fused_task_takes_what_its_tasks_took_and_gives_what_others_take():
    kinds = {"out": "large", "end": "large"}
    tasks = after("out"), after("a", "out"), after("b", "a", "out"), after("end", "b")
    plan = Pipeline("small", "", {}, tasks, outputs={"n": TaskOutput("a", "Output")})

    fused = fuse(plan, lambda task: kinds.get(task.name, "small"), lambda _source: False)

    out, shared, end = fused.tasks
    assert (out.name, shared.name, end.name) == ("out", "a-to-b", "end")
    assert shared.inputs == {"out-Output": TaskOutput("out", "Output")}
    assert shared.start == Start(after=("out",))
    assert sorted(shared.component.outputs) == ["a-Output", "b-Output"]
    assert end.inputs == {"b": TaskOutput("a-to-b", "b-Output")}
    assert end.start == Start(after=("a-to-b",))
    assert fused.outputs == {"n": TaskOutput("a-to-b", "a-Output")}
    assert [task.start.after for task in shared.component.executor.plan.tasks] == [(), ("a",)]

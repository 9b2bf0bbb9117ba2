"""What is left, by hand; that it comes to the same for any plan is held by `test_made_specs`."""

from dataclasses import replace

from argosy.launcher.step import Input, Outcome, Output
from argosy.spec.model import (
    Collected,
    Constant,
    FinalStatus,
    FirstOf,
    Known,
    Loop,
    LoopItem,
    Parameter,
    Pipeline,
    Start,
    TaskOutput,
)
from argosy.spec.remaining import remaining
from argosy.spec.unrolling import Unrolling
from tests.fakes.plans import a_task, holds


def so_far(*tasks, loops=(), ended=(), outputs=None):
    """Return a plan of which some instances have ended, each with the output 2 or as it is said."""
    plan = Pipeline("small", "", {}, tasks, {loop.name: loop for loop in loops}, outputs or {})
    found = Unrolling(plan, {})
    said = dict(ended)
    while ready := [instance for instance in found.ready() if instance.name in said]:
        for instance in ready:
            found.end(instance, said[instance.name])
    return found


def gave(value, **more):
    return Outcome("reused", "sha256:k", {"Output": Output(value, **more)})


def within(name, *loops, **inputs):
    after = tuple(each.task for each in inputs.values() if isinstance(each, TaskOutput))
    return replace(a_task(name, "", loops=loops), inputs=inputs, start=Start(after=after))


def by_name(plan):
    return {task.name: task for task in plan.tasks}


SKIPPED = Outcome("skipped", reason="its condition does not hold")


def test_a_plan_of_which_nothing_is_done_is_left_as_it_is():
    found = so_far(a_task("a", ""), a_task("b", "", inputs={"n": ("a", "Output")}))

    assert remaining(found) == found.pipeline


def test_what_a_step_gave_is_known_and_no_longer_waited_for():
    left = remaining(
        so_far(a_task("a", ""), a_task("b", "", inputs={"n": ("a", "Output")}), ended={"a": gave(2)}.items())
    )

    assert [task.name for task in left.tasks] == ["b"]
    assert left.tasks[0].inputs == {"n": Known(Input(2, 2))}
    assert left.tasks[0].start == Start()


def test_a_measurement_keeps_the_identity_that_it_has_in_keys():
    ended = {"a": gave(0.5, measured=True)}.items()

    left = remaining(so_far(a_task("a", ""), a_task("b", "", inputs={"n": ("a", "Output")}), ended=ended))

    assert left.tasks[0].inputs == {"n": Known(Input(0.5, ["sha256:k", "Output"], measured=True))}


def test_nothing_is_left_of_a_plan_that_is_done():
    left = remaining(so_far(a_task("a", ""), ended={"a": gave(2)}.items(), outputs={"n": TaskOutput("a", "Output")}))

    assert left.tasks == ()
    assert left.outputs == {"n": Known(Input(2, 2))}


def test_of_a_loop_the_rounds_that_are_missing_are_left_and_what_is_collected_is_a_list_of_both():
    loop = Loop("L", Constant([7, 8, 9]), Parameter("item", "NUMBER_INTEGER"))
    total = replace(a_task("total", ""), inputs={"all": TaskOutput("each", "Output")}, start=Start(after=("each",)))
    ended = {"each[0]": gave(70), "each[2]": gave(90)}.items()

    left = by_name(remaining(so_far(within("each", "L", n=LoopItem("L")), total, loops=[loop], ended=ended)))

    assert list(left) == ["each[1]", "total"]
    assert left["each[1]"].inputs == {"n": Known(Input(8, 8))}
    assert left["each[1]"].loops == ()
    assert left["total"].inputs == {
        "all": Collected((Known(Input(70, 70)), TaskOutput("each[1]", "Output"), Known(Input(90, 90))))
    }
    # One round that is skipped does not skip what comes after the loop.
    assert left["total"].start == Start(after=("each[1]",), tolerates=("each[1]",))


def test_a_loop_whose_items_are_to_come_stays_one():
    loop = Loop("L", TaskOutput("list", "Output"), Parameter("item", "NUMBER_INTEGER"), start=Start(after=("list",)))
    tasks = a_task("list", ""), within("each", "L", n=LoopItem("L"))

    assert remaining(so_far(*tasks, loops=[loop])) == so_far(*tasks, loops=[loop]).pipeline


def test_a_limit_of_rounds_at_once_becomes_an_order_among_them():
    loop = Loop("L", Constant([7, 8, 9]), Parameter("item", "NUMBER_INTEGER"), limit=2)

    left = by_name(remaining(so_far(within("each", "L", n=LoopItem("L")), loops=[loop])))

    assert left["each[1]"].start == Start()
    assert left["each[2]"].start == Start(after=("each[0]",), survives=("each[0]",))


def test_a_condition_that_holds_is_gone_and_what_one_skips_is_gone_with_all_behind_it():
    kept = a_task("kept", "", after=("a", "b"), conditions=(holds("a", "Output", 2),))
    lost = a_task("lost", "", after=("a", "b"), conditions=(holds("a", "Output", 3),))
    behind = a_task("behind", "", inputs={"n": ("lost", "Output")})

    left = remaining(so_far(a_task("a", ""), a_task("b", ""), kept, lost, behind, ended={"a": gave(2)}.items()))

    assert list(by_name(left)) == ["b", "kept"]
    assert by_name(left)["kept"].start == Start(after=("b",))


def test_a_choice_that_was_made_is_known_and_one_that_is_open_loses_what_was_skipped():
    choice = FirstOf((TaskOutput("yes", "Output"), TaskOutput("no", "Output")))
    start = Start(after=("no", "yes"), tolerates=("no", "yes"), one_of=(("no", "yes"),))
    reader = replace(a_task("reader", "", after=()), inputs={"n": choice}, start=start)
    tasks = a_task("yes", ""), a_task("no", ""), reader

    made = by_name(remaining(so_far(*tasks, ended={"yes": gave(1)}.items())))["reader"]
    open_ = by_name(remaining(so_far(*tasks, ended={"yes": SKIPPED}.items())))["reader"]

    assert made.inputs == {"n": Known(Input(1, 1))}
    assert made.start.one_of == ()
    assert open_.inputs == {"n": FirstOf((TaskOutput("no", "Output"),))}
    assert open_.start == Start(after=("no",), tolerates=("no",), one_of=(("no",),))


def test_a_status_remembers_how_those_ended_that_are_gone():
    told = replace(
        a_task("told", ""),
        inputs={"status": FinalStatus("group", ("a", "b"))},
        start=Start(after=("a", "b"), survives=("a", "b")),
    )

    left = by_name(remaining(so_far(a_task("a", ""), a_task("b", ""), told, ended={"a": gave(2)}.items())))

    assert left["told"].inputs == {"status": FinalStatus("group", ("b",), ("ended",))}

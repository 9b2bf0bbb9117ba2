from dataclasses import replace

import pytest

from argosy.errors import Mistake
from argosy.launcher.step import Outcome, Output
from argosy.spec.model import (
    ArtifactSlot,
    ChannelOperand,
    Comparison,
    Condition,
    Constant,
    LiteralOperand,
    Loop,
    LoopItem,
    Parameter,
    Pipeline,
    Start,
    TaskOutput,
)
from argosy.spec.unrolling import Unrolling
from tests.fakes.plans import a_task, holds
from tests.fakes.unrolled import unroll

ITEM = Parameter("item", "NUMBER_INTEGER")


def a_loop(name="L", items=(1, 2, 3), **more):
    source = items if isinstance(items, TaskOutput) else Constant(list(items))
    return Loop(name, source, more.pop("item", ITEM), **more)


def within(name, *loops, start=None, **inputs):
    """Return a task that stands in loops, from the outside in."""
    task = a_task(name, "", inputs={}, outputs={"Output": "NUMBER_INTEGER"}, loops=loops)
    after = tuple(each.task for each in inputs.values() if isinstance(each, TaskOutput))
    return replace(task, inputs=inputs, start=start or Start(after=after))


def a_plan(*tasks, loops=()):
    return Pipeline("small", "", {}, tasks, loops={loop.name: loop for loop in loops})


def twice(instance, given):
    """Double the item; without one, be 5."""
    return {"Output": given["n"] * 2 if "n" in given else 5}


def zero(_instance, _given):
    """Give a number whatever is given, lists too."""
    return {"Output": 0}


def failing(*names):
    def compute(instance, given):
        if instance.name in names:
            raise Mistake(f"{instance.name} cannot")
        return twice(instance, given)

    return compute


N = LoopItem("L")


def test_a_loop_makes_an_instance_for_each_item():
    found = unroll(a_plan(within("t", "L", n=N), loops=[a_loop()]), compute=twice)

    assert found.given == {"t[0]": {"n": 1}, "t[1]": {"n": 2}, "t[2]": {"n": 3}}
    assert found.statuses() == {"t[0]": "ran", "t[1]": "ran", "t[2]": "ran"}


def test_loops_in_loops_number_their_instances_from_the_outside_in():
    inner = Loop("M", LoopItem("L"), ITEM, loops=("L",))
    plan = a_plan(within("t", "L", "M", n=LoopItem("M")), loops=[a_loop(items=[[1, 2], [], [3]]), inner])

    found = unroll(plan, compute=twice)

    assert found.given == {"t[0,0]": {"n": 1}, "t[0,1]": {"n": 2}, "t[2,0]": {"n": 3}}
    assert found.reason("t[1]") == "its loop has no items"


def test_a_task_in_a_loop_waits_for_its_own_round_only():
    plan = a_plan(within("a", "L", n=N), within("b", "L", n=TaskOutput("a", "Output")), loops=[a_loop()])

    found = unroll(plan, compute=twice, pick=lambda count: count - 1)

    assert found.ends == ["a[2]", "b[2]", "a[1]", "b[1]", "a[0]", "b[0]"]
    assert found.given["b[1]"] == {"n": 4}


def test_outside_of_its_loop_an_output_is_the_list_of_all_rounds_in_the_order_of_items():
    plan = a_plan(within("a", "L", n=N), within("sum", n=TaskOutput("a", "Output")), loops=[a_loop()])

    found = unroll(
        plan, compute=lambda i, given: zero(i, given) if i.name == "sum" else twice(i, given), pick=lambda n: n - 1
    )

    assert found.given["sum"] == {"n": [2, 4, 6]}


def test_loops_in_loops_are_collected_as_lists_of_lists():
    inner = Loop("M", LoopItem("L"), ITEM, loops=("L",))
    plan = a_plan(
        within("a", "L", "M", n=LoopItem("M")),
        within("row", "L", n=TaskOutput("a", "Output")),
        within("all", n=TaskOutput("a", "Output")),
        loops=[a_loop(items=[[1, 2], []]), inner],
    )

    found = unroll(plan, compute=lambda i, given: twice(i, given) if i.task.name == "a" else zero(i, given))

    assert found.given["row[0]"] == {"n": [2, 4]}
    assert found.given["row[1]"] == {"n": []}
    assert found.given["all"] == {"n": [[2, 4], []]}


def test_artifacts_of_loops_in_loops_are_collected_as_one_flat_list():
    made = a_task("a", "", outputs={"data": "system.Dataset"}, loops=("L", "M"))
    inner = Loop("M", LoopItem("L"), ITEM, loops=("L",))
    plan = a_plan(made, within("all", d=TaskOutput("a", "data")), loops=[a_loop(items=[[1, 2], [3]]), inner])

    found = unroll(plan, compute=lambda i, _: {"data": i.name} if i.task.name == "a" else {})

    assert found.given["all"] == {"d": ["a[0,0]", "a[0,1]", "a[1,0]"]}


def test_a_loop_over_artifacts_gives_one_to_each_round():
    many = a_task("many", "", outputs={})
    many.component.outputs["files"] = ArtifactSlot("files", "system.Dataset", is_list=True)
    loop = a_loop(
        items=TaskOutput("many", "files"), item=ArtifactSlot("f", "system.Dataset"), start=Start(after=("many",))
    )
    plan = a_plan(many, within("t", "L", f=N), loops=[loop])

    found = unroll(plan, compute=lambda i, _: {"files": ["x", "y"]} if i.name == "many" else {})

    assert found.given["t[0]"] == {"f": "x"}
    assert found.given["t[1]"] == {"f": "y"}


@pytest.mark.parametrize(("limit", "most"), [(None, 6), (1, 1), (2, 2), (9, 6)])
def test_no_more_rounds_are_under_way_than_a_loop_allows(limit, most):
    plan = a_plan(
        within("a", "L", n=N),
        within("b", "L", n=TaskOutput("a", "Output")),
        loops=[a_loop(items=range(6), limit=limit)],
    )
    so_far = Unrolling(plan, {})
    under_way, peak = [], 0
    while under_way := under_way + so_far.ready():
        peak = max(peak, len({instance.index for instance in under_way}))
        instance = under_way.pop()
        so_far.end(instance, outcome(instance))

    assert peak == most
    assert len(so_far.outcomes) == 12


def outcome(instance):
    return Outcome("ran", outputs={"Output": Output(1)})


def test_a_limit_holds_for_each_run_of_an_inner_loop_by_itself():
    inner = Loop("M", Constant([1, 2, 3]), ITEM, loops=("L",), limit=1)
    plan = a_plan(within("t", "L", "M", n=LoopItem("M")), loops=[a_loop(items=[1, 2]), inner])

    found = unroll(plan, compute=twice)

    assert found.most == 2
    assert len(found.ends) == 6


def test_a_round_that_ends_by_skips_makes_room_for_the_next():
    asked = within("t", "L", start=Start(after=("one",), conditions=(holds("one", "Output", 9),)))
    plan = a_plan(within("one"), asked, loops=[a_loop(items=range(4), limit=1)])

    found = unroll(plan, compute=twice)

    assert [found.statuses()[f"t[{n}]"] for n in range(4)] == ["skipped"] * 4


def test_a_failed_round_stops_what_follows_it_in_the_round_and_what_takes_all_rounds():
    plan = a_plan(
        within("a", "L", n=N),
        within("b", "L", n=TaskOutput("a", "Output")),
        within("all", n=TaskOutput("b", "Output")),
        within("aside"),
        loops=[a_loop()],
    )

    found = unroll(plan, compute=failing("a[1]"))

    statuses = found.statuses()
    assert (statuses["a[1]"], statuses["b[1]"], statuses["b[2]"], statuses["aside"]) == (
        "failed", "skipped", "ran", "ran",
    )  # fmt: skip
    assert found.reason("b[1]") == "a failed"


def test_what_takes_the_outputs_of_all_rounds_is_skipped_where_one_of_them_failed():
    plan = a_plan(within("a", "L", n=N), within("all", n=TaskOutput("a", "Output")), loops=[a_loop()])

    found = unroll(plan, compute=failing("a[0]"))

    assert found.statuses()["all"] == "skipped"
    assert found.reason("all") == "a failed"


def test_what_ignores_failures_gets_the_outputs_of_the_rounds_that_did_not_fail():
    survivor = within("all", n=TaskOutput("a", "Output"), start=Start(after=("a",), survives=("a",)))
    plan = a_plan(within("a", "L", n=N), survivor, loops=[a_loop()])

    found = unroll(plan, compute=lambda i, given: zero(i, given) if i.name == "all" else failing("a[0]")(i, given))

    assert found.given["all"] == {"n": [4, 6]}


def test_a_loop_without_items_gives_an_empty_list_and_what_follows_runs():
    plan = a_plan(within("a", "L", n=N), within("all", n=TaskOutput("a", "Output")), loops=[a_loop(items=[])])

    found = unroll(plan, compute=zero)

    assert found.statuses() == {"a": "skipped", "all": "ran"}
    assert found.given["all"] == {"n": []}
    assert found.reason("a") == "its loop has no items"


def test_a_loop_without_items_ends_the_loops_in_it_too():
    inner = Loop("M", Constant([1]), ITEM, loops=("L",))
    plan = a_plan(within("t", "L", "M"), within("all", n=TaskOutput("t", "Output")), loops=[a_loop(items=[]), inner])

    found = unroll(plan, compute=zero)

    assert found.given == {"all": {"n": []}}


def test_a_loop_whose_condition_does_not_hold_is_skipped_with_all_that_needs_it():
    loop = a_loop(start=Start(after=("one",), conditions=(holds("one", "Output", 9),)))
    plan = a_plan(within("one"), within("a", "L", n=N), within("all", n=TaskOutput("a", "Output")), loops=[loop])

    found = unroll(plan, compute=twice)

    assert found.statuses() == {"a": "skipped", "all": "skipped", "one": "ran"}
    assert found.reason("a") == "its condition does not hold"
    assert found.so_far.rounds == {}


def test_a_condition_in_a_loop_is_decided_in_each_round():
    big = Condition("item > 1", Comparison(">", ChannelOperand("i"), LiteralOperand(1)), {"i": N})
    plan = a_plan(
        within("t", "L", n=N, start=Start(conditions=(big,))),
        within("all", n=TaskOutput("t", "Output")),
        loops=[a_loop()],
    )

    found = unroll(plan, compute=lambda i, given: zero(i, given) if i.name == "all" else twice(i, given))

    assert found.statuses() == {"all": "ran", "t[0]": "skipped", "t[1]": "ran", "t[2]": "ran"}
    assert found.given["all"] == {"n": [4, 6]}


def test_a_loop_that_is_given_no_list_fails_and_says_what_it_got():
    plan = a_plan(
        within("one"),
        within("a", "L", n=N),
        within("after", start=Start(after=("a",))),
        loops=[a_loop(items=TaskOutput("one", "Output"), start=Start(after=("one",)))],
    )

    found = unroll(plan, compute=twice)

    assert found.statuses() == {"a": "failed", "after": "skipped", "one": "ran"}
    assert found.reason("a") == "loop L: its items are 5; a list is needed"


def test_the_instances_that_an_instance_waited_for_are_those_of_its_rounds_and_all_of_other_loops():
    plan = a_plan(
        within("one"),
        within("a", "L", n=N),
        within("b", "L", n=TaskOutput("a", "Output")),
        within("all", n=TaskOutput("b", "Output")),
        loops=[a_loop(start=Start(after=("one",)))],
    )

    so_far = unroll(plan, compute=zero).so_far

    waited = {each.name: so_far.upstream(each) for made in so_far.instances.values() for each in made}
    assert waited["b[1]"] == ["a[1]", "one"]
    assert waited["all"] == ["b[0]", "b[1]", "b[2]"]


def test_a_task_is_over_when_all_its_instances_have_ended():
    so_far = Unrolling(a_plan(within("t", "L", n=N), loops=[a_loop(items=[1, 2])]), {})
    first, second = so_far.ready()

    so_far.end(first, outcome(first))
    assert not so_far.is_over("t")
    so_far.end(second, outcome(second))
    assert so_far.is_over("t")
    assert so_far.ready() == []


def test_instances_become_ready_in_the_order_of_the_plan_and_of_items():
    plan = a_plan(within("z"), within("a", "L", n=N), loops=[a_loop(items=[1, 2])])

    assert [instance.name for instance in Unrolling(plan, {}).ready()] == ["z", "a[0]", "a[1]"]

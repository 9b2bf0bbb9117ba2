import pytest

from argosy.argo.depends import depends, read_waits
from argosy.argo.scopes import read_scopes
from argosy.argo.wanted import Wanted
from argosy.argo.workflow import manifest
from argosy.errors import Unsupported
from argosy.spec.model import Constant, Loop, Parameter, Pipeline, Start
from tests.fakes.plans import a_plan, a_task, holds

CODE = "def step():\n    return 1\n"
ITEM = Parameter("item", "NUMBER_INTEGER")


def waits_of(plan, name):
    scopes = read_scopes(plan)
    task = scopes.tasks[name]
    return depends(read_waits(task.start, task.loops, scopes).nodes)


def in_loop(*tasks, loops):
    return Pipeline("small", "", {}, tasks, loops={loop.name: loop for loop in loops})


def test_a_task_waits_for_success_for_no_failure_or_for_any_end():
    plan = a_plan(
        a_task("a", CODE),
        a_task("b", CODE),
        a_task("c", CODE),
        a_task("d", CODE, after=["a", "b", "c"], tolerates=("b",), survives=("c",)),
    )

    assert waits_of(plan, "a") is None
    assert waits_of(plan, "d") == (
        "a.Succeeded && (b.Succeeded || b.Skipped || b.Omitted)"
        " && (c.Succeeded || c.Failed || c.Errored || c.Skipped || c.Omitted)"
    )


def test_of_the_tasks_of_a_loop_the_strictest_wait_counts():
    loop = Loop("loop", Constant([1]), ITEM)
    plan = in_loop(
        a_task("a", CODE, loops=("loop",)),
        a_task("b", CODE, loops=("loop",)),
        a_task("c", CODE, after=["a", "b"], tolerates=("a",)),
        loops=[loop],
    )

    assert waits_of(plan, "c") == "loop.Succeeded"


def test_a_loop_waits_for_what_its_tasks_wait_for():
    plan = in_loop(
        a_task("a", CODE), a_task("b", CODE, after=["a"], loops=("loop",)), loops=[Loop("loop", Constant([1]), ITEM)]
    )

    main = manifest(plan, Wanted())["spec"]["templates"][0]

    assert main["dag"]["tasks"][1]["depends"] == "a.Succeeded"


def test_a_loop_that_would_be_skipped_for_one_of_its_tasks_is_refused():
    plan = in_loop(
        a_task("flag", CODE),
        a_task("a", CODE, after=["flag"], conditions=(holds("flag", "Output", 1),)),
        a_task("b", CODE, after=["a"], loops=("loop",)),
        loops=[Loop("loop", Constant([1]), ITEM)],
    )

    with pytest.raises(Unsupported, match=r"^tasks\.b\.dependentTasks: wait in a loop \(waits for a\)"):
        manifest(plan, Wanted())


def test_a_loop_under_the_same_condition_is_not():
    condition = holds("flag", "Output", 1)
    plan = in_loop(
        a_task("flag", CODE),
        a_task("a", CODE, after=["flag"], conditions=(condition,)),
        a_task("b", CODE, after=["a"], loops=("loop",)),
        loops=[Loop("loop", Constant([1]), ITEM, start=Start(after=("flag",), conditions=(condition,)))],
    )

    assert manifest(plan, Wanted())

from argosy.argo.depends import depends
from argosy.argo.nodes import dag_nodes, needed_conditions, needed_waits, survived_nodes
from argosy.argo.scopes import read_scopes
from tests.fakes.plans import a_plan, a_task, holds

CODE = "def step():\n    return 1\n"


def nodes_of(*tasks):
    return dag_nodes((), read_scopes(a_plan(*tasks)))


def test_what_follows_from_another_wait_is_not_said_again():
    nodes = nodes_of(a_task("a", CODE), a_task("b", CODE, after=["a"]), a_task("c", CODE, after=["a", "b"]))

    assert depends(needed_waits(nodes["c"], nodes)) == "b.Succeeded"
    assert nodes["c"].certain == {"a", "b"}


def test_a_condition_that_held_for_a_task_before_is_not_said_again():
    condition = holds("a", "Output", 1)
    nodes = nodes_of(
        a_task("a", CODE),
        a_task("b", CODE, after=["a"], conditions=(condition,)),
        a_task("c", CODE, after=["a", "b"], conditions=(condition,)),
        a_task("d", CODE, after=["a", "b"], tolerates=("b",), conditions=(condition,)),
    )

    assert needed_conditions(nodes["b"], nodes) == [condition]
    assert needed_conditions(nodes["c"], nodes) == []
    assert needed_conditions(nodes["d"], nodes) == [condition]


def test_what_an_exit_handler_comes_after_is_watched_with_all_before_it():
    nodes = nodes_of(a_task("a", CODE), a_task("b", CODE, after=["a"]), a_task("c", CODE, after=["b"], survives=("b",)))

    assert survived_nodes(nodes) == ["a", "b"]


def test_behind_a_branch_only_what_came_before_the_branch_can_be_hidden():
    nodes = nodes_of(
        a_task("a", CODE), a_task("b", CODE, after=["a"]), a_task("c", CODE, after=["b"], tolerates=("b",))
    )

    assert survived_nodes(nodes) == ["a"]


def test_a_failure_that_the_task_itself_waits_for_is_not_hidden():
    nodes = nodes_of(
        a_task("a", CODE), a_task("b", CODE, after=["a"]), a_task("c", CODE, after=["a", "b"], tolerates=("b",))
    )

    assert survived_nodes(nodes) == []

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.errors import Mistake
from argosy.spec.order import in_order

DAGS = st.integers(1, 12).flatmap(
    lambda n: st.tuples(*(st.sets(st.integers(0, i - 1)) if i else st.just(set()) for i in range(n)))
)


@given(DAGS, st.randoms(use_true_random=False))
def test_the_order_is_topological_and_does_not_depend_on_the_order_of_the_input(dag, random):
    after = {f"t{i}": {f"t{j}" for j in earlier} for i, earlier in enumerate(dag)}
    shuffled = list(after.items())
    random.shuffle(shuffled)

    order = in_order(after, "place")

    assert in_order(dict(shuffled), "place") == order
    assert all(order.index(other) < order.index(name) for name, earlier in after.items() for other in earlier)


def test_ties_go_by_name():
    assert in_order({"c": [], "a": ["d"], "b": [], "d": []}, "place") == ["b", "c", "d", "a"]


def test_tasks_that_wait_for_each_other_are_named():
    with pytest.raises(Mistake, match=r"^place: these tasks wait for each other: a, b, c$"):
        in_order({"a": ["b"], "b": ["a"], "c": ["b"], "d": []}, "place")

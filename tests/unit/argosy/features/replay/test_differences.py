import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.features.replay.differences import name_differences

TEMPERATURES = [float(degree) for degree in range(20, 90)]
RAIN = [step / 7 for step in range(40)] * 3


def kinds(pairs):
    return [(each.kind, each.cells) for each in name_differences(pairs)]


def test_what_is_equal_does_not_differ():
    assert kinds([(1.0, 1.0), (None, None), ("a", "a")]) == []


@pytest.mark.parametrize(
    ("served", "note"),
    [
        (lambda f: (f - 32) * 5 / 9, "served = 0.555556 * expected -17.7778"),
        (lambda f: f * 1000, "served = 1000 * expected +0"),
        (lambda f: -f, "served = -1 * expected +0"),
        (lambda f: f + 300, "served = 1 * expected +300"),
    ],
)
def test_another_unit_is_a_line_and_the_line_is_told(served, note):
    [found] = name_differences([(value, served(value)) for value in TEMPERATURES])

    assert (found.kind, found.cells, found.note) == ("unit", 70, note)


def test_a_unit_that_changed_halfway_is_told_by_the_cells_that_differ():
    pairs = [(value, value if value < 50 else value * 2) for value in TEMPERATURES]

    assert kinds(pairs) == [("unit", 40)]


@pytest.mark.parametrize("default", [0.0, -1.0, "unknown"])
def test_one_value_for_nulls_is_a_default(default):
    pairs = [(None, default)] * 9 + [(5.0, 5.0)] * 3

    assert kinds(pairs) == [("default instead of null", 9)]


def test_many_values_for_nulls_are_no_default():
    assert kinds([(None, float(number)) for number in range(9)]) == [("value", 9)]


def test_a_null_for_a_value_is_told_apart():
    assert kinds([(1.0, None), (2.0, 2.0)]) == [("null instead of value", 1)]


@pytest.mark.parametrize(
    "step",
    [lambda raw: raw**2, lambda raw: min(raw, 2.0), lambda raw: float(raw > 1), lambda raw: float(round(raw))],
    ids=["curve", "clip", "threshold", "rounding"],
)
def test_a_step_that_was_left_out_or_done_twice_is_a_transformation(step):
    assert [kind for kind, _ in kinds([(step(raw), raw) for raw in RAIN])] == ["skipped transformation"]
    twice = [(raw, step(raw)) for raw in RAIN]
    assert [kind for kind, _ in kinds(twice)] == ["skipped transformation"]


def test_a_grouping_of_texts_that_was_left_out_is_a_transformation():
    pairs = [
        ("OTHER" if maker in ("CESSNA", "PIPER") else maker, maker) for maker in ("AIRBUS", "BOEING", "CESSNA", "PIPER")
    ]

    assert kinds(pairs * 5) == [("skipped transformation", 10)]


def test_values_without_a_pattern_are_values():
    pairs = [(1.0, 2.0), (1.0, 3.0), (2.0, 1.0), (2.0, 5.0), (3.0, 2.0), (3.0, 9.0)] * 3

    assert kinds(pairs) == [("value", 18)]


def test_two_values_are_too_few_for_a_line_or_a_function():
    assert kinds([(1.0, 2.0), (2.0, 4.0)]) == [("value", 2)]


CELLS = st.none() | st.floats(-100, 100, width=32) | st.sampled_from(["a", "b"])


@given(st.lists(st.tuples(CELLS, CELLS), max_size=30))
def test_every_differing_cell_is_in_exactly_one_kind(pairs):
    assert sum(each.cells for each in name_differences(pairs)) == sum(one != two for one, two in pairs)

from __future__ import annotations

from itertools import combinations, pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.report.layers import assign_layers, place, reduce_edges

TRAINING = {
    "ingest": [],
    "rules": [],
    "retrieve": ["ingest", "rules"],
    "train": ["retrieve"],
    "champion": [],
    "evaluate": ["train", "retrieve"],
    "measure": ["train"],
    "compare": ["evaluate", "champion", "retrieve"],
    "gates": ["compare", "measure", "evaluate"],
}


def test_a_small_pipeline_has_this_layout():
    layout = place(TRAINING)

    assert layout.layers == 6
    assert layout.positions == {
        "ingest": (1.0, 0.0),
        "rules": (2.0, 0.0),
        "retrieve": (1.5, 1.0),
        "train": (1.5, 2.0),
        "champion": (0.0, 3.0),
        "evaluate": (1.0, 3.0),
        "measure": (2.0, 3.0),
        "compare": (0.5, 4.0),
        "gates": (1.25, 5.0),
    }
    assert [(up, node) for up, node, _ in layout.edges] == [
        ("ingest", "retrieve"),
        ("rules", "retrieve"),
        ("retrieve", "train"),
        ("train", "evaluate"),
        ("train", "measure"),
        ("evaluate", "compare"),
        ("champion", "compare"),
        ("compare", "gates"),
        ("measure", "gates"),
    ]


def test_a_long_edge_bends_at_each_layer_that_it_passes():
    layout = place(TRAINING)

    (route,) = [points for up, node, points in layout.edges if (up, node) == ("measure", "gates")]
    assert [y for _, y in route] == [3.0, 4.0, 5.0]


def test_edges_that_a_longer_path_implies_are_left_out():
    assert reduce_edges({"a": [], "b": ["a"], "c": ["a", "b"]}) == {"a": [], "b": ["a"], "c": ["b"]}


def test_a_source_stands_close_to_its_use():
    layers = assign_layers({"a": [], "b": ["a"], "c": ["b"], "late": [], "d": ["c", "late"], "alone": []})

    assert layers == {"a": 0, "b": 1, "c": 2, "late": 2, "d": 3, "alone": 0}


def test_crossing_edges_are_untangled():
    layout = place({"a": [], "b": [], "x": ["b"], "y": ["a"]})

    left = min("ab", key=lambda name: layout.positions[name][0])
    below = {"a": "y", "b": "x"}[left]
    assert layout.positions[below][0] == min(layout.positions[name][0] for name in "xy")


def test_a_chain_is_straight():
    layout = place({"a": [], "b": ["a"], "c": ["b"], "d": ["c"]})

    assert {x for x, _ in layout.positions.values()} == {0.0}


def test_cycles_and_unknown_nodes_still_have_a_picture():
    layout = place({"a": ["b", "nowhere"], "b": ["a"], "c": ["c", "b", "b"]})

    assert set(layout.positions) == {"a", "b", "c"}
    assert len(layout.edges) == 2


def test_no_nodes_make_an_empty_layout():
    assert place({}).positions == {}


@given(st.lists(st.sets(st.integers(0, 11), max_size=4), max_size=12))
@settings(max_examples=60, deadline=None)
def test_edges_run_down_and_nodes_never_overlap(befores):
    after = {f"n{i}": [f"n{up}" for up in sorted(ups) if up < i] for i, ups in enumerate(befores)}

    layout = place(after)

    for _, _, points in layout.edges:
        assert all(lower[1] == upper[1] + 1 for upper, lower in pairwise(points))
    for one, other in combinations(layout.positions.values(), 2):
        assert one[1] != other[1] or abs(one[0] - other[0]) > 0.99

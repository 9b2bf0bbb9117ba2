from __future__ import annotations

import math

from argosy.report import reading


def test_odd_parts_read_as_empty():
    assert reading.mapping([1]) == {}
    assert reading.items("text") == ()
    assert reading.rows([{"a": 1}, None, 3]) == [{"a": 1}]
    assert reading.numbers([1, None, math.nan, "2", 0.5]) == [1.0, 0.5]
    assert reading.texts(["a", 1]) == ["a"]
    assert reading.section({"sections": None}, "metrics") == {}


def test_the_first_key_that_has_a_value_counts():
    assert reading.first({"a": None, "b": 0, "c": 2}, "a", "b", "c") == 0
    assert reading.first({}, "a") is None


def test_of_steps_with_one_name_the_first_is_read():
    run = {"steps": [{"name": "a", "status": "ran"}, {"name": "a"}, {"name": 3}, "odd"]}

    assert reading.steps(run) == [{"name": "a", "status": "ran"}]


def test_an_unknown_status_reads_as_unfinished():
    assert [reading.status_of({"status": status}) for status in ("reused", "lost", None)] == [
        "reused",
        "unfinished",
        "unfinished",
    ]

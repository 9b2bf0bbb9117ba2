from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.validation.rows import conflict_finding, drop_repeats, find_conflicts, set_aside


def table(*rows: tuple[str, int | None]) -> pa.Table:
    return pa.table(
        {
            "key": pa.array([row[0] for row in rows], pa.string()),
            "value": pa.array([row[1] for row in rows], pa.int64()),
        }
    )


def test_equal_rows_count_once_where_they_first_stood():
    kept, (finding,) = drop_repeats(table(("b", 1), ("a", None), ("b", 1), ("a", None), ("b", 2)), "t", key=["key"])

    assert kept.equals(table(("b", 1), ("a", None), ("b", 2)))
    assert (finding.action, finding.rows) == ("WARN", 2)


def test_rows_with_distinct_keys_are_left_alone():
    rows = table(("a", 1), ("b", 1))

    assert drop_repeats(rows, "t", key=["key"]) == (rows, [])


def test_a_key_with_two_contents_is_no_repeat():
    rows = table(("a", 1), ("a", 2))

    assert drop_repeats(rows, "t", key=["key"]) == (rows, [])
    assert find_conflicts(rows, ["key"]).tolist() == [True, True]


def test_a_conflict_is_reported_once():
    (finding,) = conflict_finding(np.array([True, False, True]), "t", ["key"])

    assert (finding.action, finding.rows) == ("QUARANTINE", 2)
    assert conflict_finding(np.zeros(3, dtype=bool), "t", ["key"]) == []


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 2)), max_size=12))
def test_dropping_repeats_is_like_an_ordered_set(rows: list[tuple[str, int]]):
    kept, _ = drop_repeats(table(*rows), "t", key=["key"])

    assert kept.equals(table(*dict.fromkeys(rows)))


def test_rows_are_set_aside_with_all_their_reasons():
    faults = {"too old": np.array([True, False, True]), "too late": np.array([False, False, True])}

    sound, aside, findings = set_aside(table(("a", 1), ("b", 2), ("c", 3)), "t", faults, limit=1.0)

    assert sound["key"].to_pylist() == ["b"]
    assert aside["reasons"].to_pylist() == ["too old", "too old; too late"]
    assert findings == []


@pytest.mark.parametrize(("faulty", "refused"), [(1, False), (2, True)])
def test_one_percent_of_faulty_rows_is_the_limit(faulty: int, refused: bool):
    rows = pa.table({"key": list(range(100))})

    *_, findings = set_aside(rows, "t", {"too old": np.arange(100) < faulty}, limit=0.01)

    assert [finding.action for finding in findings] == ["REJECT"] * refused


def test_no_faults_set_nothing_aside():
    sound, aside, _ = set_aside(table(("a", 1)), "t", {}, limit=0.0)

    assert (sound.num_rows, aside.num_rows) == (1, 0)
    assert "reasons" in aside.column_names

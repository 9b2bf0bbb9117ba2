from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from argosy.validation.contract import Band, Column, Contract
from argosy.validation.population import band_problem, check_bands, check_categories, check_match, check_volumes

CARRIERS = Contract("flights", (Column("carrier", pa.string(), known=frozenset({"AA", "UA"})),), key=("carrier",))


def flights(*carriers: str | None) -> pa.Table:
    return pa.table({"carrier": pa.array(carriers, pa.string())})


def test_volumes_inside_their_limits_pass():
    assert check_volumes({"a": 1, "b": 9, "other": 0}, {"a": (1, 9), "b": (1, 9)}, "t") == []


def test_odd_and_absent_segments_are_named():
    (finding,) = check_volumes({"a": 10}, {"a": (1, 9), "b": (1, 9)}, "t")

    assert finding.action == "REJECT"
    assert "a: 10 rows, allowed 1 .. 9; b: 0 rows, allowed 1 .. 9" in finding.message


@pytest.mark.parametrize(
    ("carriers", "actions"),
    [
        (["AA"] * 99 + ["UA"], []),
        (["AA"] * 99 + [None], []),
        (["AA"] * 99 + ["ZZ"], ["WARN"]),
        (["AA"] * 98 + ["ZZ"] * 2, ["REJECT"]),
        (["AA"] * 996 + ["UA", "W", "X", "Y"], ["REJECT"]),
    ],
    ids=["known", "null", "few unseen", "many unseen", "too many distinct"],
)
def test_unseen_categories_are_recorded_or_refused(carriers: list[str], actions: list[str]):
    assert [finding.action for finding in check_categories(flights(*carriers), CARRIERS)] == actions


@pytest.mark.parametrize(("matched", "passes"), [(79, False), (80, True), (90, True), (91, False)])
def test_a_match_rate_stays_within_five_points(matched: int, passes: bool):
    findings = check_match(matched=matched, total=100, reference=0.85, place=("t", "key"), at="May in other")

    assert (findings == []) is passes


def test_no_rows_match_nothing():
    (finding,) = check_match(matched=0, total=0, reference=0.85, place=("t", "key"), at="May in other")

    assert finding.message.startswith("0.0% of May in other match, allowed 80.0% .. 90.0%")


@pytest.mark.parametrize(
    ("numbers", "band", "words"),
    [
        ([37, 47, 62], Band(37, 47, 62), None),
        ([70, 75, 80], Band(37, 47, 62), None),
        ([2, 8, 17], Band(37, 47, 62), "median is 8, allowed 15.6667 .. 141"),
        ([30.0, 30.1, 30.2], Band(1011, 1017, 1023), "median is 30.1, allowed 969 .. 1065"),
        ([-300, -20, 720], Band(-5, -1, 12), "quartiles are 510 apart, allowed 51"),
    ],
    ids=["same", "a season", "a ratio", "a shift", "a spread"],
)
def test_quartiles_tell_of_another_unit(numbers: list[float], band: Band, words: str | None):
    problem = band_problem(np.array(numbers, dtype=np.float64), band)

    assert problem is None if words is None else words in str(problem)


def test_a_band_names_its_column_and_period():
    contract = Contract("t", (Column("x", pa.float64(), band=Band(1, 2, 3)), Column("y", pa.float64())), key=("x",))
    table = pa.table({"x": [100.0, None, float("nan")], "y": [1e9, 1e9, 1e9]})

    (finding,) = check_bands(table, contract, at="May")

    assert (finding.column, finding.check, finding.rows) == ("x", "unit", 1)
    assert "in May" in finding.message


def test_a_column_without_values_has_no_band():
    contract = Contract("t", (Column("x", pa.float64(), band=Band(1, 2, 3)),), key=("x",))

    assert check_bands(pa.table({"x": pa.array([None], pa.float64())}), contract, at="May") == []

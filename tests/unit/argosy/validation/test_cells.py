from __future__ import annotations

import math

import numpy as np
import pyarrow as pa

from argosy.validation.cells import as_floats, check_null_budgets, find_faulty_rows, null_impossible, record_nulls
from argosy.validation.contract import Column, Contract

WIND = Column("wind", pa.float64(), max_null=0.5, low=0, high=150, outside="NULL", sentinels=(-9999.0, 99.0))
MILES = Column("miles", pa.int64(), low=1, high=5000)
CONTRACT = Contract("hours", (WIND, MILES), key=("miles",))


def hours(wind: list[float | None], miles: list[int | None] | None = None) -> pa.Table:
    lengths = miles if miles is not None else list(range(1, len(wind) + 1))
    return pa.table({"wind": pa.array(wind, pa.float64()), "miles": pa.array(lengths, pa.int64())})


def test_what_is_no_magnitude_becomes_null():
    table, findings = null_impossible(hours([5.0, math.inf, math.nan, -9999.0, 1048.0, None]), CONTRACT)

    assert table["wind"].to_pylist() == [5.0, None, None, None, None, None]
    assert [(finding.check, finding.rows) for finding in findings] == [
        ("not finite", 2),
        ("sentinel", 1),
        ("impossible value", 1),
    ]


def test_a_code_inside_the_range_is_still_a_code():
    table, (finding,) = null_impossible(hours([99.0]), CONTRACT)

    assert table["wind"].to_pylist() == [None]
    assert (finding.check, finding.action) == ("sentinel", "NULL")


def test_limits_are_possible_values():
    assert null_impossible(hours([0.0, 150.0]), CONTRACT)[1] == []
    assert find_faulty_rows(hours([1.0, 1.0], [1, 5000]), CONTRACT) == ([], {})


def test_a_row_without_a_required_value_or_with_an_impossible_one_is_faulty():
    findings, faults = find_faulty_rows(hours([1.0, None, 2.0], [None, 7, 5001]), CONTRACT)

    assert {reason: rows.nonzero()[0].tolist() for reason, rows in faults.items()} == {
        "miles is missing": [0],
        "miles is outside 1 .. 5000": [2],
    }
    assert {finding.action for finding in findings} == {"QUARANTINE"}


def test_a_text_of_another_form_makes_its_row_faulty():
    contract = Contract("t", (Column("day", pa.string(), max_null=1, pattern=r"^\d{4}$"),), key=("day",))

    _, faults = find_faulty_rows(pa.table({"day": ["2013", "13", None]}), contract)

    assert faults[r"day is not like ^\d{4}$"].tolist() == [False, True, False]


def test_nulls_within_the_budget_pass():
    assert check_null_budgets(hours([1.0, None]), CONTRACT, at="May") == []


def test_nulls_over_the_budget_are_refused_with_their_period():
    (finding,) = check_null_budgets(hours([None, None, 1.0]), CONTRACT, at="May")

    assert finding.action == "REJECT"
    assert finding.message.startswith("66.7% of May is null, allowed 50.0%")


def test_nulls_with_a_meaning_are_recorded():
    (finding,) = record_nulls(hours([None, 1.0]), CONTRACT, ["wind", "miles"])

    assert (finding.column, finding.rows, finding.action) == ("wind", 1, "WARN")


def test_integers_with_nulls_become_floats_with_nan():
    np.testing.assert_array_equal(as_floats(pa.chunked_array([[1, None], [3]])), [1.0, np.nan, 3.0])

from __future__ import annotations

import pyarrow as pa
import pytest

from argosy.validation.contract import Column, Contract
from argosy.validation.shape import check_columns, settle_types

PEOPLE = Contract("people", (Column("name", pa.string()), Column("age", pa.int64())), key=("name",))


def people(age: object, **more: object) -> pa.Table:
    rows = len(age)  # type: ignore[arg-type]
    return pa.table({"name": pa.array(["x"] * rows, pa.string()), "age": age, **more})


def actions(table: pa.Table) -> list[tuple[str, str, str]]:
    return [(finding.check, finding.column, finding.action) for finding in check_columns(table, PEOPLE)]


def test_the_agreed_table_has_no_finding():
    assert actions(people([1, 2])) == []


def test_missing_additional_and_empty_are_found_together():
    table = pa.table({"Name": pa.array([], pa.string()), "age": pa.array([], pa.int64())})

    assert actions(table) == [
        ("missing column", "name", "REJECT"),
        ("extra column", "Name", "WARN"),
        ("empty", "", "REJECT"),
    ]


def test_text_of_numbers_only_is_another_type():
    assert actions(people(["1", "2"])) == [("type", "age", "REJECT")]


def test_a_column_of_nulls_only_has_no_type_of_its_own():
    table = people(pa.nulls(2))

    assert actions(table) == []
    assert settle_types(table, PEOPLE)[0]["age"].type == pa.int64()


def test_up_to_one_percent_of_words_makes_a_mixed_column():
    ages = ["7"] * 99 + ["old"]

    assert actions(people(ages)) == []
    assert actions(people([*ages, "older"])) == [("type", "age", "REJECT")]


def test_a_mixed_column_becomes_numbers_and_its_words_faults():
    table, findings, faults = settle_types(people(["7"] * 198 + [None, "old"], more=["-"] * 200), PEOPLE)

    assert table.column_names == ["name", "age"]
    assert table["age"].to_pylist()[-3:] == [7, None, None]
    assert faults["age is not a number"].nonzero()[0].tolist() == [199]
    assert "such as ['old']" in findings[0].message


@pytest.mark.parametrize("word", ["07", "7.5", "1e3", "9" * 30, " 7", ""])
def test_what_does_not_fit_a_whole_number_is_a_word(word: str):
    _, _, faults = settle_types(people(["7"] * 199 + [word]), PEOPLE)

    assert faults["age is not a number"].sum() == 1

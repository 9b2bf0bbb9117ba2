from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from argosy.errors import BadInput
from argosy.validation.delivery import (
    detect_encoding,
    header_problems,
    missing_column,
    read_csv,
    read_delivery,
    require_digests,
)

if TYPE_CHECKING:
    from pathlib import Path

DIGEST_OF_ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
TYPES = {"name": pa.string(), "age": pa.int64()}


def test_pinned_files_pass(tmp_path: Path):
    (tmp_path / "a.csv").write_bytes(b"abc")

    require_digests(tmp_path, {"a.csv": DIGEST_OF_ABC})


def test_all_files_that_are_not_the_pinned_ones_are_named(tmp_path: Path):
    (tmp_path / "a.csv").write_bytes(b"abd")

    with pytest.raises(BadInput, match=rf"a\.csv: got sha256 .*expected sha256 {DIGEST_OF_ABC}; b\.csv: got no such"):
        require_digests(tmp_path, {"a.csv": DIGEST_OF_ABC, "b.csv": DIGEST_OF_ABC})


def test_an_archive_of_two_members_is_refused(tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("one", "1")
        archive.writestr("two", "2")

    with pytest.raises(BadInput, match=r"a\.zip: cannot be read \(expected one member, got 2\)"):
        read_delivery(tmp_path / "a.zip")


def test_an_archive_gives_its_member(tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.csv", b"\xef\xbb\xbfname\nx\n")

    assert read_delivery(tmp_path / "a.zip") == b"name\nx\n"


@pytest.mark.parametrize(
    ("data", "encoding"),
    [("é".encode("latin-1"), "latin-1"), ("“é”".encode("cp1252"), "cp1252"), ("é".encode("utf-16"), "utf-16")],
)
def test_an_encoding_is_guessed_from_its_bytes(data: bytes, encoding: str):
    assert detect_encoding(data) == encoding


def test_a_header_with_all_columns_has_no_problem():
    assert header_problems("a.csv", b'"age",name,more\r\n1,x,y\n', TYPES) == []


def test_a_delimiter_is_named():
    assert header_problems("a.csv", b"name;age\n", TYPES) == [
        "a.csv: got the delimiter ';', expected ','; export it with commas"
    ]


def test_every_missing_column_is_named():
    problems = header_problems("a.csv", b"Name,years\n", TYPES)

    assert [problem.split(":")[0] for problem in problems] == ["a.csv.name", "a.csv.age"]
    assert "'Name' looks like it" in problems[0]


def test_a_far_name_is_no_hint():
    assert "looks like" not in missing_column("age", ["colour"])


def test_missing_values_are_null_and_words_leave_their_column_text():
    table = read_csv("a.csv", b"name,age,more\nNA,1,2\nx,N/A,\n", TYPES)

    assert table.to_pydict() == {"name": [None, "x"], "age": ["1", "N/A"], "more": [2, None]}


def test_numbers_are_numbers():
    table = read_csv("a.csv", b"name,age\nx,\ny,07\n", TYPES)

    assert table["age"].to_pylist() == [None, 7]


def test_a_short_row_is_refused():
    with pytest.raises(BadInput, match=r"a\.csv: cannot be parsed \(.*Expected 2 columns, got 1"):
        read_csv("a.csv", b"name,age\nx\n", TYPES)

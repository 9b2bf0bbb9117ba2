from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from argosy.validation.parquet import damaged_files, read_folder, write_folder

if TYPE_CHECKING:
    from pathlib import Path

ONE, TWO = pa.table({"a": [1, 2]}), pa.table({"a": [3]})


def test_parts_are_read_as_one_table_in_the_order_of_their_names(tmp_path: Path):
    write_folder(tmp_path, {"rows/part-2.parquet": TWO, "rows/part-1.parquet": ONE, "other.parquet": TWO})

    tables = read_folder(tmp_path)

    assert {name: table["a"].to_pylist() for name, table in tables.items()} == {"rows": [1, 2, 3], "other": [3]}
    assert damaged_files(tmp_path) == []


def test_metadata_of_other_libraries_is_left_out(tmp_path: Path):
    write_folder(tmp_path, {"rows.parquet": ONE.replace_schema_metadata({"pandas": "{}"})})

    assert pq.read_schema(tmp_path / "rows.parquet").metadata is None


def test_the_same_rows_in_other_chunks_are_the_same_bytes(tmp_path: Path):
    write_folder(tmp_path / "one", {"rows.parquet": pa.table({"a": [1, 2, 3]})})
    write_folder(tmp_path / "two", {"rows.parquet": pa.concat_tables([ONE, TWO])})

    assert (tmp_path / "one/rows.parquet").read_bytes() == (tmp_path / "two/rows.parquet").read_bytes()


def test_a_changed_a_missing_and_an_added_file_are_named(tmp_path: Path):
    write_folder(tmp_path, {"a.parquet": ONE, "b.parquet": ONE})
    (tmp_path / "a.parquet").write_bytes(b"x")
    (tmp_path / "b.parquet").rename(tmp_path / "c.parquet")

    lines = damaged_files(tmp_path)

    assert [line.split(":")[0] for line in lines] == ["a.parquet", "b.parquet", "c.parquet"]
    assert "got no file" in lines[1]
    assert "manifest says no such file" in lines[2]


def test_a_folder_without_a_manifest_is_damaged(tmp_path: Path):
    (line,) = damaged_files(tmp_path)

    assert line.startswith("manifest.json: missing")


def test_no_tables_leave_an_empty_manifest(tmp_path: Path):
    write_folder(tmp_path / "new", {})

    assert damaged_files(tmp_path / "new") == []
    assert read_folder(tmp_path / "new") == {}

"""Read and write the tables of the feature steps: instants as integers inside, one fixed Parquet form outside.

Nothing here hands Python or NumPy values to pyarrow one by one: that makes pyarrow import pandas, which costs a step
more than its work.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from argosy.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

INSTANT = pa.timestamp("us", tz="UTC")
ROW_GROUP_SIZE = 131_072


def connect() -> duckdb.DuckDBPyConnection:
    """Open an in-memory DuckDB that fetches no extension and keeps the order of rows."""
    return duckdb.connect(
        config={"autoinstall_known_extensions": False, "preserve_insertion_order": True, "threads": 2}
    )


def quote(name: str) -> str:
    """Quote an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def read_parquet(path: Path, columns: Collection[str] | None = None) -> pa.Table:
    """Read a Parquet file, or a folder's files in the order of their names, with instants as int64 microseconds.

    Args:
        path: The file or folder.
        columns: Those to read; all by default.

    Raises:
        BadInput: Nothing is there, it is not Parquet, it lacks a column, or an instant is not `timestamp[us, UTC]`.

    """
    files = sorted(path.glob("*.parquet")) if path.is_dir() else [path]
    if not files:
        raise BadInput(f"{path}: the folder holds no *.parquet")
    try:
        table = pa.concat_tables([_read_file(file, columns) for file in files])
    except (OSError, pa.ArrowException) as error:
        raise BadInput(f"{path}: cannot be read as Parquet ({error}); write the table again") from error
    return _with_integer_instants(table, path)


def require_columns(found: Collection[str], needed: Collection[str], path: Path) -> None:
    """Refuse a table that lacks columns."""
    missing = sorted(set(needed) - set(found))
    if missing:
        raise BadInput(f"{path}: no columns {missing}; it has {list(found)}, and the rules need all of them")


def write_parquet(table: pa.Table, path: Path, *, instants: Collection[str] = ()) -> None:
    """Write a table so that equal tables give equal bytes.

    Args:
        table: The rows, in the order to keep.
        path: File to write; its folder is made.
        instants: Columns of int64 microseconds to write as `timestamp[us, UTC]`.

    """
    for name in instants:
        index = table.column_names.index(name)
        table = table.set_column(index, name, table.column(index).cast(INSTANT))
    path.parent.mkdir(parents=True, exist_ok=True)
    plain = table.replace_schema_metadata(None).combine_chunks()
    pq.write_table(plain, path, compression="zstd", row_group_size=ROW_GROUP_SIZE)


def _read_file(path: Path, columns: Collection[str] | None) -> pa.Table:
    """Read a file, or some columns of it in the order of their names."""
    file = pq.ParquetFile(path)
    if columns is None:
        return file.read()
    require_columns(file.schema_arrow.names, columns, path)
    return file.read(sorted(columns))


def _with_integer_instants(table: pa.Table, path: Path) -> pa.Table:
    """Turn each `timestamp[us, UTC]` column into int64 microseconds since 1970."""
    for index, field in enumerate(table.schema):
        if not pa.types.is_timestamp(field.type):
            continue
        if field.type != INSTANT:
            raise BadInput(f"{path}: column {field.name!r} is {field.type}; instants are {INSTANT}: cast it")
        table = table.set_column(index, field.name, table.column(index).cast(pa.int64()))
    return table

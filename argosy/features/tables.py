"""Read and write the tables of the feature steps: instants as integers inside, one fixed Parquet form outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from argosy.errors import BadInput

if TYPE_CHECKING:
    from pathlib import Path

INSTANT = pa.timestamp("us", tz="UTC")
ROW_GROUP_SIZE = 131_072


def connect() -> duckdb.DuckDBPyConnection:
    """Open an in-memory DuckDB that fetches no extension and keeps the order of rows."""
    return duckdb.connect(
        config={"autoinstall_known_extensions": False, "preserve_insertion_order": True, "threads": 2}
    )


def read_parquet(path: Path) -> pa.Table:
    """Read a Parquet file or a folder of them, with instants as int64 microseconds since 1970 UTC.

    Raises:
        BadInput: Nothing is there, or an instant is not `timestamp[us, UTC]`.

    """
    if not path.exists():
        raise BadInput(f"{path}: no such file or folder; expected Parquet")
    return with_integer_instants(pq.read_table(path), str(path))


def with_integer_instants(table: pa.Table, place: str) -> pa.Table:
    """Turn each `timestamp[us, UTC]` column into int64 microseconds."""
    for index, field in enumerate(table.schema):
        if not pa.types.is_timestamp(field.type):
            continue
        if field.type != INSTANT:
            raise BadInput(f"{place}: column {field.name!r} is {field.type}; instants are {INSTANT}: cast it")
        table = table.set_column(index, field.name, table.column(index).cast(pa.int64()))
    return table


def write_parquet(table: pa.Table, path: Path) -> None:
    """Write a table so that equal tables give equal bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    plain = table.replace_schema_metadata(None).combine_chunks()
    pq.write_table(plain, path, compression="zstd", row_group_size=ROW_GROUP_SIZE)

"""Write and read Parquet folders so that the same rows give the same bytes, and damage is seen.

Every folder carries `manifest.json`: the SHA-256 of each file. It is checked before a file is opened, because
Parquet itself notices changed bytes only where the compression happens to break.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MANIFEST = "manifest.json"
ROW_GROUP = 1 << 17


def write_folder(folder: Path, tables: Mapping[str, pa.Table]) -> None:
    """Write tables by relative file name (`flights/part-2013-01.parquet`), then the manifest."""
    for name, table in tables.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        # Page boundaries follow chunks, so the same rows in other chunks would be other bytes.
        pyarrow.parquet.write_table(
            table.replace_schema_metadata(None).combine_chunks(), path, compression="zstd", row_group_size=ROW_GROUP
        )
    digests = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in sorted(tables)}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MANIFEST).write_text(json.dumps(digests, indent=1) + "\n")


def damaged_files(folder: Path) -> list[str]:
    """Return one line per file that is missing, unknown or not the bytes that were written."""
    manifest = folder / MANIFEST
    if not manifest.is_file():
        return [f"{MANIFEST}: missing, so nothing says what was delivered; write the folder again"]
    expected = json.loads(manifest.read_text())
    found = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*.parquet")) if path.is_file()}
    lines = []
    for name in sorted(expected.keys() | found.keys()):
        got = hashlib.sha256(found[name].read_bytes()).hexdigest() if name in found else "no file"
        wanted = expected.get(name, "no such file")
        if got != wanted:
            lines.append(f"{name}: got {got}, the manifest says {wanted}; deliver the file again")
    return lines


def read_folder(folder: Path) -> dict[str, pa.Table]:
    """Read the tables of a folder: `planes.parquet`, and `flights/part-*.parquet` as one table `flights`."""
    parts: dict[str, list[Path]] = {}
    for path in sorted(folder.rglob("*.parquet")):
        relative = path.relative_to(folder)
        parts.setdefault(relative.parts[0].removesuffix(".parquet"), []).append(path)
    return {
        name: pa.concat_tables([pyarrow.parquet.read_table(path, partitioning=None) for path in paths])
        for name, paths in parts.items()
    }

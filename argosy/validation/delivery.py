"""Read delivered files: bytes, encoding, delimiter and header before any value.

A file that is not what was agreed on is a mistake of the delivery, not a verdict on its rows, so everything
here ends in `BadInput`. Values that do not fit their column do not: such a column stays text, and validation
sets the rows aside.
"""

from __future__ import annotations

import difflib
import hashlib
import zipfile
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.csv

from argosy.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

BOM = b"\xef\xbb\xbf"
DELIMITERS = ";\t|"
# What the agreed files write for a missing value; "N/A" or "null" would be a change of the source.
NULLS = ["", "NA"]


def require_digests(folder: Path, digests: Mapping[str, str]) -> None:
    """Refuse a folder whose files are absent or not the pinned bytes; name all of them."""
    problems = []
    for name, expected in digests.items():
        path = folder / name
        got = f"sha256 {hashlib.sha256(path.read_bytes()).hexdigest()}" if path.is_file() else "no such file"
        if got != f"sha256 {expected}":
            problems.append(f"{name}: got {got}, expected sha256 {expected}")
    if problems:
        advice = "install the pinned release again, or review the new files and pin their digests"
        raise BadInput(f"{folder}: " + "; ".join(problems) + f"; {advice}")


def read_delivery(path: Path) -> bytes:
    """Read a file, or the single member of a zip file, as UTF-8 text without its byte order mark."""
    try:
        data = path.read_bytes() if path.suffix != ".zip" else _read_member(path)
    except (OSError, EOFError, zipfile.BadZipFile) as error:
        raise BadInput(f"{path.name}: cannot be read ({error}); deliver the whole file again") from error
    if not data.strip():
        raise BadInput(f"{path.name}: got an empty file, expected a header and rows; deliver it again")
    try:
        data.decode()
    except UnicodeDecodeError as error:
        at, encoding = error.start, detect_encoding(data)
        raise BadInput(
            f"{path.name}: byte {at} is not UTF-8, the file looks like {encoding}; save it as UTF-8"
        ) from error
    return data.removeprefix(BOM)


def _read_member(path: Path) -> bytes:
    with zipfile.ZipFile(path) as archive:
        (member, *others) = archive.namelist() or [""]
        if others or not member:
            raise zipfile.BadZipFile(f"expected one member, got {len(others) + bool(member)}")
        return archive.read(member)


def detect_encoding(data: bytes) -> str:
    """Guess the encoding of text that is not UTF-8; only for messages."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    # Latin-1 has control characters where cp1252 has quotes and dashes.
    return "cp1252" if any(0x80 <= byte <= 0x9F for byte in data) else "latin-1"


def header_problems(name: str, data: bytes, columns: Iterable[str]) -> list[str]:
    """Say which agreed columns the header lacks, with the near name or the delimiter it used instead."""
    header = data.split(b"\n", 1)[0].decode().rstrip("\r")
    wanted = list(columns)
    for delimiter in DELIMITERS:
        if len(set(header.split(delimiter)) & set(wanted)) > 1:
            return [f"{name}: got the delimiter {delimiter!r}, expected ','; export it with commas"]
    got = [column.strip('"') for column in header.split(",")]
    return [
        f"{name}.{column}: {missing_column(column, set(got) - set(wanted))}" for column in wanted if column not in got
    ]


def missing_column(column: str, unknown: Iterable[str]) -> str:
    """Say that a column is missing, and which unknown column may be the one that was meant."""
    folded = {name.lower().strip(): name for name in sorted(unknown)}
    near = difflib.get_close_matches(column.lower(), folded, n=1)
    hint = f"; {folded[near[0]]!r} looks like it, but names are never guessed" if near else ""
    return f"required column {column!r} is missing{hint}; deliver it under this name"


def read_csv(name: str, data: bytes, types: Mapping[str, pa.DataType]) -> pa.Table:
    """Parse CSV text; a column with a value that does not fit its type stays text.

    Raises:
        BadInput: The text has rows of another length than its header.
    """
    try:
        return _parse(data, types)
    except pa.ArrowInvalid:
        pass
    try:
        text = _parse(data, dict.fromkeys(types, pa.string()))
    except pa.ArrowInvalid as error:
        raise BadInput(f"{name}: cannot be parsed ({error}); deliver the whole file again") from error
    for index, field in enumerate(text.schema):
        if field.name in types:
            text = text.set_column(index, field.name, _cast_or_keep(text[field.name], types[field.name]))
    return text


def _cast_or_keep(column: pa.ChunkedArray, wanted: pa.DataType) -> pa.ChunkedArray:
    try:
        return column.cast(wanted)
    except pa.ArrowInvalid:
        return column


def _parse(data: bytes, types: Mapping[str, pa.DataType]) -> pa.Table:
    options = pyarrow.csv.ConvertOptions(column_types=dict(types), null_values=NULLS, strings_can_be_null=True)
    return pyarrow.csv.read_csv(pa.BufferReader(data), convert_options=options)

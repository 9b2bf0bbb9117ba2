"""The log of what a server served: a record per request by key, as JSON lines in segments.

A record is `request_id`, `at_us` (the instant that it was answered as of), `model` (its digest), `entity` (the keys and
the request's own fields, as sent), `views` (by name, the event_us of the row that was held and its status), `features`
(the vector, numbers as float32 holds them), `decision` (predict, refer or fail) and `probability`. A server that was
killed leaves a last line that is torn; it is passed over.
"""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

from argosy.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SUFFIX = ".jsonl"

Record = dict[str, Any]


def read_served(folder: Path) -> Iterator[Record]:
    """Read the records of a log's folder, segment by segment.

    Raises:
        BadInput: A line that is not the last of its segment is no record.

    """
    for segment in sorted(folder.glob(f"*{SUFFIX}")):
        with segment.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                record = _record(line)
                if record is not None:
                    yield record
                elif line.endswith(b"\n"):
                    raise BadInput(f"{segment}:{number}: no record of a server ({line[:80]!r}); remove the line")


def copy_served(folder: Path, out: Path) -> dict[str, int]:
    """Copy a log's segments as they are now, and count them; of a folder that is not there, none."""
    out.mkdir(parents=True)
    segments = sorted(folder.glob(f"*{SUFFIX}"))
    for segment in segments:
        shutil.copyfile(segment, out / segment.name)
    return {"segments": len(segments), "bytes": sum(path.stat().st_size for path in out.iterdir())}


def _record(line: bytes) -> Record | None:
    try:
        record = json.loads(line)
    except ValueError:
        return None
    return record if isinstance(record, dict) and "at_us" in record else None

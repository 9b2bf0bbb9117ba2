"""What the server answers, before it is written as HTTP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Answer:
    """A response before its request id: the status, the JSON fields and further headers; or a text for machines."""

    status: int
    fields: dict[str, Any]
    headers: tuple[tuple[bytes, bytes], ...] = ()
    text: bytes | None = None
    content_type: bytes = b"application/json"


RETRY_SOON = ((b"retry-after", b"1"),)

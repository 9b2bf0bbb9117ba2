"""What the server answers, before it is written as HTTP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Answer:
    """A response before its request id: the status, the JSON fields and further headers.

    A body that is text already stands for itself; its headers say of what type it is.
    """

    status: int
    fields: dict[str, Any] | bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()


JSON = (b"content-type", b"application/json")
RETRY_SOON = ((b"retry-after", b"1"),)

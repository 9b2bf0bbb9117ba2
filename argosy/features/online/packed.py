"""Rows as bytes: what a database has to do for an online store, whatever the fields of the views are."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from argosy.features.online.rows import Written

LOWEST = -(2**63)  # stands for a created instant where there is none: any other is newer
BATCH = 2_000  # rows that are written or scanned at once, so that other writers get their turn


class PackedRow(NamedTuple):
    """A row of a view: `argosy.features.online.codec` reads and writes its key and its values."""

    key: bytes
    event_us: int
    created_us: int
    packed: bytes


class PackedStore(Protocol):
    """Keeps of each view and key the newest row by (event, created); of equal ones, the one that came last."""

    def put(self, view: str, rows: Iterable[PackedRow]) -> Written:
        """Write rows, each as a whole."""

    def get(self, wanted: Sequence[tuple[str, bytes]]) -> list[PackedRow | None]:
        """Return the row of each view and key, in one round trip; None where there is none."""

    def scan(self, view: str, prefix: bytes) -> Iterator[PackedRow]:
        """Return all rows of a view, whose keys have this prefix; what is written meanwhile may be missing."""

    def drop_before(self, view: str, prefix: bytes, event_us: int) -> int:
        """Delete the rows of a view with an older event, and count them; one that is renewed meanwhile stays."""

    def drop_view(self, view: str, prefix: bytes) -> None:
        """Delete a view's rows and its mark; the store has another identity after that."""

    def mark(self, view: str, mark: Mapping[str, object], *, at_us: int) -> bool:
        """Note a mark of a view unless one of a later instant is noted; say whether it is now noted."""

    def marks(self) -> dict[str, dict[str, object]]:
        """Return what is noted, by view."""

    def identity(self) -> str:
        """Name this store's contents."""

    def close(self) -> None:
        """Let go of files and connections."""


def batches(rows: Iterable[PackedRow]) -> Iterator[list[PackedRow]]:
    """Cut rows into lists of at most `BATCH`."""
    left = iter(rows)
    while batch := list(islice(left, BATCH)):
        yield batch

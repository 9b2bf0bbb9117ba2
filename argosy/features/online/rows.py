"""What an online store holds and answers: one row per view and entity, the newest by (event, created)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

ELSEWHERE = "elsewhere:"  # stands for the URL of a store that only the pods of a cluster know

# A field's value by its type in Feast: float for Float32 and Float64, int for Int32, Int64 and UnixTimestamp (whole
# seconds since 1970), str, bool, bytes; None is null.
Value = float | int | str | bool | bytes | None


@dataclass(frozen=True, slots=True)
class OnlineView:
    """What a store has to know of a view.

    Args:
        name: Of the feature view.
        keys: Join keys; `key_types` are their types in Feast, in this order: String, Int32, Int64 or Bytes.
        fields: Type in Feast of each field, by its name.

    """

    name: str
    keys: tuple[str, ...]
    key_types: tuple[str, ...]
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class OnlineRow:
    """One row of a view.

    Args:
        key: The entity, in the order of the view's keys.
        event_us: Its timestamp, microseconds since 1970 UTC: when it became known.
        created_us: Which of several rows of one instant is newest; None where the view has no such column.
        values: By field name; a field that is missing is null.

    """

    key: tuple[Value, ...]
    event_us: int
    created_us: int | None
    values: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Written:
    """What became of rows that were offered.

    Args:
        written: New, newer than what was held, or a correction of the same instant.
        superseded: Older than what is held, or the same; the store kept what it has.

    """

    written: int
    superseded: int


class OnlineStore(Protocol):
    """A store of rows. Every write is ordered, so that rows may come in any order, twice, and from several writers."""

    def write(self, view: OnlineView, rows: Iterable[OnlineRow]) -> Written:
        """Keep of each entity the newest row by (event, created); of equal ones, the one that came last.

        A row is replaced as a whole and at once. What was acknowledged survives the end of this process.
        """

    def read(self, wanted: Sequence[tuple[OnlineView, tuple[Value, ...]]]) -> list[OnlineRow | None]:
        """Return the row that is held for each view and entity, in one round trip; None where there is none.

        Nothing is judged here: `argosy.features.visibility` says whether a row may be used at an instant.
        """

    def rows(self, view: OnlineView) -> Iterable[OnlineRow]:
        """Return all rows of a view, in no order."""

    def drop_before(self, view: OnlineView, event_us: int) -> int:
        """Delete the rows with an older event, and count them; one that is renewed meanwhile stays."""

    def mark(self, view: str, mark: Mapping[str, object], *, at_us: int) -> bool:
        """Note about a view what was done by an instant, unless a later one is noted; say whether it is now noted."""

    def marks(self) -> dict[str, dict[str, object]]:
        """Return what is noted, by view."""

    def identity(self) -> str:
        """Name this store's contents: another name once it was emptied, restored or replaced."""

    def close(self) -> None:
        """Let go of files and connections."""

"""An online store in memory, and one that does not answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from argosy.errors import Outage
from argosy.features.online.rows import OnlineRow, Written

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from argosy.features.online.rows import OnlineView, Value


class MemoryStore:
    """Keeps the newest row of each view and entity, and counts its reads."""

    def __init__(self) -> None:
        self.held: dict[tuple[str, tuple[Value, ...]], OnlineRow] = {}
        self.reads: list[int] = []

    def put(self, view: str, key: tuple[Value, ...], event_us: int, **values: Value) -> None:
        """Hold a row, whatever was held."""
        self.held[view, key] = OnlineRow(key, event_us, None, values)

    def write(self, view: OnlineView, rows: Iterable[OnlineRow]) -> Written:
        written = superseded = 0
        for row in rows:
            held = self.held.get((view.name, row.key))
            if held and (held.event_us, held.created_us or 0) > (row.event_us, row.created_us or 0):
                superseded += 1
            else:
                self.held[view.name, row.key] = row
                written += 1
        return Written(written, superseded)

    def read(self, wanted: Sequence[tuple[OnlineView, tuple[Value, ...]]]) -> list[OnlineRow | None]:
        self.reads.append(len(wanted))
        return [self.held.get((view.name, key)) for view, key in wanted]

    def rows(self, view: OnlineView) -> Iterable[OnlineRow]:
        return [row for (name, _), row in self.held.items() if name == view.name]

    def drop_before(self, view: OnlineView, event_us: int) -> int:
        old = [key for key, row in self.held.items() if key[0] == view.name and row.event_us < event_us]
        for key in old:
            del self.held[key]
        return len(old)

    def mark(self, _view: str, _mark: Mapping[str, object], *, at_us: int) -> bool:
        return at_us < 0

    def marks(self) -> dict[str, dict[str, object]]:
        return {}

    def identity(self) -> str:
        return "memory"

    def close(self) -> None:
        """Nothing is open."""


class SilentStore(MemoryStore):
    """Never answers a read."""

    def read(self, _wanted: Sequence[tuple[OnlineView, tuple[Value, ...]]]) -> list[OnlineRow | None]:
        raise Outage("redis://nowhere: the online store does not answer")

"""The online store of typed rows, over any database that keeps them as bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from argosy.errors import BadInput
from argosy.features.online.codec import key_bytes, key_prefix, pack, read_key, unpack
from argosy.features.online.packed import LOWEST, PackedRow, PackedStore
from argosy.features.online.rows import OnlineRow, OnlineView, Written

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from argosy.features.online.rows import Value


class TypedRows:
    """An `OnlineStore`: its promises are told there."""

    def __init__(self, store: PackedStore) -> None:
        self._store = store

    def write(self, view: OnlineView, rows: Iterable[OnlineRow]) -> Written:
        """Keep of each entity the newest row.

        Raises:
            BadInput: A row does not fit the view, or a part of its key is null, so that nothing could ask for it.

        """
        return self._store.put(view.name, (packed_row(view, row) for row in rows))

    def read(self, wanted: Sequence[tuple[OnlineView, tuple[Value, ...]]]) -> list[OnlineRow | None]:
        """Return the row of each view and entity; a key with a null finds none."""
        keys = [key_bytes(view, key) for view, key in wanted]
        asked = [(view.name, key) for (view, _), key in zip(wanted, keys, strict=True) if key is not None]
        found = iter(self._store.get(asked))
        rows = [None if key is None else next(found) for key in keys]
        return [None if row is None else _typed(view, key, row) for (view, key), row in zip(wanted, rows, strict=True)]

    def rows(self, view: OnlineView) -> Iterator[OnlineRow]:
        """Return all rows of a view."""
        for row in self._store.scan(view.name, key_prefix(view)):
            key, _ = read_key(view, row.key)
            yield _typed(view, key, row)

    def drop_before(self, view: OnlineView, event_us: int) -> int:
        """Delete the rows with an older event."""
        return self._store.drop_before(view.name, key_prefix(view), event_us)

    def mark(self, view: str, mark: Mapping[str, object], *, at_us: int) -> bool:
        """Note what was done by an instant."""
        return self._store.mark(view, mark, at_us=at_us)

    def marks(self) -> dict[str, dict[str, object]]:
        """Return what is noted."""
        return self._store.marks()

    def identity(self) -> str:
        """Name the contents."""
        return self._store.identity()

    def close(self) -> None:
        """Let go of files and connections."""
        self._store.close()


def packed_row(view: OnlineView, row: OnlineRow) -> PackedRow:
    """Write a row as bytes.

    Raises:
        BadInput: It does not fit the view.

    """
    key = key_bytes(view, row.key)
    if key is None:
        raise BadInput(f"view {view.name!r}: the key {row.key!r} has a null, which no request matches; leave it out")
    created_us = LOWEST if row.created_us is None else row.created_us
    return PackedRow(key, row.event_us, created_us, pack(view, row.values))


def _typed(view: OnlineView, key: tuple[Value, ...], row: PackedRow) -> OnlineRow:
    """Read a row."""
    created_us = None if row.created_us == LOWEST else row.created_us
    return OnlineRow(key=key, event_us=row.event_us, created_us=created_us, values=unpack(view, row.packed))

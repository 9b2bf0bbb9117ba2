"""Read an online store from the server: imported by a thread at the start, opened by each thread at its first read.

A read of SQLite is direct: it is short, and waits for no writer. One over the network leaves the event loop, because
the stores' reads block.
"""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from argosy.features.online.rows import OnlineRow, OnlineStore, OnlineView, Value

    Wanted = Sequence[tuple[OnlineView, tuple[Value, ...]] | None]

READ_THREADS = 8


def open_by_url(url: str) -> OnlineStore:
    """Open the store at a URL; its module is imported only now, which keeps it out of the time to ready."""
    from argosy.features.online.connect import open_online

    return open_online(url)


class OnlineReader:
    """The rows of an online store, for the threads of a server; each has a connection of its own.

    Args:
        url: Of the store.
        open_store: Opens it.

    """

    def __init__(self, url: str, open_store: Callable[[str], OnlineStore] = open_by_url) -> None:
        self._url = url
        self._open = open_store
        self._held = threading.local()
        self._threads = None if url.startswith("sqlite:") else ThreadPoolExecutor(READ_THREADS, "read")

    async def fetch(self, wanted: Wanted) -> list[OnlineRow | None]:
        """Return a row for each that is wanted, from the event loop.

        Raises:
            ArgosyError: The store does not answer, or is none.

        """
        if self._threads is None:
            return self.read(wanted)
        return await asyncio.get_running_loop().run_in_executor(self._threads, self.read, wanted)

    def read(self, wanted: Wanted) -> list[OnlineRow | None]:
        """Return a row for each that is wanted, in one round trip; rows that are wanted twice are read once."""
        asked = list(dict.fromkeys((view.name, key) for view, key in filter(None, wanted)))
        views = {view.name: view for view, _ in filter(None, wanted)}
        rows = self._store().read([(views[name], key) for name, key in asked]) if asked else []
        found = dict(zip(asked, rows, strict=True))
        return [None if each is None else found[each[0].name, each[1]] for each in wanted]

    def warm(self) -> None:
        """Import what the store needs, and ask it once, over a connection of its own."""
        store = self._open(self._url)
        store.marks()
        store.close()

    def close(self) -> None:
        """Let go of this thread's connection, and end the threads."""
        store = getattr(self._held, "store", None)
        if store is not None:
            store.close()
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)

    def _store(self) -> OnlineStore:
        store: OnlineStore | None = getattr(self._held, "store", None)
        if store is None:
            store = self._held.store = self._open(self._url)
        return store

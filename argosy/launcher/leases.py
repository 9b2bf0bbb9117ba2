"""Leases: while a process on one machine works on a key, its twins on others wait instead of doing the work again.

A remote store keeps a claim as a chain of create-only generations, `claims/<key>/<generation>.json`. Who creates one
owns it and renews it by a beat that counts up; nobody else writes it. A twin that sees the same beat for as long as
the lease lasts, by its own monotonic clock, creates the next generation. So no machine's time of day is compared with
another's, and nothing is asked of a server but create-only puts. The generation is the fencing token: whoever wakes up
late finds a higher one. Correctness does not rest on leases but on create-only commits.
"""

from __future__ import annotations

import os
import secrets
import socket
import threading
import time
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from argosy.errors import Outage
from argosy.launcher.claims import Cancelled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from argosy.launcher.store import Store

LEASE_S: Final = 15.0
BEATS: Final = 3
"""How often a lease is renewed while it lasts."""
FIRST_POLL_S: Final = 0.05
LONGEST_POLL_S: Final = 1.0


class Lost(Exception):
    """A twin holds the claim by now, or may hold it."""


class Lease:
    """One generation of a claim, renewed by a thread until it ends."""

    def __init__(
        self, store: Store, folder: str, generation: int, document: Mapping[str, Any], *, since: float
    ) -> None:
        self.generation = generation
        self._store = store
        self._folder = folder
        self._document = dict(document)
        self._renewed = since
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._renew, daemon=True)
        self._thread.start()

    def require(self) -> None:
        """Make sure, as far as one can, that no twin holds the claim now.

        Raises:
            Lost: The lease ran out before it was renewed, or a twin has the next generation.

        """
        if self._has_run_out() or max(self._store.generations(self._folder), default=0) != self.generation:
            raise Lost

    def end(self) -> None:
        """Let go of the claim, so that a twin need not wait for the lease to run out."""
        self._ending.set()
        self._thread.join()
        if self._has_run_out():
            return
        try:
            self._write(released=True)
            for earlier in self._store.generations(self._folder):
                if earlier < self.generation:
                    self._store.delete(_path(self._folder, earlier))
        except Outage:  # it runs out by itself
            return

    def _renew(self) -> None:
        while not self._ending.wait(self._document["lease_s"] / BEATS):
            asked = time.monotonic()
            if self._has_run_out():
                return
            try:
                self._write()
            except Outage:
                continue
            self._renewed = asked

    def _write(self, **changes: Any) -> None:
        self._document |= {"beat": self._document["beat"] + 1, **changes}
        self._store.write_json(_path(self._folder, self.generation), self._document)

    def _has_run_out(self) -> bool:
        return time.monotonic() - self._renewed >= float(self._document["lease_s"])


@contextmanager
def lease(
    store: Store, key: str, cancelled: Callable[[], bool], *, lease_s: float = LEASE_S
) -> Iterator[Callable[[], None]]:
    """Hold the claim on a key among machines; yields what raises Lost once it is not held any more.

    A store in a folder of this machine needs none: its file locks are seen by all who use it.

    Raises:
        Cancelled: The run was interrupted while waiting.

    """
    if store.root is not None:
        yield lambda: None
        return
    held = _acquire(store, f"claims/{key.removeprefix('sha256:')}", cancelled, lease_s)
    try:
        yield held.require
    finally:
        held.end()


def _acquire(store: Store, folder: str, cancelled: Callable[[], bool], lease_s: float) -> Lease:
    owner = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
    document = {"owner": owner, "lease_s": lease_s, "beat": 0, "released": False}
    watch, poll_s = _Watch(store, folder), FIRST_POLL_S
    while True:
        generation = watch.free_after()
        asked = time.monotonic()
        if generation is not None:
            if store.append(folder, generation + 1, document):
                return Lease(store, folder, generation + 1, document, since=asked)
            continue
        if cancelled():
            raise Cancelled
        time.sleep(poll_s)
        poll_s = min(poll_s * 1.5, LONGEST_POLL_S)


class _Watch:
    """Looks at a claim again and again, and says when it is free."""

    def __init__(self, store: Store, folder: str) -> None:
        self._store = store
        self._folder = folder
        self._seen: tuple[int, int] | None = None
        self._since = 0.0

    def free_after(self) -> int | None:
        """Return the generation after which the claim is free; None while it is held."""
        # Taken before the look: a twin that is stopped behind it must not take its own sleep for the owner's.
        asked = time.monotonic()
        generation, held = self._store.latest(self._folder)
        if held is None or held["released"]:
            return generation
        beat = generation, held["beat"]
        if beat != self._seen:
            first = self._seen is None
            self._seen, self._since = beat, time.monotonic()
            return generation if first and self._is_long_dead(generation, held["lease_s"]) else None
        return generation if asked - self._since >= held["lease_s"] else None

    def _is_long_dead(self, generation: int, lease_s: float) -> bool:
        """Say whether the last beat is so old, by the server's clock alone, that waiting would show nothing new."""
        entry = self._store.entry(_path(self._folder, generation))
        return entry is not None and self._store.now() - entry.modified > timedelta(seconds=2 * lease_s + 10)


def _path(folder: str, generation: int) -> str:
    return f"{folder}/{generation:08d}.json"

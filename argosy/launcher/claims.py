"""Leased claims: while one process works on a key, its twin waits instead of doing the work again.

On this machine a claim is a file lock. The child that does the work inherits it, so that it outlives a launcher that
was killed for exactly as long as the work does. Correctness does not rest on claims but on create-only commits.
"""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

POLL_S = 0.02


class Cancelled(Exception):
    """The run was interrupted while this step waited or worked."""


@contextmanager
def claim(folder: Path, key: str, cancelled: Callable[[], bool]) -> Iterator[int]:
    """Hold the claim on a key; yields the lock's file descriptor.

    Raises:
        Cancelled: The run was interrupted while waiting.

    """
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / key.removeprefix("sha256:"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        while not try_lock(descriptor):
            if cancelled():
                raise Cancelled
            time.sleep(POLL_S)
        yield descriptor
    finally:
        # Closing our copy is enough: the lock ends with the last copy, which a child may hold.
        os.close(descriptor)


def try_lock(descriptor: int) -> bool:
    """Take an exclusive lock if it is free."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

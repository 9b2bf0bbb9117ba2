"""Words for how a process ended, and for a disk without room."""

from __future__ import annotations

import errno
import os
import shutil
import signal
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
LEAST_ROOM: Final = 1 << 20
CRASHES: Final = (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL)
MEMORY: Final = "perhaps for lack of memory"
# What shells make of a command's end.
SHELL: Final = {126: "a command is there but cannot be run", 127: "a command was not found"}


def ending_of(code: int) -> str:
    """Say how a process ended, from its exit code (negative: its signal)."""
    if code < 0:
        return _ended_by(-code)
    if code in SHELL:
        return f"exited with {code}: {SHELL[code]}"
    # A shell that saw its command killed, and exit codes of some 128 more mean nothing else.
    if code > 128 and code - 128 in set(signal.Signals):
        return f"exited with {code}: a command of it {_ended_by(code - 128)}"
    return f"exited with {code}"


def is_full(error: BaseException) -> bool:
    """Say whether an error means that a disk, a quota or a limit on files left no room."""
    said = str(error)
    # SQLite has words of its own.
    words = (*map(os.strerror, FULL), "disk is full")
    return getattr(error, "errno", None) in FULL or any(word in said for word in words)


def room_hint(folder: Path) -> str:
    """Say that the disk of a folder is full and what to do; empty where there is room."""
    while not folder.exists():
        folder = folder.parent
    if shutil.disk_usage(folder).free >= LEAST_ROOM:
        return ""
    return f"; its disk is full: free some space, or name another place with ARGOSY_STATE ({folder} has no room)"


def _ended_by(number: int) -> str:
    if number == signal.SIGKILL:
        return f"was killed (signal {number}), {MEMORY}"
    if number in CRASHES:
        return f"crashed (signal {number}, {signal.Signals(number).name})"
    known = number in set(signal.Signals)
    return f"was ended by signal {number}" + (f" ({signal.Signals(number).name})" if known else "")

"""Know a process again: a pid alone may by now be someone else's."""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from argosy.errors import Outage

PROC = Path("/proc")
PR_SET_PDEATHSIG = 1
# Fields of /proc/PID/stat after the command's name, which may hold spaces: state and start time.
STATE, START = 0, 19

_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Identity:
    """A process as no other can be: its pid, the clock ticks at its start, the boot that it belongs to."""

    pid: int
    started: int
    boot: str

    @classmethod
    def read(cls, record: dict[str, Any]) -> Identity:
        """Take the identity from a state file's record."""
        return cls(record["pid"], record["started"], record["boot"])


def identify(pid: int) -> Identity | None:
    """Return the identity of a running process; None when it has ended, even if nobody reaped it."""
    try:
        fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    if fields[STATE] in "ZX":
        return None
    return Identity(pid, int(fields[START]), _boot())


def is_running(identity: Identity) -> bool:
    """Say whether this very process still runs."""
    return identify(identity.pid) == identity


def end(identity: Identity, *, grace_s: float) -> bool:
    """End a process by SIGTERM, after `grace_s` by SIGKILL; say whether it went by itself.

    Raises:
        Outage: It survived SIGKILL, as a process stuck in the kernel does.

    """
    try:
        handle = os.pidfd_open(identity.pid)
    except ProcessLookupError:
        return True
    try:
        # The handle is taken before the check, so a pid given away in between is never signalled.
        if not is_running(identity) or _ends_by(handle, signal.SIGTERM, grace_s):
            return True
        if not _ends_by(handle, signal.SIGKILL, grace_s):
            raise Outage(f"process {identity.pid} did not end within {grace_s:g} s of SIGKILL; see `ps {identity.pid}`")
    finally:
        os.close(handle)
    return False


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent ends, however that ends."""
    if _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent:  # it ended before the call above
        os._exit(1)


def _ends_by(handle: int, number: signal.Signals, timeout_s: float) -> bool:
    with contextlib.suppress(ProcessLookupError):
        signal.pidfd_send_signal(handle, number)
    poller = select.poll()
    poller.register(handle, select.POLLIN)
    return bool(poller.poll(timeout_s * 1000))


def _boot() -> str:
    return (PROC / "sys/kernel/random/boot_id").read_text().strip()

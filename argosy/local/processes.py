"""Talks to fork servers: one for each set of imports, started when the first step that needs it is near."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from argosy.errors import Outage
from argosy.launcher.claims import Cancelled
from argosy.launcher.launch import TIMED_OUT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from argosy.launcher.executor import Request

GRACE_S = 5.0
POLL_S = 0.2


@dataclass
class ForkServers:
    """The fork servers of one run.

    Attributes:
        cancelled: Says whether the run is being ended; children then get SIGTERM, and SIGKILL after a grace period.

    """

    cancelled: Callable[[], bool]
    _servers: dict[tuple[str, ...], tuple[socket.socket, subprocess.Popen[bytes]]] = field(default_factory=dict)

    def start(self, imports: Iterable[str]) -> None:
        """Start the server for a set of imports, unless it runs. Call it from the main thread."""
        modules = tuple(sorted(set(imports)))
        if modules in self._servers:
            return
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        process = subprocess.Popen(
            [sys.executable, "-m", "argosy.local.forkserver", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr.fileno(),
            # Ctrl-C in a terminal reaches the runner alone, which ends the children in order.
            start_new_session=True,
        )
        theirs.close()
        ours.send(json.dumps(modules).encode())
        self._servers[modules] = (ours, process)

    def run(self, request: Request, imports: Iterable[str], *, log: Path, lock: int, timeout_s: float | None) -> int:
        """Run a request in a child of the server for these imports; return its exit code (negative: signal)."""
        control, process = self._servers[tuple(sorted(set(imports)))]
        file = Path(request.scratch) / "request.json"
        file.write_text(request.to_json(), encoding="utf-8")
        answer, pipe = os.pipe()
        try:
            with log.open("ab") as sink:
                socket.send_fds(control, [str(file).encode()], [sink.fileno(), lock, pipe])
        except OSError as error:
            os.close(answer)
            raise Outage(f"the fork server (process {process.pid}) ended; run again") from error
        finally:
            os.close(pipe)
        with os.fdopen(answer, "rb", buffering=0) as stream:
            return _Child(stream.fileno(), timeout_s, self.cancelled).wait()

    def close(self) -> None:
        """End every server; their children have ended or are killed."""
        for control, process in self._servers.values():
            control.close()
            with suppress(subprocess.TimeoutExpired):
                process.wait(GRACE_S)
        for _, process in self._servers.values():
            process.kill()
            process.wait()
        self._servers.clear()


@dataclass
class _Child:
    """Reads `pid` and then the exit code from a child's pipe, within a time limit."""

    pipe: int
    timeout_s: float | None
    cancelled: Callable[[], bool]
    _text: bytes = b""

    def wait(self) -> int:
        pid = int(self._line(deadline=None))
        deadline = time.monotonic() + self.timeout_s if self.timeout_s else None
        try:
            return int(self._line(deadline))
        except TimeoutError:
            self._end(pid)
            return TIMED_OUT
        except Cancelled:
            self._end(pid)
            raise

    def _line(self, deadline: float | None) -> bytes:
        while b"\n" not in self._text:
            if self.cancelled():
                raise Cancelled
            if deadline is not None and time.monotonic() > deadline:
                raise TimeoutError
            wait_s = POLL_S if deadline is None else min(POLL_S, max(0.0, deadline - time.monotonic()))
            if select.select([self.pipe], [], [], wait_s)[0]:
                self._read()
        line, _, self._text = self._text.partition(b"\n")
        return line

    def _read(self) -> None:
        data = os.read(self.pipe, 64)
        if not data:
            raise Outage("the fork server ended while a step ran; run again")
        self._text += data

    def _end(self, pid: int) -> None:
        """End the child's process group: SIGTERM, a grace period, SIGKILL."""
        for number, wait_s in ((signal.SIGTERM, GRACE_S), (signal.SIGKILL, None)):
            with suppress(ProcessLookupError):
                os.killpg(pid, number)
            if select.select([self.pipe], [], [], wait_s)[0]:
                return

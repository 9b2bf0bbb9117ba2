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
from argosy.local.imports import GROW, best_base

if TYPE_CHECKING:
    from collections.abc import Callable

    from argosy.launcher.executor import Request
    from argosy.local.imports import Imports

GRACE_S = 5.0
POLL_S = 0.2


@dataclass
class ForkServers:
    """The fork servers of one run. All but `run` is called from the main thread.

    Attributes:
        cancelled: Says whether the run is being ended; children then get SIGTERM, and SIGKILL after a grace period.
        offered: The import sets that servers are started for, in the order in which steps come to need them.

    """

    cancelled: Callable[[], bool]
    offered: list[Imports]
    _servers: dict[Imports, _Server] = field(default_factory=dict)

    def server_for(self, imports: Imports) -> Imports:
        """Return the import set of the server that a step uses, started now if need be: the largest within its own."""
        modules = max((each for each in self.offered if set(each) <= set(imports)), key=len)
        self._start(modules)
        return modules

    def warm_up(self) -> None:
        """Start the next server once the one before has imported: imports should not starve the steps that run."""
        if all(server.is_warm() for server in self._servers.values()):
            cold = next((modules for modules in self.offered if modules not in self._servers), None)
            if cold is not None:
                self._start(cold)

    def run(self, request: Request, server: Imports, *, log: Path, lock: int, timeout_s: float | None) -> int:
        """Run a request in a child of a server; return its exit code (negative: signal)."""
        file = Path(request.scratch) / "request.json"
        file.write_text(request.to_json(), encoding="utf-8")
        answer, pipe = os.pipe()
        try:
            with log.open("ab") as sink:
                self._servers[server].send(str(file).encode(), [sink.fileno(), lock, pipe])
        except Outage:
            os.close(answer)
            raise
        finally:
            os.close(pipe)
        with os.fdopen(answer, "rb", buffering=0) as stream:
            return _Child(stream.fileno(), timeout_s, self.cancelled).wait()

    def close(self) -> None:
        """End every server; their children have ended or are killed."""
        for server in self._servers.values():
            server.control.close()
        if self._servers:
            self._servers[()].end()
        self._servers.clear()

    def _start(self, modules: Imports) -> None:
        """Start a server if it does not run: the first one imports nothing, every other grows out of one before it."""
        if () not in self._servers:
            self._servers[()] = _Server.start()
        if modules not in self._servers:
            self._servers[modules] = self._servers[best_base(modules, self._servers)].grow(modules)


@dataclass
class _Server:
    control: socket.socket
    process: subprocess.Popen[bytes] | None = None
    warm: bool = False

    @staticmethod
    def start() -> _Server:
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
        ours.send(b"[]")
        return _Server(ours, process)

    def grow(self, modules: Imports) -> _Server:
        """Have this server fork one that imports more; this one waits for it in the end."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs, Path(os.devnull).open("wb") as unread:
            self.send(GROW, [theirs.fileno(), unread.fileno()])
        ours.send(json.dumps(modules).encode())
        return _Server(ours)

    def is_warm(self) -> bool:
        """Say whether the server has imported what it should."""
        if not self.warm and select.select([self.control], [], [], 0)[0]:
            self.warm = True
        return self.warm

    def send(self, message: bytes, descriptors: list[int]) -> None:
        try:
            socket.send_fds(self.control, [message], descriptors)
        except OSError as error:
            raise Outage("a fork server ended; run again") from error

    def end(self) -> None:
        if self.process is None:
            return
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(GRACE_S)
        self.process.kill()
        self.process.wait()


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
        except Outage:
            # The kernel ended the child with its server, but not what the child had started.
            with suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
            raise

    def _line(self, deadline: float | None) -> bytes:
        while b"\n" not in self._text:
            if self.cancelled():
                raise Cancelled
            left_s = POLL_S if deadline is None else deadline - time.monotonic()
            # Read before the time is judged: the child may have ended in time while this process was stopped.
            if select.select([self.pipe], [], [], min(POLL_S, max(0.0, left_s)))[0]:
                self._read()
            elif left_s < 0:
                raise TimeoutError
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

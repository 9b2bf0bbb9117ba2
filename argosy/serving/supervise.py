"""The supervisor process: run the server, restart it when it dies, end it when told to.

Started by `argosy.serving.supervisor` with its order as one JSON argument. It waits in one place, for a
signal or a deadline, so nothing can happen between a check and a wait.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from argosy.serving.ports import url_of
from argosy.serving.processes import die_with_parent, identify
from argosy.serving.supervisor import LISTEN_FD

FIRST_DELAY_S = 0.1
LAST_DELAY_S = 5.0
# A server that lived this long was healthy: the next restart is quick again.
HEALTHY_S = 10.0
DRAIN_S = 25.0

SIGNALS = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD}


class Supervisor:
    """The server child, its restarts, and the record of both.

    Args:
        order: What `argosy.serving.supervisor` asks for.
        port: The listening socket's.
        drain_s: Time for the requests in flight at the end; what still runs then is killed.

    """

    def __init__(self, order: dict[str, Any], port: int, *, drain_s: float = DRAIN_S) -> None:
        self._command: list[str] = order["command"]
        self._listener: int = order["listener"]
        self._state = Path(order["state"])
        self._drain_s = drain_s
        self._child: subprocess.Popen[bytes] | None = None
        self._delay_s = FIRST_DELAY_S
        self._spawned_s = 0.0
        identity = identify(os.getpid())
        self.record: dict[str, Any] = {
            **(asdict(identity) if identity else {}),
            "host": order["host"],
            "port": port,
            "url": url_of(order["host"], port),
            "log": order["log"],
            "command": self._command,
            "child_pid": None,
            "restarts": -1,
            "last_exit": None,
        }

    def spawn(self) -> None:
        """Start the server and write down that it runs."""
        parent = os.getpid()

        def prepare_child() -> None:
            signal.pthread_sigmask(signal.SIG_SETMASK, [])
            die_with_parent(parent)

        self._spawned_s = time.monotonic()
        self._child = subprocess.Popen(
            self._command,
            env={**os.environ, LISTEN_FD: str(self._listener)},
            pass_fds=(self._listener,),
            preexec_fn=prepare_child,  # noqa: PLW1509 - this process has one thread
        )
        self.record |= {"child_pid": self._child.pid, "restarts": self.record["restarts"] + 1}
        write_record(self._state, self.record)

    def run(self) -> None:
        """Keep the server running until SIGTERM or SIGINT, then drain it."""
        restart_s: float | None = None
        while True:
            received = _wait(restart_s)
            if received in {signal.SIGTERM, signal.SIGINT}:
                break
            if self._has_died():
                restart_s = time.monotonic() + self._back_off()
            if restart_s is not None and time.monotonic() >= restart_s:
                restart_s = self._respawn()
        self.drain()
        self._state.unlink(missing_ok=True)

    def _has_died(self) -> bool:
        if self._child is None or self._child.poll() is None:
            return False
        self.record |= {"child_pid": None, "last_exit": self._child.returncode}
        self._child = None
        write_record(self._state, self.record)
        return True

    def _respawn(self) -> float | None:
        """Start the server again; where the machine cannot, say why and return when to try next."""
        try:
            self.spawn()
        except (OSError, subprocess.SubprocessError) as error:
            self.record["last_exit"] = f"not started: {error}"
            return time.monotonic() + self._back_off()
        return None

    def _back_off(self) -> float:
        lived_s = time.monotonic() - self._spawned_s
        delay_s = FIRST_DELAY_S if lived_s >= HEALTHY_S else self._delay_s
        self._delay_s = min(2 * delay_s, LAST_DELAY_S)
        _say(f"the server ended with {self.record['last_exit']} after {lived_s:.1f} s; restart in {delay_s:g} s")
        return delay_s

    def drain(self) -> None:
        """End the server once its requests in flight are answered."""
        if self._child is None:
            return
        self._child.terminate()
        try:
            self._child.wait(self._drain_s)
        except subprocess.TimeoutExpired:
            _say(f"the server did not drain within {self._drain_s:g} s; killed")
            self._child.kill()
            self._child.wait()


def write_record(state: Path, record: dict[str, Any]) -> None:
    """Replace the state file in one step."""
    draft = state.with_name(f"{state.name}.{os.getpid()}")
    draft.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    draft.replace(state)


def main(argument: str) -> None:
    """Detach, start the server, report to the starter, then supervise."""
    if os.fork():
        os._exit(0)
    order = json.loads(argument)
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    with socket.socket(fileno=os.dup(order["listener"])) as listener:
        supervisor = Supervisor(order, listener.getsockname()[1])
    with os.fdopen(order["report"], "w", encoding="utf-8") as report:
        try:
            supervisor.spawn()
        except (OSError, subprocess.SubprocessError) as error:
            json.dump({"error": f"{order['command'][0]}: cannot be run ({error})"}, report)
            return
        json.dump(supervisor.record, report)
    supervisor.run()


def _wait(until_s: float | None) -> int | None:
    """Wait for a signal, at most until a deadline; return which."""
    if until_s is None:
        return signal.sigwaitinfo(SIGNALS).si_signo
    info = signal.sigtimedwait(SIGNALS, max(0.0, until_s - time.monotonic()))
    return info.si_signo if info else None


def _say(text: str) -> None:
    sys.stderr.write(f"supervisor: {text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main(sys.argv[1])

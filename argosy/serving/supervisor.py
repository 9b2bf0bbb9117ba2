"""Start, look at and stop the one supervised model server of a project.

The supervisor is a detached process that runs the server and restarts it when it dies. It holds a lock for
as long as it lives, so that a second one cannot start, and the listening socket, so that a restart refuses
no connection. Nothing here imports more than the standard library: the command line does.
"""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

from argosy.errors import Mistake, Outage
from argosy.serving.ports import listen
from argosy.serving.processes import Identity, end, is_running

if TYPE_CHECKING:
    from pathlib import Path

LISTEN_FD = "ARGOSY_LISTEN_FD"
# The server drains for at most 20 s, its supervisor kills it after 25.
STOP_S = 30.0
HANDOVER_S = 5.0
NO_LOCK = -1
NOT_STOPPED = {"stopped": False, "pid": None, "drained": None}

Record = dict[str, Any]


def start_background(*, state: Path, log: Path, command: list[str], port: int, host: str = "127.0.0.1") -> Record:
    """Start the supervisor, or find it running; return its record.

    The record says pid, child_pid, url, host, port, log, command, restarts, last_exit and, as `already`,
    whether it ran before.

    Args:
        state: File that the supervisor keeps its record in; `<state>.lock` beside it is its lock.
        log: Takes what the supervisor and the server write; appended to.
        command: Runs the server. It listens on the socket whose descriptor is in `ARGOSY_LISTEN_FD`.
        port: 0 takes a free one.
        host: Address to listen on.

    Raises:
        Mistake: The port is taken, the command cannot be run, or a server of this project runs elsewhere.

    """
    state.parent.mkdir(parents=True, exist_ok=True)
    lock, running = _take_lock_or_find(state)
    if running is not None:
        return _adopt(running, host, port)
    try:
        with listen(host, port) as listener:
            return _launch(state, log, command, host=host, descriptors=(lock, listener.fileno()))
    finally:
        os.close(lock)


def stop(state: Path) -> Record:
    """Stop the supervisor and its server, the requests in flight finished first.

    Returns:
        {"stopped": whether one ran, "pid", "drained": False if it had to be killed}.

    """
    if not state.parent.exists():
        return dict(NOT_STOPPED)
    lock, running = _take_lock_or_find(state)
    if running is None:
        _discard(state, lock)
        return dict(NOT_STOPPED)
    drained = end(Identity.read(running), grace_s=STOP_S)
    lock, successor = _take_lock_or_find(state)
    if successor is None:
        _discard(state, lock)
    return {"stopped": True, "pid": running["pid"], "drained": drained}


def status(state: Path) -> Record:
    """Say whether the server is supervised now; a record left by a dead supervisor is `stale`."""
    record = _read(state)
    if record is None:
        return {"running": False, "stale": False}
    running = is_running(Identity.read(record))
    return {**record, "running": running, "stale": not running}


def _launch(state: Path, log: Path, command: list[str], *, host: str, descriptors: tuple[int, int]) -> Record:
    reader, writer = os.pipe()
    order = {
        "state": str(state.absolute()),
        "command": command,
        "host": host,
        "log": str(log.absolute()),
        "lock": descriptors[0],
        "listener": descriptors[1],
        "report": writer,
    }
    log.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(reader, encoding="utf-8") as report, log.open("ab") as output:
        try:
            subprocess.run(
                [sys.executable, "-m", "argosy.serving.supervise", json.dumps(order)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                pass_fds=(*descriptors, writer),
            )
        finally:
            os.close(writer)
        text = report.read()
    answer: Record = json.loads(text) if text else {"error": f"the supervisor did not start; see {log}"}
    if "error" in answer:
        raise Mistake(answer["error"])
    return {**answer, "already": False}


def _adopt(record: Record, host: str, port: int) -> Record:
    if port not in {0, record["port"]} or host != record["host"]:
        raise Mistake(
            f"--host {host} --port {port}: this project's server already runs on {record['url']} "
            f"(pid {record['pid']}); stop it first (`argosy stop`) or ask for that port"
        )
    return {**record, "already": True}


def _take_lock(state: Path) -> int | None:
    """Take the lock; whoever inherits the descriptor holds it too, until the last one closes it."""
    lock = os.open(f"{state}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock


def _take_lock_or_find(state: Path) -> tuple[int, Record | None]:
    """Take the lock, or return the record of the supervisor that holds it; it may be about to write or to end."""
    deadline = time.monotonic() + HANDOVER_S
    while time.monotonic() < deadline:
        lock = _take_lock(state)
        if lock is not None:
            return lock, None
        record = _read(state)
        if record is not None and is_running(Identity.read(record)):
            return NO_LOCK, record
        time.sleep(0.02)
    raise Outage(
        f"{state}.lock: held for {HANDOVER_S:g} s by a start or stop that does not end; see `fuser {state}.lock`"
    )


def _discard(state: Path, lock: int) -> None:
    """Remove a record that nobody stands behind, while nobody can write another."""
    state.unlink(missing_ok=True)
    os.close(lock)


def _read(state: Path) -> Record | None:
    try:
        record: Record = json.loads(state.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise Mistake(f"{state}: not a record of a supervisor ({error}); remove it and start again") from error
    if not isinstance(record, dict) or not {"pid", "started", "boot"} <= record.keys():
        raise Mistake(f"{state}: not a record of a supervisor (it names no process); remove it and start again")
    return record

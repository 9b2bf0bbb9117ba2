"""A process that has imported what steps need, and forks one child for each of them.

Run as `python -m argosy.local.forkserver SOCKET_FD`. One message asks for one child; its answer comes over a pipe that
the message carries: the child's process id, then its exit code. A child may become a server in turn, with a socket of
its own, to import more than this one: what several import sets share is then imported once. When the socket closes,
because the runner ended or was killed, every child is killed with whatever it started, and the server ends. It never
opens a store: the threads behind a store's client do not survive a fork.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import gc
import importlib
import json
import os
import selectors
import signal
import socket
import sys
import threading
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from argosy.launcher.executor import RUNTIME_SWITCH, Request, limit_the_end, run_request
from argosy.local.imports import COMPANIONS, GROW, OPTIONAL

MAX_MESSAGE = 1 << 16
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36


@dataclass
class Children:
    """The running children: the pipe that each one's runner reads, by process id; those that are servers."""

    pipes: dict[int, int] = field(default_factory=dict)
    servers: set[int] = field(default_factory=set)

    def end(self) -> None:
        """Kill every step with whatever it started, end the servers, and wait for all of them."""
        for pid in self.pipes:
            with contextlib.suppress(ProcessLookupError):
                # A server whose imports are done ignores this: it ends when its own socket closes, children first.
                os.killpg(pid, signal.SIGTERM if pid in self.servers else signal.SIGKILL)
        for pid in self.pipes:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)
        self.pipes.clear()
        while self.end_orphans():
            os.waitpid(-1, 0)

    def reap(self) -> None:
        """Report the exit code of every child that has ended."""
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    break
                self._report(pid, os.waitstatus_to_exitcode(status))
        if self.pipes.keys() <= self.servers:
            self.end_orphans()

    def end_orphans(self) -> bool:
        """Kill what steps started and detached from themselves, which fell to this process; say whether any was there.

        While a step runs it cannot be told whose an orphan is.
        """
        lists = [file.read_text() for file in Path("/proc/self/task").glob("*/children")]
        orphans = {int(pid) for text in lists for pid in text.split()} - self.pipes.keys()
        for pid in orphans:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return bool(orphans)

    def _report(self, pid: int, exit_code: int) -> None:
        pipe = self.pipes.pop(pid, None)
        if pipe is None:
            return
        # What the child started and left behind ends with it.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        with contextlib.suppress(BrokenPipeError):
            os.write(pipe, f"{exit_code}\n".encode())
        os.close(pipe)


def serve(control: socket.socket) -> None:
    """Import what the first message names, then fork on request until the socket closes."""
    os.environ.setdefault(*RUNTIME_SWITCH)
    # OpenMP reads it when it is loaded. Threads that spin while they wait double the CPU time of a fit as soon as
    # another step wants the same cores.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
    _preload(json.loads(control.recv(MAX_MESSAGE) or b"[]"))
    with contextlib.suppress(BrokenPipeError):
        control.send(b"warm")
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    os.set_blocking(wake_read, False)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    children = Children()
    with selectors.DefaultSelector() as selector:
        selector.register(control, selectors.EVENT_READ)
        selector.register(wake_read, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is control:
                    message, descriptors = _receive(control)
                    if not message:
                        children.end()
                        return
                    _fork(message, descriptors, children, control)
                else:
                    os.read(wake_read, 4096)
            children.reap()


def _receive(control: socket.socket) -> tuple[bytes, list[int]]:
    """Read one message with its descriptors; empty once the runner is gone, which may show as a reset."""
    try:
        message, descriptors, _, _ = socket.recv_fds(control, MAX_MESSAGE, 3)
    except ConnectionResetError:
        return b"", []
    return message, descriptors


def _preload(modules: list[str]) -> None:
    # Imports make next to no garbage, and looking for it takes a tenth of their time; children look for their own.
    gc.disable()
    # A module that cannot be imported here fails in the step that needs it, with its own traceback.
    for module in modules:
        unwanted = [name for name in OPTIONAL.get(module, ()) if name not in {*modules, *sys.modules}]
        sys.modules.update(dict.fromkeys(unwanted))  # type: ignore[arg-type]  # None makes an import fail
        for name in (module, *COMPANIONS.get(module, ())):
            with contextlib.suppress(Exception):
                importlib.import_module(name)
        for name in unwanted:
            del sys.modules[name]
    importlib.import_module("kfp.dsl.executor")
    gc.freeze()


def _fork(message: bytes, descriptors: list[int], children: Children, control: socket.socket) -> None:
    *given, pipe = descriptors
    server = os.getpid()
    pid = os.fork()
    if pid == 0:
        control.close()
        for other in (*children.pipes.values(), pipe):
            os.close(other)
        if message == GROW:
            _become_server(given[0], server)
        _become_child(message.decode(), given, server)
    # A step's log and lock, or a server's socket: the lock stays open in the child alone, so that the claim lasts as
    # long as the work.
    for descriptor in given:
        os.close(descriptor)
    # Both sides set the group: whoever is told the process id may signal the group at once.
    with contextlib.suppress(PermissionError, ProcessLookupError):
        os.setpgid(pid, pid)
    children.pipes[pid] = pipe
    if message == GROW:
        children.servers.add(pid)
    with contextlib.suppress(BrokenPipeError):
        os.write(pipe, f"{pid}\n".encode())


def _become_server(control: int, server: int) -> NoReturn:
    try:
        os.setpgid(0, 0)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        _die_with(server)
        serve(socket.socket(fileno=control))
    except Exception:  # os._exit would end it without a word
        traceback.print_exc()
    finally:
        os._exit(0)


def _become_child(request_file: str, given: list[int], server: int) -> NoReturn:
    code = 1
    try:
        os.setpgid(0, 0)
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        _die_with(server)
        _redirect(given[0])
        gc.enable()
        with open(request_file, encoding="utf-8") as file:  # noqa: PTH123 - nothing imported that is not needed
            request = Request.from_json(file.read())
        if request.argv:
            # The claim has to outlive the change into another program.
            os.set_inheritable(given[1], True)
        code = run_request(request)
        limit_the_end(request, code)
        # What Python does at its end: join threads, wake idle pools, call what was registered.
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def _die_with(parent: int) -> None:
    """Ask the kernel to kill this process when its parent ends, however that ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _redirect(log: int) -> None:
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(log, 1)
    os.dup2(log, 2)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
    # Nothing here is worth an orderly end: what was imported is only ever used by children.
    os._exit(0)

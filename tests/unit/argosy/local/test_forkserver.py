"""What steps start ends with them, however they end."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from argosy.launcher.claims import Cancelled
from argosy.local import processes
from argosy.local.processes import ForkServers
from tests.fakes.launching import a_step
from tests.fakes.processes import is_alive, pids, wait_for
from tests.fakes.projects import ROOT, project_env

STARTS = {
    "subprocess": "subprocess.Popen(['sleep', '60'])",
    "session": "subprocess.Popen(['sleep', '60'], start_new_session=True)",
    "fork": "forked(lambda: time.sleep(60))",
    "daemon": "forked(lambda: (os.setsid(), forked(lambda: time.sleep(60))))",
    "deaf": "forked(lambda: (signal.signal(signal.SIGTERM, signal.SIG_IGN), time.sleep(60)))",
}
CODE = """
def step(place: str) -> int:
    import os, signal, subprocess, sys, time

    def note(pid):
        open(os.path.join(place, str(pid)), "w").close()

    def forked(work):
        pid = os.fork()
        if pid == 0:
            note(os.getpid())
            work()
            os._exit(0)
        return pid

    note(os.getpid())
    child = {start}
    if hasattr(child, "pid"):
        note(child.pid)
    time.sleep(0.1)
    {end}
    return 1
"""
RUNNER = """
import sys
from pathlib import Path
from tests.fakes.launching import SERVERS, Lab, a_step
code, place, timeout = sys.argv[2:]
outcome = Lab(Path(sys.argv[1])).launch(a_step(code, inputs={"place": place}, timeout_s=float(timeout)))
SERVERS.close()
print(outcome.status, outcome.error)
"""
SLOW = pytest.mark.slow
ENDS = {
    "returns": "pass",
    "raises": "raise ValueError",
    "exits": "sys.exit(3)",
    "exits at once": "os._exit(3)",
    "is killed": "os.kill(os.getpid(), 9)",
    "hangs": "time.sleep(60)",
}


@pytest.fixture
def place(tmp_path):
    folder = tmp_path / "pids"
    folder.mkdir()
    return folder


def code_of(start, end):
    return textwrap.dedent(CODE).format(start=STARTS[start], end=ENDS[end])


def starting(place, start, end):
    """Return a step that starts something and then ends in some way."""
    return a_step(code_of(start, end), inputs={"place": str(place)}, timeout_s=1.0 if end == "hangs" else None)


def start_runner(lab, code, place, timeout_s):
    """Start a process that launches one step."""
    command = [sys.executable, "-c", RUNNER, str(lab.folder), code, str(place), str(timeout_s)]
    return subprocess.Popen(command, cwd=ROOT, env=project_env(ROOT), stdout=subprocess.PIPE, text=True)


def all_dead(place):
    return not any(is_alive(pid) for pid in pids(place))


@pytest.mark.parametrize(
    ("start", "end"), [*((start, "returns") for start in STARTS), *(("fork", end) for end in ENDS if end != "returns")]
)
def test_what_a_step_started_ends_with_it_however_it_ends(lab, place, start, end):
    outcome = lab.launch(starting(place, start, end))

    assert outcome.status == ("ran" if end == "returns" else "failed")
    assert len(pids(place)) >= 2
    wait_for(lambda: all_dead(place), 3)


def test_a_step_that_ignores_the_request_to_end_is_killed_after_a_grace_period(lab, place, monkeypatch):
    monkeypatch.setattr(processes, "GRACE_S", 0.3)
    line = "import os, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    line += "open(os.path.join(place, str(os.getpid())), 'w').close(); time.sleep(60); return 1"

    outcome = lab.launch(
        a_step(f"def step(place: str) -> int:\n    {line}\n", inputs={"place": str(place)}, timeout_s=0.3)
    )

    assert "took longer than its 0.3 s" in outcome.error
    assert len(pids(place)) == 1
    assert all_dead(place)


def test_a_daemon_that_inherited_the_claim_does_not_keep_it(lab, place):
    lab.launch(starting(place, "daemon", "returns"))
    began = time.monotonic()

    assert lab.launch(starting(place, "daemon", "returns"), forced=frozenset(["step"])).status == "ran"
    assert time.monotonic() - began < 10


def test_a_daemon_of_one_step_ends_when_no_step_runs_any_more(lab, place):
    slow = a_step("def step() -> int:\n    import time; time.sleep(1)\n    return 1\n", name="slow")
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(lab.launch, slow)
        time.sleep(0.2)
        lab.launch(starting(place, "daemon", "returns"))
        assert other.result().status == "ran"

    wait_for(lambda: all_dead(place), 3)


THREADS = """
def step() -> int:
    import atexit, os, threading, time
    from concurrent.futures import ThreadPoolExecutor

    def late():
        time.sleep(0.2)
        print("late")

    {start}
    atexit.register(print, "at exit")
    return 1
"""


@pytest.mark.parametrize(
    ("start", "said"),
    [
        ("threading.Thread(target=late).start()", "late\nat exit\n"),
        ("ThreadPoolExecutor(1).submit(late)", "late\nat exit\n"),
        ("threading.Thread(target=late, daemon=True).start()", "at exit\n"),
    ],
)
def test_a_step_ends_as_a_python_program_does_with_its_threads(lab, start, said):
    outcome = lab.launch(a_step(THREADS.format(start=start)))

    assert outcome.status == "ran"
    assert lab.log(outcome) == said


def test_a_cancelled_step_is_ended_with_what_it_started(lab, place):
    flag = []
    servers = ForkServers(lambda: bool(flag), [()])

    def execute(request, *, log, lock, timeout_s):
        return servers.run(request, servers.server_for(()), log=log, lock=lock, timeout_s=timeout_s)

    try:
        with ThreadPoolExecutor(1) as pool:
            hanging = starting(place, "fork", "hangs")
            running = pool.submit(lab.launch, hanging, execute=execute)
            wait_for(lambda: len(pids(place)) == 2)
            flag.append(1)
            with pytest.raises(Cancelled):
                running.result()
        wait_for(lambda: all_dead(place), 3)
    finally:
        servers.close()


@pytest.mark.parametrize("start", ["fork", "daemon", *(pytest.param(name, marks=SLOW) for name in ("session", "deaf"))])
def test_everything_ends_when_the_runner_is_gone(lab, place, start):
    with start_runner(lab, code_of(start, "hangs"), place, 60) as runner:
        wait_for(lambda: len(pids(place)) == 2 + (start == "daemon"))

        runner.kill()

    wait_for(lambda: all_dead(place), 5)


def test_a_step_ends_when_the_runner_and_its_server_are_killed_at_once(lab, place):
    line = "import os, time; open(os.path.join(place, str(os.getpid())), 'w').close(); time.sleep(60); return 1"
    with start_runner(lab, f"def step(place: str) -> int:\n    {line}\n", place, 60) as runner:
        [step] = wait_for(lambda: pids(place))
        server = int(Path(f"/proc/{step}/stat").read_text().rsplit(")", 1)[1].split()[1])
        runner.send_signal(signal.SIGSTOP)
        os.kill(server, signal.SIGKILL)
        runner.kill()

    wait_for(lambda: not is_alive(step), 5)


def test_a_module_that_fails_to_import_in_any_way_fails_only_the_step_that_needs_it(lab, monkeypatch):
    lab.write("broken_library.py", "raise RuntimeError('no driver')\n")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(lab.folder), *sys.path]))
    servers = ForkServers(lambda: False, [(), ("broken_library",)])

    def execute(request, *, log, lock, timeout_s):
        server = servers.server_for(("broken_library",))
        return servers.run(request, server, log=log, lock=lock, timeout_s=timeout_s)

    try:
        assert lab.launch(a_step(), execute=execute).status == "ran"
    finally:
        servers.close()


def test_a_step_that_ended_while_the_runner_was_stopped_did_not_take_too_long(lab, place):
    line = "import time; open(place + '/1', 'w').close(); time.sleep(0.5); return 1"
    code = f"def step(place: str) -> int:\n    {line}\n"
    with start_runner(lab, code, place, 1.0) as runner:
        wait_for(lambda: pids(place))
        runner.send_signal(signal.SIGSTOP)
        time.sleep(1.2)
        runner.send_signal(signal.SIGCONT)

        assert runner.communicate()[0].strip() == "ran"

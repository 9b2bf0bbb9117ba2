import json
import signal
import sys
import time
from pathlib import Path

import httpx
import pytest

from argosy.serving.ports import listen
from argosy.serving.processes import identify
from argosy.serving.supervise import Supervisor, write_record
from argosy.serving.supervisor import start_background, status, stop

STUB = [sys.executable, str(Path(__file__).parents[3] / "fakes" / "stub_server.py")]


@pytest.fixture
def state(tmp_path):
    yield tmp_path / "serving.json"
    stop(tmp_path / "serving.json")


def read(path):
    return path.read_text() if path.exists() else ""


def wait_for(condition, timeout_s=10.0):
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


def test_a_server_that_does_not_drain_is_killed(tmp_path, capsys):
    with listen("127.0.0.1", 0) as listener:
        order = {
            "command": [*STUB, "--deaf"],
            "listener": listener.fileno(),
            "state": str(tmp_path / "serving.json"),
            "host": "127.0.0.1",
            "log": "",
        }
        supervisor = Supervisor(order, listener.getsockname()[1], drain_s=0.2)
        supervisor.spawn()
        child = int(httpx.get(supervisor.record["url"]).text)
        started = time.monotonic()

        supervisor.drain()

    assert identify(child) is None
    assert time.monotonic() - started < 5
    assert "did not drain within 0.2 s" in capsys.readouterr().err


def test_a_child_is_spawned_with_no_signal_blocked(tmp_path):
    shown = tmp_path / "mask"
    code = f"import signal; open({str(shown)!r}, 'w').write(str(signal.pthread_sigmask(signal.SIG_BLOCK, [])))"
    order = {
        "command": [sys.executable, "-c", code],
        "listener": 0,
        "state": str(tmp_path / "serving.json"),
        "host": "",
        "log": "",
    }
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    try:
        supervisor = Supervisor(order, 1)
        supervisor.spawn()
        deadline = time.monotonic() + 5
        while not (shown.exists() and shown.read_text()) and time.monotonic() < deadline:
            time.sleep(0.02)
        supervisor.drain()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

    assert shown.read_text() == "set()"


def test_a_restart_that_the_machine_refuses_is_tried_again_later(state, tmp_path):
    program = tmp_path / "server"
    program.symlink_to(sys.executable)
    record = start_background(
        state=state, log=tmp_path / "log", command=[str(program), "-c", "import time; time.sleep(0.3)"], port=0
    )
    program.unlink()
    wait_for(lambda: "not started" in str(status(state).get("last_exit")) or "not started" in read(tmp_path / "log"))

    program.symlink_to(sys.executable)

    wait_for(lambda: status(state)["restarts"] >= 1)
    assert status(state)["pid"] == record["pid"]


def test_a_record_is_replaced_in_one_step(tmp_path):
    state = tmp_path / "serving.json"
    write_record(state, {"pid": 1})
    write_record(state, {"pid": 2})

    assert json.loads(state.read_text()) == {"pid": 2}
    assert list(tmp_path.iterdir()) == [state]

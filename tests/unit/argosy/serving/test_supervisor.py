import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from argosy.errors import Mistake
from argosy.serving.ports import listen
from argosy.serving.processes import Identity, identify
from argosy.serving.supervisor import start_background, status, stop

STUB = [sys.executable, str(Path(__file__).parents[3] / "fakes" / "stub_server.py")]


@pytest.fixture
def state(tmp_path):
    """A state file whose supervisor, if one is left, is stopped at the end."""
    state = tmp_path / ".argosy" / "serving.json"
    yield state
    stop(state)


def start(state, *, port=0, command=STUB):
    return start_background(state=state, log=state.parent / "serving.log", command=command, port=port)


def wait_for(condition, timeout_s=10.0):
    deadline = time.monotonic() + timeout_s
    while not (value := condition()):
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)
    return value


def pid_of_answer(record, path="/pid"):
    return int(httpx.get(record["url"] + path, timeout=10).text)


def test_a_started_server_answers_and_is_described(state):
    record = start(state)

    assert record["already"] is False
    assert pid_of_answer(record) == record["child_pid"]
    described = status(state)
    assert (described["running"], described["stale"], described["pid"]) == (True, False, record["pid"])


def test_a_second_start_finds_the_first(state):
    first = start(state)
    second = start(state, port=first["port"])

    assert second == {**first, "already": True}


def test_a_second_start_on_another_port_is_refused_by_name(state):
    first = start(state)

    with pytest.raises(Mistake, match=rf"already runs on {first['url']} \(pid {first['pid']}\).*argosy stop"):
        start(state, port=first["port"] + 1 if first["port"] < 65535 else 1024)


def test_of_many_starts_at_once_one_starts(state):
    with ThreadPoolExecutor(4) as threads:
        records = list(threads.map(lambda _: start(state), range(4)))

    assert len({record["pid"] for record in records}) == 1
    assert sorted(record["already"] for record in records) == [False, True, True, True]


def test_a_taken_port_is_refused_before_anything_starts(state):
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]

        with pytest.raises(Mistake, match=rf"^port {port} .*taken.*--port"):
            start(state, port=port)

    assert not state.exists()
    assert status(state) == {"running": False, "stale": False}


def test_a_command_that_cannot_be_run_is_a_mistake(state):
    with pytest.raises(Mistake, match="no-such-program: cannot be run"):
        start(state, command=["no-such-program"])

    assert status(state)["running"] is False


def test_a_killed_server_is_started_again_and_no_connection_is_refused(state):
    record = start(state)
    assert pid_of_answer(record) == record["child_pid"]

    os.kill(record["child_pid"], signal.SIGKILL)

    assert pid_of_answer(record) != record["child_pid"]
    described = wait_for(lambda: status(state)["restarts"] == 1 and status(state))
    assert described["last_exit"] == -signal.SIGKILL
    assert identify(described["child_pid"]) is not None


def test_a_server_that_keeps_dying_is_restarted_ever_more_slowly(state):
    record = start(state, command=[sys.executable, "-c", "import sys; sys.exit(7)"])
    wait_for(lambda: status(state)["restarts"] >= 2)

    assert status(state)["last_exit"] == 7
    text = Path(record["log"]).read_text()
    assert "restart in 0.1 s" in text
    assert "restart in 0.2 s" in text


def test_nothing_is_left_after_a_stop(state):
    record = start(state)
    pid_of_answer(record)

    assert stop(state) == {"stopped": True, "pid": record["pid"], "drained": True}

    assert identify(record["pid"]) is None
    assert identify(record["child_pid"]) is None
    assert not state.exists()
    listen("127.0.0.1", record["port"]).close()
    assert stop(state) == {"stopped": False, "pid": None, "drained": None}


def test_a_stop_finishes_the_request_in_flight(state):
    record = start(state)
    pid_of_answer(record)
    with ThreadPoolExecutor(1) as threads:
        slow = threads.submit(pid_of_answer, record, "/slow")
        time.sleep(0.2)
        stop(state)

        assert slow.result() == record["child_pid"]


def test_a_server_dies_with_its_supervisor_and_the_record_is_stale(state):
    record = start(state)
    pid_of_answer(record)

    os.kill(record["pid"], signal.SIGKILL)

    wait_for(lambda: identify(record["child_pid"]) is None)
    assert status(state)["stale"] is True
    again = start(state, port=record["port"])
    assert again["already"] is False
    assert pid_of_answer(again) == again["child_pid"]


def test_a_record_of_an_earlier_boot_stops_nobody(state):
    with subprocess.Popen(["sleep", "60"]) as bystander:
        identity = identify(bystander.pid)
        state.parent.mkdir()
        state.write_text(json.dumps({"pid": bystander.pid, "started": identity.started, "boot": "earlier"}))

        assert status(state)["stale"] is True
        assert stop(state)["stopped"] is False
        assert bystander.poll() is None
        bystander.kill()


@pytest.mark.parametrize("text", ["{", "[]", '{"pid": 1}'])
def test_what_is_no_record_is_a_mistake_that_names_the_file(state, text):
    state.parent.mkdir()
    state.write_text(text)

    with pytest.raises(Mistake, match=r"serving\.json: not a record"):
        status(state)
    state.unlink()


def test_the_record_holds_the_identity_of_the_supervisor(state):
    record = start(state)

    assert Identity.read(record) == identify(record["pid"])


def test_stopping_where_nothing_ever_ran_leaves_no_trace(state):
    assert stop(state)["stopped"] is False

    assert not state.parent.exists()


def test_a_start_right_after_a_stop_starts_anew(state):
    first = start(state)
    stopper = threading.Thread(target=stop, args=(state,))
    stopper.start()
    stopper.join()
    second = start(state, port=first["port"])

    assert second["already"] is False
    assert second["pid"] != first["pid"]


def test_the_starter_keeps_no_lock(state):
    start(state)
    stop(state)

    with Path(f"{state}.lock").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_importing_the_supervisor_imports_nothing_but_the_standard_library():
    code = (
        "import sys; before = set(sys.modules); import argosy.serving.supervisor;"
        "names = {name.partition('.')[0] for name in set(sys.modules) - before};"
        "print(*sorted(names - sys.stdlib_module_names))"
    )

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.split() == ["argosy"]


def test_a_stop_from_a_thread_while_the_server_restarts_leaves_nothing(state):
    record = start(state, command=[sys.executable, "-c", "import sys; sys.exit(7)"])
    stopper = threading.Thread(target=stop, args=(state,))
    stopper.start()
    stopper.join(10)

    assert identify(record["pid"]) is None
    assert not state.exists()

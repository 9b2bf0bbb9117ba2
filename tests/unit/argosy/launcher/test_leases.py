import signal
import subprocess
import sys
import threading
import time
from datetime import timedelta

import pytest

from argosy.launcher.claims import Cancelled
from argosy.launcher.leases import lease
from argosy.launcher.store import open_store
from tests.fakes.projects import ROOT, project_env

LEASE_S = 0.6
HOLDER = """
import sys, time
from pathlib import Path
from argosy.launcher.leases import Lost, lease
from argosy.launcher.store import open_store
store = open_store(sys.argv[1], state=Path("holder"))
with lease(store, "sha256:k", lambda: False, lease_s=0.6) as require:
    print("held", flush=True)
    sys.stdin.readline()
    try:
        require()
        print("still held", flush=True)
    except Lost:
        print("lost", flush=True)
"""
HOUR = timedelta(hours=1)


def never():
    return False


@pytest.fixture
def store(s3, tmp_path):
    return open_store(s3, state=tmp_path / "state")


@pytest.fixture
def holder(s3, tmp_path):
    """Give a process that holds the claim on a key."""
    command = [sys.executable, "-c", HOLDER, s3]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=tmp_path, env=project_env(ROOT), **pipes) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_one_of_many_machines_works_at_a_time(store):
    working, most = [], []

    def work():
        with lease(store, "sha256:k", never, lease_s=LEASE_S):
            working.append(1)
            most.append(len(working))
            time.sleep(0.02)
            working.pop()

    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert most == [1] * 5
    assert store.generations("claims/k") == [5]


def test_a_claim_that_is_let_go_is_had_at_once(store):
    for _ in range(3):
        began = time.monotonic()
        with lease(store, "k", never) as require:
            require()

        assert time.monotonic() - began < 1


def test_a_lease_is_renewed_for_as_long_as_the_work_goes_on(store, holder):
    asked = []

    def cancelled():
        asked.append(1)
        return len(asked) > 8

    with pytest.raises(Cancelled), lease(store, "k", cancelled, lease_s=LEASE_S):
        pass
    holder.communicate("go on\n")

    assert store.generations("claims/k") == [1]


def test_a_killed_owner_is_replaced_when_its_lease_has_run_out(store, holder):
    time.sleep(0.3)
    holder.kill()
    began = time.monotonic()

    with lease(store, "k", never, lease_s=LEASE_S) as require:
        waited = time.monotonic() - began
        require()

    assert 0.3 < waited < 5
    assert store.generations("claims/k") == [2]


def test_whoever_slept_longer_than_a_lease_has_lost_its_claim(store, holder):
    holder.send_signal(signal.SIGSTOP)
    with lease(store, "k", never, lease_s=LEASE_S) as require:
        holder.send_signal(signal.SIGCONT)
        said = holder.communicate("go on\n")[0]
        require()

    assert said == "lost\n"
    assert store.read_json("claims/k/00000002.json")["released"]
    assert store.generations("claims/k") == [2]


def test_whoever_slept_long_has_lost_its_claim_even_if_nobody_took_it(holder):
    holder.send_signal(signal.SIGSTOP)
    time.sleep(LEASE_S + 0.2)
    holder.send_signal(signal.SIGCONT)

    assert holder.communicate("go on\n")[0] == "lost\n"


@pytest.mark.slow
def test_a_waiter_that_slept_does_not_take_its_own_sleep_for_the_owners(store, holder, s3, tmp_path):
    code = HOLDER.replace("sys.stdin.readline()", "pass")
    command, started = [sys.executable, "-c", code, s3], {"cwd": tmp_path, "env": project_env(ROOT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **started) as waiter:
        time.sleep(1)
        for _ in range(3):
            waiter.send_signal(signal.SIGSTOP)
            time.sleep(LEASE_S + 0.2)
            waiter.send_signal(signal.SIGCONT)
            time.sleep(0.1)
        assert store.generations("claims/k") == [1]
        assert holder.communicate("go on\n")[0] == "still held\n"
        assert waiter.communicate()[0] == "held\nstill held\n"


@pytest.mark.parametrize("seconds", [-90_000, 90_000])
def test_the_clock_of_a_machine_does_not_matter(store, holder, seconds, monkeypatch):
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + seconds)
    asked = iter([False] * 5 + [True])

    with pytest.raises(Cancelled), lease(store, "k", lambda: next(asked), lease_s=LEASE_S):
        pass


def test_a_claim_whose_owner_died_long_ago_is_had_at_once(store, monkeypatch):
    store.append("claims/k", 1, {"owner": "gone", "lease_s": 3600, "beat": 4, "released": False})
    modified = store.entry("claims/k/00000001.json").modified
    monkeypatch.setattr(store, "now", lambda: modified + 3 * HOUR)

    with lease(store, "k", never):
        assert store.generations("claims/k") == [1, 2]


def test_a_folder_on_this_machine_needs_no_lease(tmp_path):
    store = open_store(str(tmp_path / "store"))

    with lease(store, "k", never) as require:
        require()
    assert store.paths("claims") == []

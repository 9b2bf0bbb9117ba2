import os
import subprocess
import sys
import threading
import time

import pytest

from argosy.launcher.claims import Cancelled, claim, try_lock
from tests.fakes.processes import is_alive
from tests.fakes.projects import ROOT

HOLDER = """
import os, sys, time
from pathlib import Path
from argosy.launcher.claims import claim
with claim(Path(sys.argv[1]), "sha256:k", lambda: False) as lock:
    os.set_inheritable(lock, True)
    child = os.posix_spawn("/bin/sleep", ["sleep", sys.argv[2]], {})
    print(child, flush=True)
    time.sleep(60)
"""


def never():
    return False


def test_one_of_many_threads_works_at_a_time(tmp_path):
    working, most = [], []

    def work():
        with claim(tmp_path, "sha256:k", never):
            working.append(1)
            most.append(len(working))
            time.sleep(0.01)
            working.pop()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert most == [1] * 6


def test_two_keys_are_claimed_independently(tmp_path):
    with claim(tmp_path, "sha256:one", never), claim(tmp_path, "sha256:two", never):
        assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "two"]


def test_waiting_ends_when_the_run_is_cancelled(tmp_path):
    asked = iter([False, False, True])

    with claim(tmp_path, "k", never), pytest.raises(Cancelled), claim(tmp_path, "k", lambda: next(asked)):
        pass


def test_a_claim_ends_with_an_error(tmp_path):
    with pytest.raises(ZeroDivisionError), claim(tmp_path, "k", never):
        raise ZeroDivisionError

    descriptor = os.open(tmp_path / "k", os.O_RDWR)
    assert try_lock(descriptor)
    os.close(descriptor)


def test_a_child_that_inherits_the_claim_holds_it_until_it_ends(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path), "0.7"], stdout=subprocess.PIPE, cwd=ROOT
    ) as holder:
        child = int(holder.stdout.readline())
        holder.kill()
        began = time.monotonic()

        with claim(tmp_path, "sha256:k", never):
            waited = time.monotonic() - began

        assert waited > 0.3
        assert not is_alive(child)

import os
import signal
import subprocess
import sys
from dataclasses import replace

import pytest

from argosy.serving.processes import end, identify, is_running

DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); signal.pause()"


@pytest.fixture
def sleeper():
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process
        process.kill()


def test_a_process_is_known_again(sleeper):
    identity = identify(sleeper.pid)

    assert identity is not None
    assert is_running(identity)
    assert not is_running(replace(identity, started=identity.started + 1))
    assert not is_running(replace(identity, boot="another"))


def test_a_process_that_ended_has_no_identity_even_before_it_is_reaped(sleeper):
    identity = identify(sleeper.pid)
    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)

    assert identify(sleeper.pid) is None
    assert not is_running(identity)


def test_ending_a_process_is_gentle_first(sleeper):
    assert end(identify(sleeper.pid), grace_s=5) is True
    assert sleeper.wait() == -signal.SIGTERM


def test_a_process_that_does_not_listen_is_killed():
    with subprocess.Popen([sys.executable, "-c", DEAF], stdout=subprocess.PIPE) as deaf:
        deaf.stdout.readline()

        assert end(identify(deaf.pid), grace_s=0.2) is False
        assert deaf.wait() == -signal.SIGKILL


def test_a_pid_that_is_someone_elses_by_now_is_not_signalled(sleeper):
    earlier = replace(identify(sleeper.pid), started=1)

    assert end(earlier, grace_s=0.1) is True
    assert sleeper.poll() is None


def test_ending_what_has_ended_is_no_error(sleeper):
    identity = identify(sleeper.pid)
    sleeper.kill()
    sleeper.wait()

    assert end(identity, grace_s=0.1) is True

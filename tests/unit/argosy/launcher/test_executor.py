import json
import subprocess
import sys

import pytest

from argosy.errors import Mistake
from argosy.launcher.executor import LONGEST_MESSAGE, describe
from tests.fakes.projects import ROOT, project_env


class Mute(Exception):
    def __str__(self):
        raise RuntimeError("no text")


class Opaque:
    def __repr__(self):
        raise TypeError("no text")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError("no such thing"), "ValueError: no such thing"),
        (KeyError(), "KeyError"),
        (Mistake("asked wrong"), "asked wrong"),
        (SystemExit(3), "the step's code exited with 3"),
        (SystemExit(Opaque()), "(its message cannot be shown: that raises TypeError)"),
        (Mute(), "Mute: (its message cannot be shown: that raises RuntimeError)"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
    ],
)
def test_what_a_step_raised_is_summed_up(error, said):
    assert describe(error) == said


def test_a_message_is_bounded_and_what_was_cut_is_counted():
    said = describe(ValueError("m" * 1_000_000))

    assert said == f"ValueError: {'m' * LONGEST_MESSAGE}… (996,000 more characters)"


LINGER = """\
import atexit, sys, threading, time
from argosy.launcher import executor
executor.END_S = 0.2
request = executor.Request("", "", {}, sys.argv[1], "")
executor.limit_the_end(request, int(sys.argv[2]))
if sys.argv[3] == "thread":
    threading.Thread(target=time.sleep, args=(60,)).start()
elif sys.argv[3] == "hook":
    atexit.register(time.sleep, 60)
"""


@pytest.mark.parametrize(
    ("code", "left", "ended", "told"),
    [(0, "nothing", 0, False), (0, "thread", 1, True), (0, "hook", 1, True), (7, "thread", 7, False)],
)
def test_a_process_ends_soon_after_its_step_whatever_it_left(tmp_path, code, left, ended, told):
    command = [sys.executable, "-c", LINGER, str(tmp_path), str(code), left]

    done = subprocess.run(command, env=project_env(ROOT), capture_output=True, text=True, timeout=20)

    assert done.returncode == ended
    report = tmp_path / "error.json"
    assert report.exists() == told
    if told:
        assert json.loads(report.read_text())["message"].startswith("returned, but a thread or exit hook of it")
        assert "most recent call first" in done.stderr

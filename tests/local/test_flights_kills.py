"""Kill a run of flights anywhere and run it again: the end state is one undisturbed run's."""

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.fakes.flights_project import ROOT, FlightsProject, a_flights_project, ended
from tests.fakes.flights_state import flights_state

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:.*noload.*:DeprecationWarning")]
KILLS = 40
EFFECTS = [
    *((point, nth) for point in ("before move", "after move") for nth in (1,)),
    # The first effect that is done is the registered version, the second the projection of the moved ref.
    *((point, nth) for point in ("before done", "after done") for nth in (1, 2)),
    *((point, nth) for point in ("before commit", "after commit") for nth in (1, 5, 14, 20)),
]


class Trial(FlightsProject):
    """The same code with a state of its own."""

    @property
    def state(self) -> Path:
        return Path(self.env["ARGOSY_STATE"])


@dataclass(frozen=True)
class Undisturbed:
    project: FlightsProject
    state: dict
    seconds: float


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    project = a_flights_project(tmp_path_factory.mktemp("flights") / "project")
    trial = a_trial(project)
    with served(trial) as url:
        # Compiled before the clock starts: the trials take the compiled spec over.
        trial.argosy("plan", "flights-training", "-p", "profile=month")
        shutil.copytree(trial.state / "compiled", project.folder / ".compiled")
        began = time.monotonic()
        answer = trial.month()
        seconds = time.monotonic() - began
        assert answer.code == 0, answer.stderr
        return Undisturbed(project, flights_state(trial, url), seconds)


def a_trial(project: FlightsProject) -> Trial:
    """Start over: always in the same place, because the registry's address is part of what names a version."""
    state = project.folder.with_name("state")
    shutil.rmtree(state, ignore_errors=True)
    if (project.folder / ".compiled").exists():
        shutil.copytree(project.folder / ".compiled", state / "compiled")
    return Trial(project.folder, {"ARGOSY_STATE": str(state), "ARGOSY_STORE": str(state / "store")})


@contextmanager
def served(trial: Trial):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    started = trial.argosy("serve", "--background", "--port", port)
    assert started.code == 0, started.stderr
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        assert trial.argosy("stop").code == 0


def finished_state(trial: Trial, url: str) -> dict:
    """Run to the end, see that a further run has nothing to do, and look."""
    answer = trial.month()
    assert answer.code == 0, answer.stderr
    assert trial.month().ran == set()
    return flights_state(trial, url)


@pytest.mark.parametrize("seed", range(KILLS))
def test_a_run_killed_at_a_random_moment_ends_as_an_undisturbed_one(undisturbed: Undisturbed, seed: int):
    trial = a_trial(undisturbed.project)
    with served(trial) as url:
        process = trial.start("run", "flights-training", "-p", "profile=month")
        time.sleep(random.Random(seed).uniform(0.1, undisturbed.seconds))
        process.kill()
        process.communicate()

        assert finished_state(trial, url) == undisturbed.state


@pytest.mark.parametrize(("point", "nth"), EFFECTS)
def test_a_run_killed_beside_an_effect_or_commit_ends_as_an_undisturbed_one(
    undisturbed: Undisturbed, point: str, nth: int
):
    trial = a_trial(undisturbed.project)
    with served(trial) as url:
        killed = killed_at(trial, point, nth)
        assert killed == -signal.SIGKILL

        assert finished_state(trial, url) == undisturbed.state


def killed_at(trial: Trial, point: str, nth: int) -> int:
    script = ROOT / "tests" / "fakes" / "killed_run.py"
    environment = trial._environment({})
    command = [sys.executable, str(script), point, str(nth)]
    return subprocess.run(command, cwd=trial.folder, env=environment, capture_output=True, check=False).returncode


def test_a_run_that_is_stopped_and_continued_ends_as_an_undisturbed_one(undisturbed: Undisturbed):
    trial = a_trial(undisturbed.project)
    with served(trial) as url:
        process = trial.start("run", "flights-training", "-p", "profile=month")
        for _ in range(3):
            time.sleep(undisturbed.seconds / 5)
            os.kill(process.pid, signal.SIGSTOP)
            time.sleep(2)
            os.kill(process.pid, signal.SIGCONT)
        assert ended(process).code == 0

        assert finished_state(trial, url) == undisturbed.state


def test_two_runs_started_at_once_share_the_work_and_end_as_one(undisturbed: Undisturbed):
    trial = a_trial(undisturbed.project)
    with served(trial) as url:
        month = ("run", "flights-training", "-p", "profile=month", "--output", "json")
        answers = [ended(process) for process in [trial.start(*month), trial.start(*month)]]

        assert [answer.code for answer in answers] == [0, 0], [answer.stderr for answer in answers]
        assert answers[0].ran.isdisjoint(answers[1].ran)
        assert finished_state(trial, url) == undisturbed.state

"""Kill a run anywhere and run it again: the end state is one undisturbed run's."""

import json
import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.fakes.end_state import end_state
from tests.fakes.processes import wait_for
from tests.fakes.projects import argosy_command
from tests.fakes.small_world import DYING, SmallWorld

KILLS = 20
# Each run dies a little later than the one before; the last one ends by itself.
CHAIN = [
    ("before commit", 2),
    ("after commit", 1),
    ("before done", 1),
    ("after done", 1),
    ("before move", 1),
    ("after move", 1),
    ("before done", 1),
    ("after done", 1),
]


class Trial:
    """A world in which runs are killed until one comes to its end."""

    def __init__(self, folder):
        self.world = SmallWorld(folder)

    def die_at(self, point, nth=1):
        """Run until a point is reached for the nth time; return how the process ended."""
        command = [*DYING, "spec.json", point, str(nth)]
        env = self.world.env()
        return subprocess.run(command, cwd=self.world.folder, env=env, capture_output=True, text=True)

    def start(self):
        """Start a run."""
        command = argosy_command("run", "spec.json")
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        return subprocess.Popen(command, cwd=self.world.folder, env=self.world.env(), **quiet)

    def end(self):
        """Run to the end and return the state that all runs together left."""
        code, document = self.world.run()
        assert code == 0, document
        again, unchanged = self.world.run()
        assert again == 0
        assert {step["status"] for step in unchanged["steps"]} == {"reused", "observed"}
        return end_state(self.world.store), self.world.outside()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """Return the end state of one undisturbed run, the points that it reached, and the seconds that it took."""
    trial = Trial(tmp_path_factory.mktemp("undisturbed") / "project")
    began = time.monotonic()
    points = json.loads(trial.die_at("-").stdout)
    seconds = time.monotonic() - began
    return {"state": trial.end(), "points": points, "seconds": seconds}


def test_runs_that_die_one_after_another_around_each_effect_come_to_the_same_end(tmp_path, undisturbed):
    trial = Trial(tmp_path / "project")

    codes = [trial.die_at(*point).returncode for point in CHAIN]

    assert codes[:2] + codes[-1:] == [-signal.SIGKILL] * 3
    assert trial.end() == undisturbed["state"]


@pytest.mark.slow
def test_the_end_state_tells_other_values_apart(tmp_path, undisturbed):
    trial = Trial(tmp_path / "project")
    spec = json.loads((trial.world.folder / "spec.json").read_text())
    spec["root"]["dag"]["tasks"]["make"]["inputs"]["parameters"]["n"]["runtimeValue"]["constant"] = 4
    (trial.world.folder / "spec.json").write_text(json.dumps(spec))

    assert trial.end() != undisturbed["state"]


@pytest.mark.slow
def test_a_run_that_dies_at_any_point_comes_to_the_same_end(tmp_path, undisturbed):
    points = undisturbed["points"]
    around = {f"{when} {what}" for when in ("before", "after") for what in ("commit", "move", "done")}
    assert set(points) == {"before work", *around}
    for number, point in enumerate(points):
        trial = Trial(tmp_path / f"project-{number}")
        nth = points[: number + 1].count(point)

        assert trial.die_at(point, nth).returncode == -signal.SIGKILL
        assert trial.end() == undisturbed["state"], (point, nth)


@pytest.mark.slow
def test_runs_that_are_killed_at_random_come_to_the_same_end(tmp_path, undisturbed):
    chance = random.Random(2013)
    kills, trial, number = 0, Trial(tmp_path / "project-0"), 0
    while kills < KILLS:
        with trial.start() as run:
            try:
                run.wait(chance.uniform(0.1, undisturbed["seconds"]))
            except subprocess.TimeoutExpired:
                kills += kill_one(run, chance)
                continue
        assert trial.end() == undisturbed["state"]
        number += 1
        trial = Trial(tmp_path / f"project-{number}")
    assert trial.end() == undisturbed["state"]


def kill_one(run, chance):
    """Kill the run itself, or one of its processes below: then it has to end by itself, whatever it says."""
    below = descendants(run.pid)
    victim = chance.choice([run.pid, run.pid, *below])
    try:
        os.kill(victim, signal.SIGKILL)
    except ProcessLookupError:
        return 0
    finally:
        run.wait(30)
    return 1


def descendants(pid):
    """Return the processes below one, however deep."""
    found = []
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in file.read_text().split():
            found += [int(child), *descendants(child)]
    return found


@pytest.mark.slow
def test_two_runs_at_once_of_which_one_is_killed_come_to_the_same_end(tmp_path, undisturbed):
    chance = random.Random(7)
    for number in range(4):
        trial = Trial(tmp_path / f"project-{number}")
        with trial.start() as first, trial.start() as second:
            wait_for(lambda world=trial.world: (world.world / "log").exists())
            time.sleep(chance.uniform(0, 0.3))
            first.kill()
            assert second.wait(30) == 0
        assert trial.end() == undisturbed["state"]

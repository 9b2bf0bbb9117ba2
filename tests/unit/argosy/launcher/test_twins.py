"""Twins on two machines that share a store on S3: whoever sleeps longer than a lease loses."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.processes import wait_for
from tests.fakes.projects import ROOT, project_env

STEP = """
def step(place: str) -> str:
    import os, time, uuid
    me = uuid.uuid4().hex
    open(os.path.join(place, me), 'w').close()
    while os.path.exists(os.path.join(place, 'wait')): time.sleep(0.02)
    return me
"""
TWIN = """
import json, os, signal, sys
from pathlib import Path
from tests.fakes.launching import SERVERS, Lab, a_step
from argosy.launcher.leases import lease
from argosy.launcher.store import open_store
lease.__wrapped__.__kwdefaults__["lease_s"] = 1.0
kind, point, more = sys.argv[3], sys.argv[4], json.loads(sys.argv[6])
lab = Lab(Path(sys.argv[1]))
lab.store = open_store(sys.argv[2], state=lab.state)

def sleep_at(name):
    if name == point:
        os.kill(os.getpid(), signal.SIGSTOP)

def execute(request, **told):
    code = SERVERS.run(request, SERVERS.server_for(()), **told)
    sleep_at("after work")
    return code

step = a_step(sys.argv[5], name=kind, inputs={"place": more.pop("place")}, kind=kind, **more)
outcome = lab.launch(step, hook=sleep_at, run=f"run-{os.getpid()}", execute=execute)
print(json.dumps([outcome.status, outcome.values(), outcome.error]))
SERVERS.close()
"""


class Machines:
    """Starts twins, each with a folder of its own, on one store."""

    def __init__(self, folder, url, kind, **more):
        self.folder, self.url, self.kind = folder, url, kind
        self.place = folder / "place"
        self.place.mkdir()
        self.more = {"outputs": {"Output": "STRING"}, **more, "place": str(self.place)}
        self.count = 0

    def start(self, point=""):
        """Start a twin that stops itself at a point."""
        self.count += 1
        lab = str(self.folder / f"machine-{self.count}")
        command = [sys.executable, "-c", TWIN, lab, self.url, self.kind, point, STEP, json.dumps(self.more)]
        return subprocess.Popen(command, cwd=ROOT, env=project_env(ROOT), stdout=subprocess.PIPE, text=True)

    def executions(self):
        """Return how often the step's code ran."""
        return len(list(self.place.iterdir()))


def is_stopped(process):
    """Say whether a process sleeps by SIGSTOP."""
    return ") T " in Path(f"/proc/{process.pid}/stat").read_text(encoding="utf-8")


def ended(process):
    """Return how a twin's step ended."""
    return json.loads(process.communicate()[0])


@pytest.fixture
def machines(tmp_path, s3):
    """Return a function that prepares twins of one kind."""
    return lambda kind, **more: Machines(tmp_path, s3, kind, **more)


@pytest.mark.slow
def test_a_twin_on_another_machine_waits_and_takes_the_result(machines):
    pair = machines("step")
    twins = [pair.start() for _ in range(3)]
    outcomes = [ended(twin) for twin in twins]

    assert sorted(outcome[0] for outcome in outcomes) == ["ran", "reused", "reused"]
    assert len({json.dumps(outcome[1]) for outcome in outcomes}) == 1
    assert pair.executions() == 1


@pytest.mark.slow
@pytest.mark.parametrize(("point", "executions"), [("before work", 1), ("after work", 2), ("before commit", 2)])
def test_a_step_that_slept_longer_than_a_lease_takes_the_result_of_its_twin(machines, point, executions):
    pair = machines("step")
    late = pair.start(point)
    wait_for(lambda: is_stopped(late))

    winner = ended(pair.start())
    late.send_signal(signal.SIGCONT)
    loser = ended(late)

    assert winner[0] == "ran"
    assert loser[1:] == winner[1:]
    assert pair.executions() == executions


@pytest.mark.slow
@pytest.mark.parametrize(("point", "executions"), [("before work", 1), ("after work", 2), ("before done", 2)])
def test_an_effect_that_slept_longer_than_a_lease_yields_what_its_twin_did(machines, point, executions):
    pair = machines("fact", natural_key=["place"], measurements=["Output"])
    late = pair.start(point)
    wait_for(lambda: is_stopped(late))

    winner = ended(pair.start())
    late.send_signal(signal.SIGCONT)
    loser = ended(late)

    assert winner[0] == "ran"
    assert loser[0] == "reused"
    assert loser[1:] == winner[1:]
    assert pair.executions() == executions

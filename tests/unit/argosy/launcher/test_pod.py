"""The launcher in a pod, as the process that Kubeflow starts."""

import json
import os
import signal
import subprocess
import sys

import pytest

from argosy.launcher.store import open_store
from argosy.launcher.wrapping import Wrapping
from tests.fakes.processes import is_alive, wait_for
from tests.fakes.projects import ROOT

PREAMBLE = "import kfp\nfrom kfp import dsl\nfrom kfp.dsl import *\nfrom typing import *\n\n"
DOUBLE = "def step(n: int) -> int:\n    print('doubling')\n    return 2 * n\n"
HANG = (
    "def step(n: int) -> int:\n    import os, subprocess, time\n"
    "    child = subprocess.Popen(['sleep', '60'])\n"
    "    open(os.environ['PIDS'], 'w').write(f'{os.getpid()} {child.pid}')\n    time.sleep(60)\n    return 1\n"
)
LEAVES = (
    "def step(n: int) -> int:\n    import os, subprocess\n    child = subprocess.Popen(['sleep', '60'])\n"
    "    open(os.environ['PIDS'], 'w').write(str(child.pid))\n    return n\n"
)


class Cluster:
    """A folder that stands for the cluster: a store, and a place for each pod's outputs."""

    def __init__(self, folder):
        self.folder = folder
        self.pods = 0
        self.project = folder / "project"
        self.project.mkdir()
        self.pids = folder / "pids"

    def start(self, code, n=3, *, env=None, argv=(), **told):
        """Start a pod whose function is called `step`."""
        self.pods += 1
        self.out = self.folder / f"pod-{self.pods}"
        word = Wrapping(
            "step", function="" if argv else "step", source_at=None if argv else 0, argv=tuple(argv),
            inputs={"n": "NUMBER_INTEGER"}, outputs={"Output": "NUMBER_INTEGER"}, **told,
        ).to_text()  # fmt: skip
        given = {
            "inputs": {"parameterValues": {"n": n}},
            "outputs": {
                "parameters": {"Output": {"outputFile": str(self.out / "Output")}},
                "outputFile": str(self.out / "executor_output.json"),
            },
        }
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("ARGOSY_", "_KFP"))}
        own = {"ARGOSY_STORE": str(self.folder / "store"), "PYTHONPATH": str(ROOT), "PIDS": str(self.pids)}
        return subprocess.Popen(
            [
                sys.executable, "-m", "argosy.launcher.pod", "--step", word, "--executor_input", json.dumps(given),
                "--", PREAMBLE + code,
            ],
            cwd=self.project,
            env={name: value for name, value in {**kept, **own, **(env or {})}.items() if value is not None},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )  # fmt: skip

    def run(self, code, n=3, **more):
        """Run a pod to its end; return it with what it printed."""
        process = self.start(code, n, **more)
        process.out, process.err = process.communicate()
        return process

    @property
    def output(self):
        """What the last pod handed to Kubeflow."""
        return json.loads((self.out / "executor_output.json").read_text())["parameterValues"]["Output"]


@pytest.fixture
def cluster(tmp_path):
    return Cluster(tmp_path)


def test_a_step_runs_once_and_is_reused_by_the_next_pod(cluster):
    first = cluster.run(DOUBLE)
    given = cluster.output
    second = cluster.run(DOUBLE)

    assert (first.returncode, second.returncode) == (0, 0)
    assert (given, cluster.output) == (6, 6)
    assert ("doubling" in first.out, "doubling" in second.out) == (True, False)
    assert "argosy: step: ran sha256:" in first.err
    assert "argosy: step: reused sha256:" in second.err


def test_what_a_step_prints_is_in_the_pods_log_and_in_the_store(cluster):
    cluster.run(DOUBLE)

    store = open_store(str(cluster.folder / "store"))
    (path,) = store.paths("steps")
    assert store.read_blob(store.read_json(path)["log"].removeprefix("sha256:")) == b"doubling\n"


def test_a_program_is_given_its_own_places(cluster):
    argv = ("sh", "-c", 'echo "$(( $0 * 3 ))" > "$1"', "{{$.inputs.parameters['n']}}",
            "{{$.outputs.parameters['Output'].output_file}}")  # fmt: skip

    ended = cluster.run("", argv=argv, image="busybox:1")

    assert (ended.returncode, cluster.output) == (0, 9)


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("raise ValueError('no such thing')", 1, "ValueError: no such thing"),
        ("raise SystemExit(7)", 1, "the step's code exited with 7"),
        ("from argosy.errors import Mistake; raise Mistake('wrongly asked')", 2, "wrongly asked"),
        ("from argosy.errors import Refused; raise Refused('held')", 3, "held"),
        ("from argosy.errors import Outage; raise Outage('away')", 75, "away"),
        ("return 'x'", 1, "want type <class 'int'>"),
    ],
)
def test_the_exit_code_says_what_kind_of_end_it_was(cluster, line, code, said):
    ended = cluster.run(f"def step(n: int) -> int:\n    {line}\n")

    assert ended.returncode == code
    assert said in ended.err
    assert not (cluster.out / "executor_output.json").exists()


def test_without_a_store_the_pod_says_what_to_set(cluster):
    ended = cluster.run(DOUBLE, env={"ARGOSY_STORE": None})

    assert ended.returncode == 2
    assert "ARGOSY_STORE: not set in this pod" in ended.err


def test_a_lock_that_the_image_does_not_hold_is_a_mistake(cluster):
    ended = cluster.run("def step(n: int) -> int:\n    import yaml\n    return n\n", lock="requirements.lock")

    assert ended.returncode == 2
    assert "requirements.lock: there is no such lock" in ended.err


def test_a_pod_that_is_ended_ends_its_step_and_what_that_started(cluster):
    process = cluster.start(HANG)
    wait_for(lambda: cluster.pids.exists() and len(cluster.pids.read_text().split()) == 2)
    process.send_signal(signal.SIGTERM)
    process.communicate()

    assert process.returncode == 128 + signal.SIGTERM
    wait_for(lambda: not any(is_alive(int(pid)) for pid in cluster.pids.read_text().split()))


def test_a_step_that_leaves_a_process_behind_does_not_hold_the_pod(cluster):
    ended = cluster.run(LEAVES)

    assert ended.returncode == 0
    wait_for(lambda: not is_alive(int(cluster.pids.read_text())))

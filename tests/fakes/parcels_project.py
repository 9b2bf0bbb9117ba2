"""Copies of the benchmark's seven steps whose functions note that they run, and may be stopped in training."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

SETTINGS = ("ARGOSY_", "MLFLOW_", "_KFP")
SOURCE = Path(__file__).parents[2] / "benchmarks/orchestrators/project"
# The functions that the steps call, by module of the plain code.
NOTED = {
    "tables": ("load", "clean", "split"),
    "features": ("build_features",),
    "models": ("train", "evaluate"),
    "summary": ("describe",),
}
PROBE = '''\
"""Note which step runs in which process, and whether its twin still does; wait while the gate stands."""

import os
import time
from pathlib import Path


def noted(function):
    def call(*args):
        note(function.__name__)
        return function(*args)

    return call


def note(step):
    log = Path(os.environ["PARCELS_LOG"])
    earlier = [line.split() for line in log.read_text().splitlines()] if log.exists() else []
    twins = [pid for name, pid, _ in earlier if name == step and is_alive(pid)]
    with log.open("a") as file:
        file.write(f"{step} {os.getpid()} {'twin' if twins else 'alone'}\\n")
    while step == "train" and Path(os.environ["PARCELS_GATE"]).exists():
        time.sleep(0.01)


def is_alive(pid):
    try:
        return Path("/proc", pid, "stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
'''


@dataclass(frozen=True)
class ParcelsProject:
    """A copy of the project, with its state, beside the log that its steps write."""

    folder: Path

    @property
    def package(self):
        """The folder of the plain code."""
        return self.folder / "components/parcels"

    @property
    def gate(self):
        """The file that stops training while it exists."""
        return self.folder.with_name(f"{self.folder.name}.gate")

    @property
    def log(self):
        """The file with one line for each execution."""
        return self.folder.with_name(f"{self.folder.name}.log")

    def copy(self, folder):
        """Copy the project as it stands, what it stored included, with an empty log."""
        shutil.copytree(self.folder, folder, symlinks=True)
        return ParcelsProject(folder)

    def executed(self):
        """Return the steps that ran since the project was copied, in order, and whether a twin ran beside them."""
        lines = self.log.read_text(encoding="utf-8").splitlines() if self.log.exists() else []
        return [line.split()[::2] for line in lines]

    def edit(self, name, old, new):
        """Replace a text that a file of the plain code holds once."""
        file = self.package / name
        text = file.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{name} holds {old!r} {text.count(old)} times"
        file.write_text(text.replace(old, new), encoding="utf-8")

    def start(self):
        """Start a run in a session of its own."""
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("ARGOSY_", "MLFLOW_", "_KFP"))
        }
        told = {"PARCELS_LOG": str(self.log), "PARCELS_GATE": str(self.gate), "PYTHONWARNINGS": "ignore"}
        return subprocess.Popen(
            [sys.executable, "-m", "argosy", "run", "parcels", "-p", "rows=500", "--output", "json"],
            cwd=self.folder, env=kept | told, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            start_new_session=True,
        )  # fmt: skip

    def run(self):
        """Run to the end; return the result document."""
        return ended(self.start())

    def start_and_stop_in_training(self, times=1):
        """Start a run and wait until training has begun, for the first time or for as many as there are by now."""
        self.gate.touch()
        process = self.start()
        deadline = time.monotonic() + 60
        while sum(name == "train" for name, _ in self.executed()) < times:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.01)
        return process

    def blob(self, document, step, output):
        """Return the file in the store that holds the bytes of an output."""
        outputs = next(found["outputs"] for found in document["steps"] if found["name"] == step)
        manifest = json.loads(self._stored(outputs[output].removeprefix("sha256:")).read_text(encoding="utf-8"))
        return self._stored(manifest["files"][""]["sha256"])

    def _stored(self, sha256):
        return self.folder / ".argosy/store/blobs/sha256" / sha256[:2] / sha256[2:]


def a_parcels_project(folder):
    """Copy the benchmark's project and make its functions note that they run."""
    shutil.copytree(SOURCE, folder, ignore=shutil.ignore_patterns("__pycache__", ".argosy"))
    project = ParcelsProject(folder)
    (project.package / "probe.py").write_text(PROBE, encoding="utf-8")
    for module, functions in NOTED.items():
        file = project.package / f"{module}.py"
        lines = ["from components.parcels.probe import noted", *(f"{name} = noted({name})" for name in functions)]
        file.write_text("\n".join([file.read_text(encoding="utf-8"), *lines, ""]), encoding="utf-8")
    return project


def ended(process):
    """Wait for a run; return its result document."""
    stdout, stderr = process.communicate()
    assert process.returncode == 0, stderr
    return json.loads(stdout)


def kill_tree(process):
    """Kill a process and everything below it, however deep, at once."""
    parents = {}
    for place in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(place.name)] = int((place / "stat").read_text().rsplit(")", 1)[1].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
    doomed = [process.pid]
    for pid in doomed:
        doomed += [child for child, parent in parents.items() if parent == pid]
    for pid in doomed:
        os.kill(pid, signal.SIGKILL)
    process.communicate()

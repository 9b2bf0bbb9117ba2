"""Throw-away copies of this very project, with state of their own, in which `argosy` is run from the copied code."""

import json
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = ("argosy", "components", "pipelines", "feature_repo")
FILES = (".gitignore", "pyproject.toml", "requirements.lock")
SETTINGS = ("ARGOSY_", "MLFLOW_", "AWS_", "_KFP")
MONTH = ("run", "flights-training", "-p", "profile=month", "--output", "json")


@dataclass(frozen=True)
class Answer:
    """How a command ended and what it printed."""

    code: int
    stdout: str
    stderr: str

    @property
    def document(self):
        """The JSON document that the command printed."""
        assert self.stdout, self
        return json.loads(self.stdout)

    def steps(self, status):
        """Return the names of the steps of a run that have a status."""
        return {step["name"] for step in self.document["steps"] if step["status"] == status}

    @property
    def ran(self):
        """The names of the steps that a run executed."""
        return self.steps("ran")

    def step(self, name):
        """Return the document of one step."""
        return next(step for step in self.document["steps"] if step["name"] == name)

    def verdict(self, step):
        """Return what a step of a run decided."""
        return next(verdict for verdict in self.document["verdicts"] if verdict["step"] == step)


@dataclass(frozen=True)
class FlightsProject:
    """A copy of the project beside the state that its commands keep."""

    folder: Path
    env: dict = field(default_factory=dict)

    @property
    def state(self):
        """This copy's state: outside its folder, as on a machine with ARGOSY_STATE."""
        return self.folder.with_name(f"{self.folder.name}-state")

    @property
    def store(self):
        """The store's folder."""
        return self.state / "store"

    def start(self, *arguments, **env):
        """Start `argosy` from the copied code."""
        return subprocess.Popen(
            [sys.executable, "-m", "argosy", *map(str, arguments)],
            cwd=self.folder,
            env=self._environment(env),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def argosy(self, *arguments, **env):
        """Run `argosy` from the copied code to its end."""
        return ended(self.start(*arguments, **env))

    def month(self, *more, **env):
        """Run the month's pipeline."""
        return self.argosy(*MONTH, *more, **env)

    def stored(self):
        """Return every file of the store with its size and time: what a command that writes nothing leaves alone."""
        files = (path for path in self.store.rglob("*") if path.is_file())
        return {str(path.relative_to(self.store)): (path.stat().st_size, path.stat().st_mtime_ns) for path in files}

    @contextmanager
    def edited(self, changes):
        """Replace one text in each named file until the end of the block.

        Args:
            changes: By file: the text that is there once, and what to write instead.

        """
        before = {name: (self.folder / name).read_text(encoding="utf-8") for name in changes}
        for name, (old, new) in changes.items():
            assert before[name].count(old) == 1, f"{name} holds {old!r} {before[name].count(old)} times"
            (self.folder / name).write_text(before[name].replace(old, new), encoding="utf-8")
        try:
            yield
        finally:
            for name, text in before.items():
                (self.folder / name).write_text(text, encoding="utf-8")

    @contextmanager
    def restored(self):
        """Put the state back at the end of the block as it was at its start."""
        kept = self.state.with_name(f"{self.state.name}-kept")
        shutil.copytree(self.state, kept, symlinks=True)
        try:
            yield self
        finally:
            shutil.rmtree(self.state)
            kept.rename(self.state)

    def _environment(self, more):
        kept = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)}
        own = {"PYTHONPATH": str(self.folder), "ARGOSY_STATE": str(self.state), "ARGOSY_STORE": str(self.store)}
        return kept | own | self.env | more


def ended(process):
    """Wait for a command; return its answer."""
    stdout, stderr = process.communicate()
    return Answer(process.returncode, stdout, stderr)


def a_flights_project(folder, **env):
    """Copy the project into a folder that is not there yet."""
    unwanted = shutil.ignore_patterns("__pycache__")
    for name in FOLDERS:
        shutil.copytree(ROOT / name, folder / name, ignore=unwanted)
    for name in FILES:
        shutil.copy2(ROOT / name, folder / name)
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    return FlightsProject(folder, env)

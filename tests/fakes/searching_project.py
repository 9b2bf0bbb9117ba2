"""A throw-away project that searches a bowl in rounds; its trials note that they run, and may be stopped."""

import json
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from tests.fakes.projects import argosy_command, project_env, write_files

PIPELINE = """\
from components.shells import choose, gather, propose, score
from kfp import dsl

ROUNDS = 3


@dsl.pipeline(name="tune")
def tune(seed: int = 1) -> None:
    scores = []
    for _ in range(ROUNDS):
        with dsl.ParallelFor(propose(scores=scores, seed=seed).output) as trial:
            scored = score(trial=trial).output
        scores = gather(earlier=scores, latest=dsl.Collected(scored)).output
    choose(scores=scores)
"""
SHELLS = '''\
from kfp import dsl


@dsl.component(base_image="python:3.11", install_kfp_package=False)
def propose(scores: list, seed: int) -> list:
    """Propose."""
    from argosy.training.proposals import propose_trials
    from components.plan import PLAN

    return propose_trials(scores=scores, plan=PLAN, seed=seed)


@dsl.component(base_image="python:3.11", install_kfp_package=False)
def gather(earlier: list, latest: list) -> list:
    """Gather."""
    from argosy.training.choice import ordered_scores

    return ordered_scores([*earlier, *latest])


@dsl.component(base_image="python:3.11", install_kfp_package=False)
def score(trial: dict) -> dict:
    """Score."""
    from components.trials import scored

    return scored(trial)


@dsl.component(base_image="python:3.11", install_kfp_package=False)
def choose(scores: list) -> dict:
    """Choose."""
    from argosy.training.choice import choose_candidate

    return choose_candidate(scores=scores)
'''
PLAN = """\
from argosy.training.plan import SearchBudget, TrainingPlan, Window

PLAN = TrainingPlan(
    name="bowl",
    predicts="how far down",
    train=Window("2013-01-01", "2013-01-21"),
    calibrate=Window("2013-01-21", "2013-01-24"),
    search=SearchBudget(batch=2, folds=2),
)
"""
TRIALS = """\
import os
import time
from pathlib import Path


def scored(trial):
    name = f"{trial['candidate']}/{trial['fold']}"
    with Path(os.environ["TRIALS_LOG"]).open("a") as log:
        log.write(f"{name}\\n")
    gate = Path(os.environ["TRIALS_GATE"])
    while gate.exists() and gate.read_text() == name:
        time.sleep(0.01)
    params = trial["params"]
    loss = 0.4 + (params["subsample"] - 0.65) ** 2 + (params["max_depth"] - 5) / 100 + trial["fold"] / 1000
    return trial | {"log_loss": round(loss, 6)}
"""
FILES = {
    "pyproject.toml": '[tool.argosy]\ncatalog = "pipelines.catalog:PIPELINES"\n',
    "pipelines/__init__.py": "",
    "pipelines/catalog.py": 'PIPELINES = {"tune": "pipelines.tune:tune"}\n',
    "pipelines/tune.py": PIPELINE,
    "components/__init__.py": "",
    "components/shells.py": SHELLS,
    "components/plan.py": PLAN,
    "components/trials.py": TRIALS,
}


@dataclass(frozen=True)
class SearchingProject:
    """The project, with its state, beside the log that its trials write."""

    folder: Path

    @property
    def log(self):
        """The file with one line for each execution of a trial: candidate/fold."""
        return self.folder.with_name(f"{self.folder.name}.log")

    @property
    def gate(self):
        """The file that names a trial, which waits while it does."""
        return self.folder.with_name(f"{self.folder.name}.gate")

    def executed(self):
        """Return the trials that ran, in order."""
        return self.log.read_text(encoding="utf-8").split() if self.log.exists() else []

    def start(self):
        """Start a run."""
        told = {"TRIALS_LOG": str(self.log), "TRIALS_GATE": str(self.gate)}
        return subprocess.Popen(
            argosy_command("run", "tune", "--output", "json"),
            cwd=self.folder, env=project_env(self.folder, **told), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, start_new_session=True,
        )  # fmt: skip

    def run(self):
        """Run to the end; return what each step gave, by its name, and the names of those that ran."""
        stdout, stderr = (process := self.start()).communicate()
        assert process.returncode == 0, stderr
        steps = json.loads(stdout)["steps"]
        ran = {step["name"] for step in steps if step["status"] == "ran"}
        return {step["name"]: step["outputs"] for step in steps}, ran

    def start_and_stop_at(self, trial):
        """Start a run and wait until it executes a trial, which then waits."""
        self.gate.write_text(trial, encoding="utf-8")
        process = self.start()
        deadline = time.monotonic() + 60
        while trial not in self.executed():
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.01)
        return process


def a_searching_project(folder):
    """Make the project: three rounds of two candidates on two folds."""
    write_files(folder, FILES)
    return SearchingProject(folder)

"""Wrapped pipelines under kfp's own local runner: what Kubeflow runs, and what `argosy run` makes of the same store."""

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from argosy.launcher.store import open_store
from tests.fakes.flights_project import a_flights_project
from tests.fakes.projects import a_project, argosy, project_env
from tests.fakes.wrapped_world import FILES

NAMES = ("chain", "branches", "loops", "measured", "nested", "rounds", "optional")
UNCACHED = {"optional": ["square 2"]}


def run_on_kubeflow(name, project, outputs, *more, arguments=None, **env):
    """Run a compiled pipeline of a project under kfp.local; return what that printed."""
    file = f"manifests/workflows/kubeflow/{name}.yaml"
    ended = subprocess.run(
        [sys.executable, "-m", "tests.fakes.local_kubeflow", file, outputs, json.dumps(arguments or {}), *more],
        cwd=project,
        env=project_env(project, **env),
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def endings(printed):
    """Return how each step ended in its pod, by its key."""
    return {key: status for status, key in re.findall(r"argosy: [\w-]+: (\w+) (sha256:\w+)", printed)}


@dataclass
class World:
    """A project with compiled files, a store, and a folder in which steps leave word."""

    folder: Path

    @property
    def project(self):
        return self.folder / "project"

    @property
    def env(self):
        return {"ARGOSY_STORE": str(self.folder / "store"), "WORLD": str(self.folder)}

    def ran(self):
        """Return what ran since the last call, sorted."""
        file = self.folder / "ran"
        names = file.read_text().splitlines() if file.exists() else []
        file.unlink(missing_ok=True)
        return sorted(names)

    def kubeflow(self, name):
        """Run a wrapped pipeline under kfp.local; return its outputs, its log and what ran."""
        printed = run_on_kubeflow(name, self.project, self.folder / "outputs", **self.env)
        return json.loads(printed.splitlines()[-1]), printed, self.ran()

    def argosy(self, name):
        """Run a pipeline of the catalogue here; return its document and what ran."""
        ended = argosy(self.project, "run", name, "--output", "json", **self.env)
        assert ended.returncode == 0, ended.stderr
        return json.loads(ended.stdout), self.ran()


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wrapped")
    project = a_project(folder / "project", FILES)
    answer = argosy(project, "compile")
    assert answer.returncode == 0, answer.stderr
    return folder


@pytest.fixture(scope="module", params=NAMES)
def story(request, compiled, tmp_path_factory):
    """Run one pipeline under Kubeflow, again, and then here on the same store."""
    folder = tmp_path_factory.mktemp(request.param)
    (folder / "project").symlink_to(compiled / "project")
    world = World(folder)
    return request.param, [world.kubeflow(request.param), world.kubeflow(request.param)], world.argosy(request.param)


@pytest.mark.slow
def test_a_second_run_reuses_every_step(story):
    name, (first, second), _ = story

    assert first[2]
    assert second[2] == UNCACHED.get(name, [])
    assert second[0] == first[0]


@pytest.mark.slow
def test_a_run_here_finds_what_kubeflow_made(story):
    name, _, (document, ran) = story

    assert ran == UNCACHED.get(name, [])
    assert document["status"] == "succeeded"
    assert {step["status"] for step in document["steps"]} - {"ran", "skipped"} == {"reused"}


@pytest.mark.slow
def test_keys_are_those_of_a_run_here(story):
    _, (_, (_, log, _)), (document, _) = story

    assert {step["key"] for step in document["steps"] if step["key"]} == set(endings(log))


def test_a_chain_with_files_metadata_and_texts_runs_once_on_two_targets(compiled, tmp_path):
    (tmp_path / "project").symlink_to(compiled / "project")
    world = World(tmp_path)

    _, _, in_pods = world.kubeflow("chain")
    document, here = world.argosy("chain")

    assert in_pods == ["make", "read", "total"]
    assert here == []
    assert [step["status"] for step in document["steps"]] == ["reused"] * 3
    store = open_store(world.env["ARGOSY_STORE"])
    (total,) = (record for path in store.paths("steps") if (record := store.read_json(path))["step"] == "total")
    assert total["outputs"]["Output"]["value"] == 6.0
    assert total["key"]["inputs"]["text"] == "x and 3"


@pytest.mark.slow
def test_the_flights_pipeline_runs_once_on_two_targets(tmp_path):
    flights = a_flights_project(tmp_path / "flights")
    assert flights.argosy("compile").code == 0
    env = {"ARGOSY_STORE": str(flights.store), "ARGOSY_STATE": str(flights.state)}
    env["MLFLOW_TRACKING_URI"] = f"sqlite:///{flights.state}/mlflow.db"

    def run():
        given = {"profile": "month"}
        return run_on_kubeflow(
            "flights-training", flights.folder, tmp_path / "outputs", "unconditionally", arguments=given, **env
        )

    first, second = endings(run()), endings(run())
    here = flights.month()

    assert set(first.values()) == {"ran", "observed", "skipped"}
    assert second == {key: status.replace("ran", "reused") for key, status in first.items()}
    assert {step["key"]: step["status"] for step in here.document["steps"]} == second

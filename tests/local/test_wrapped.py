"""Wrapped pipelines under kfp's own local runner: what Kubeflow runs, and what `argosy run` makes of the same store."""

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from argosy.launcher.store import open_store
from tests.fakes.projects import a_project, argosy, project_env
from tests.fakes.wrapped_world import FILES

NAMES = ("chain", "branches", "loops", "measured", "optional")
UNCACHED = {"optional": ["square 2"]}


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
        file = f"manifests/workflows/kubeflow/{name}.yaml"
        ended = subprocess.run(
            [sys.executable, "-m", "tests.fakes.local_kubeflow", file, str(self.folder / "outputs")],
            cwd=self.project,
            env=project_env(self.project, **self.env),
            capture_output=True,
            text=True,
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return json.loads(ended.stdout.splitlines()[-1]), ended.stdout, self.ran()

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

    in_pods = set(re.findall(r"argosy: [\w-]+: \w+ (sha256:\w+)", log))

    assert {step["key"] for step in document["steps"] if step["key"]} == in_pods


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

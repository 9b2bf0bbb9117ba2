"""Every catalogued pipeline compiles, is read strictly, and is what the checked-in manifest says."""

import subprocess
import sys
from pathlib import Path

import pytest

from argosy.spec.read import read_pipeline
from pipelines.catalog import PIPELINES

ROOT = Path(__file__).parents[2]


@pytest.fixture(params=PIPELINES)
def manifest(request: pytest.FixtureRequest) -> Path:
    return ROOT / "manifests" / "workflows" / "kubeflow" / f"{request.param}.yaml"


def test_the_checked_in_manifest_is_read_without_a_field_left_over(manifest: Path):
    pipeline = read_pipeline(manifest)

    assert pipeline.name == manifest.stem
    assert pipeline.tasks


def test_every_pipeline_takes_the_time_that_it_runs_as_of(manifest: Path):
    assert read_pipeline(manifest).inputs["as_of"].type == "STRING"


def test_checked_in_manifests_are_what_compiles_now(tmp_path: Path):
    command = [sys.executable, "-m", "argosy", "compile", "--check"]
    answer = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, env={"ARGOSY_STATE": str(tmp_path)}
    )

    assert answer.returncode == 0, answer.stderr

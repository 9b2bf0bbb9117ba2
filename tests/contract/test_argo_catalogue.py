"""Every catalogued pipeline has its Workflow checked in, as it compiles now."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from pipelines.catalog import PIPELINES
from tests.fakes.argo_schema import definitions_folder, faults, schema_of

ROOT = Path(__file__).parents[2]
# What runs by the clock, and when; each has its CronWorkflow checked in too.
SCHEDULED = {"features-materialize": "*/5 * * * *"}


def compiled(*options, state, **env):
    command = [sys.executable, "-m", "argosy", "compile", *options]
    env |= {"ARGOSY_STATE": str(state)}
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=env)


def test_checked_in_workflows_are_what_compiles_now(tmp_path):
    answer = compiled("--target", "argo", "--check", state=tmp_path)

    assert answer.returncode == 0, answer.stderr


@pytest.mark.slow
@pytest.mark.parametrize("seed", ["1", "2"])
def test_they_do_not_depend_on_the_order_of_hashes(tmp_path, seed):
    answer = compiled("--target", "argo", "--check", state=tmp_path, PYTHONHASHSEED=seed)

    assert answer.returncode == 0, answer.stderr


def test_no_workflow_is_left_over():
    files = {file.stem for file in (ROOT / "manifests/workflows/argo").glob("*.yaml")}

    assert files == {*PIPELINES, *(f"{name}-cron" for name in SCHEDULED)}


@pytest.mark.parametrize(("name", "schedule"), SCHEDULED.items())
def test_a_scheduled_pipeline_has_its_cron_workflow_checked_in_one_at_a_time(tmp_path, name, schedule):
    kind = ("--target", "argo", "--kind", "CronWorkflow", "--schedule", schedule)
    answer = compiled(name, *kind, "--check", state=tmp_path)
    workflow = yaml.safe_load((ROOT / f"manifests/workflows/argo/{name}-cron.yaml").read_text(encoding="utf-8"))

    assert answer.returncode == 0, answer.stderr
    assert workflow["spec"]["concurrencyPolicy"] == "Forbid"


def test_a_stale_workflow_is_named_with_the_command_that_writes_it(tmp_path):
    answer = compiled("flights-training", "--target", "argo", "--check", "--out", str(tmp_path), state=tmp_path)

    assert answer.returncode == 2
    assert (
        f"stale: {tmp_path}/flights-training.yaml; run `argosy compile flights-training --target argo`" in answer.stderr
    )


def test_a_kind_belongs_to_argo(tmp_path):
    answer = compiled("--kind", "CronWorkflow", "--check", state=tmp_path)

    assert (answer.returncode, answer.stderr) == (
        2,
        "argosy: --kind, --schedule and --fuse go with --target argo, not with kubeflow\n",
    )


@pytest.mark.skipif(definitions_folder() is None, reason="ARGOSY_CRDS names no folder")
@pytest.mark.parametrize("name", PIPELINES)
def test_a_strict_api_server_takes_a_catalogued_workflow(name):
    workflow = yaml.safe_load((ROOT / f"manifests/workflows/argo/{name}.yaml").read_text(encoding="utf-8"))

    assert faults(workflow, schema_of("Workflow", definitions_folder())) == []

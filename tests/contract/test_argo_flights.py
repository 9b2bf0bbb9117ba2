"""The flagship as its Workflow runs it: the same steps, the same keys, the same values as a run on this machine."""

import json
import tempfile
from pathlib import Path

import pytest
import yaml

from tests.fakes.argo_simulator import Workflow
from tests.fakes.flights_project import MONTH, ROOT
from tests.fakes.projects import argosy

MANIFESTS = ROOT / "manifests/workflows/argo"


def simulated(name, folder, arguments, **settings):
    """Run a checked-in workflow to its end, and return its store and settings."""
    told = {"ARGOSY_STORE": str(folder / "store"), "ARGOSY_PROJECT": str(ROOT), "PYTHONPATH": str(ROOT), **settings}
    made = yaml.safe_load((MANIFESTS / f"{name}.yaml").read_text(encoding="utf-8"))
    workflow = Workflow(made, arguments, Path(tempfile.mkdtemp(prefix="pods-", dir=folder)), told)
    root = workflow.run()
    assert root.phase == "Succeeded", f"{root.message}\n{workflow.logs[-3000:]}"
    assert [path for path, code in workflow.pods if code] == []
    return workflow


@pytest.mark.slow
def test_a_run_here_finds_every_step_of_the_workflow_done(tmp_path):
    settings = {"MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path}/mlflow.db"}
    simulated("flights-training", tmp_path, {"profile": '"month"'}, **settings)

    settings["ARGOSY_STORE"] = str(tmp_path / "store")
    ended = argosy(ROOT, *MONTH, ARGOSY_STATE=str(tmp_path / "state"), **settings)
    steps = {step["name"]: step["status"] for step in json.loads(ended.stdout)["steps"]}
    assert set(steps.values()) == {"reused", "observed", "skipped"}, steps
    assert [name for name, status in steps.items() if status == "skipped"] == ["deploy-model"]


@pytest.mark.slow
def test_features_that_the_workflow_brought_online_are_complete_for_a_run_here(tmp_path):
    settings = {"ARGOSY_ONLINE": f"sqlite:///{tmp_path}/online.db"}
    at = "2013-01-25T17:00:00Z"
    arguments = {"profile": '"month"', "at": json.dumps(at)}
    first = simulated("features-materialize", tmp_path, arguments, **settings)
    second = simulated("features-materialize", tmp_path, arguments, **settings)

    words = ["run", "features-materialize", "-p", "profile=month", "-p", f"at={at}", "--output", "json"]
    told = {"ARGOSY_STORE": str(tmp_path / "store"), "ARGOSY_STATE": str(tmp_path / "state")}
    ended = argosy(ROOT, *words, **told, **settings)
    steps = {step["name"]: step["status"] for step in json.loads(ended.stdout)["steps"]}

    ran = [len([path for path, _ in each.pods if "materialize-features" in path]) for each in (first, second)]
    assert ran == [1, 0]
    assert steps == {
        **dict.fromkeys(["compile-features", "ingest-flights", "validate-flights", "build-flight-events"], "reused"),
        "observe-online": "observed",
        "materialize-features": "skipped",
    }

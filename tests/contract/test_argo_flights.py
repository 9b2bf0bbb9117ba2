"""The flagship as its Workflow runs it: the same steps, the same keys, the same values as a run on this machine."""

import json

import pytest
import yaml

from tests.fakes.argo_simulator import Workflow
from tests.fakes.flights_project import MONTH, ROOT
from tests.fakes.projects import argosy

MANIFEST = ROOT / "manifests/workflows/argo/flights-training.yaml"


@pytest.mark.slow
def test_a_run_here_finds_every_step_of_the_workflow_done(tmp_path):
    settings = {
        "ARGOSY_STORE": str(tmp_path / "store"),
        "ARGOSY_PROJECT": str(ROOT),
        "PYTHONPATH": str(ROOT),
        "MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path}/mlflow.db",
    }
    made = yaml.safe_load(MANIFEST.read_text(encoding="utf-8"))
    (tmp_path / "pods").mkdir()
    workflow = Workflow(made, {"profile": '"month"'}, tmp_path / "pods", settings)

    root = workflow.run()

    assert root.phase == "Succeeded", f"{root.message}\n{workflow.logs[-3000:]}"
    assert [path for path, code in workflow.pods if code] == []
    told = {name: settings[name] for name in ("MLFLOW_TRACKING_URI", "ARGOSY_STORE")}
    ended = argosy(ROOT, *MONTH, ARGOSY_STATE=str(tmp_path / "state"), **told)
    steps = {step["name"]: step["status"] for step in json.loads(ended.stdout)["steps"]}
    assert set(steps.values()) == {"reused", "observed", "skipped"}, steps
    assert [name for name, status in steps.items() if status == "skipped"] == ["deploy-model"]

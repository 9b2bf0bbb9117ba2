"""The flagship, compiled from a copy of the project and run by the small Kubernetes."""

import shutil
from pathlib import Path

import yaml

from tests.fakes.argo_controller import Controller
from tests.fakes.flights_state import stored_state

MANIFEST = Path("manifests/workflows/argo/flights-training.yaml")
MONTH = {"profile": '"month"'}


class ArgoFlights:
    """Workflows of one project; its state, to which the registry belongs, is as new."""

    def __init__(self, project, store=None, **given):
        shutil.rmtree(project.state, ignore_errors=True)
        project.state.mkdir()
        self.project = project
        env = {"ARGOSY_STORE": str(project.store), "ARGOSY_PROJECT": str(project.folder), **(store or {})}
        env |= {"PYTHONPATH": str(project.folder), "MLFLOW_TRACKING_URI": f"sqlite:///{project.state}/mlflow.db"}
        self.controller = Controller(project.state / "pods", image=env, **given)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.controller.close()

    def compile(self):
        """Compile the project as it stands."""
        answer = self.project.argosy("compile", "flights-training", "--target", "argo")
        assert answer.code == 0, answer.stderr

    def start(self, name):
        """Submit the whole file, for a month."""
        made = yaml.safe_load((self.project.folder / MANIFEST).read_text(encoding="utf-8"))
        made["metadata"]["name"] = name
        for each in made["spec"]["arguments"]["parameters"]:
            each["value"] = MONTH.get(each["name"], each["value"])
        self.controller.create(made)

    def ended(self, name):
        """Wait for the end; return the phase."""
        return self.controller.wait(name, timeout_s=1800)["status"]["phase"]

    def run(self, name):
        """Submit, and wait for the end; return the phase."""
        self.start(name)
        return self.ended(name)

    def retry(self, name):
        """Retry as `argo retry` does, and wait for the end; return the phase."""
        self.controller.retry(name)
        return self.ended(name)

    def workflow(self, name):
        """Return what ran a workflow last."""
        return self.controller.held[name].workflow

    def end(self):
        """Return what all workflows together left in the store and the registry."""
        return stored_state(self.project, self.controller.image["ARGOSY_STORE"])

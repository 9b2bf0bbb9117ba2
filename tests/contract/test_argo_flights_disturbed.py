"""The flagship as Workflows of which pods are deleted, or fail, or two run at once: the end is the undisturbed one."""

import os
import re
import shutil

import pytest

from tests.fakes.argo_flights import MANIFEST, ArgoFlights
from tests.fakes.argo_pod import DELETED
from tests.fakes.disturbed_pods import deleting, failing
from tests.fakes.flights_project import ROOT, a_flights_project
from tests.fakes.flights_state import stored_state
from tests.fakes.s3_server import s3, s3_endpoint

__all__ = ["s3", "s3_endpoint"]
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:.*noload.*:DeprecationWarning")]
TRAINING = "argosy/training/fit.py"


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Give a copy of the project with its checked-in manifest."""
    project = a_flights_project(tmp_path_factory.mktemp("flights") / "project")
    (project.folder / MANIFEST).parent.mkdir(parents=True)
    shutil.copy2(ROOT / MANIFEST, project.folder / MANIFEST)
    return project


@pytest.fixture(scope="module")
def undisturbed(project):
    """Return the end of one run on this machine."""
    assert project.month().code == 0
    return stored_state(project, str(project.store))


def test_every_pod_is_deleted_after_it_has_acted_and_before_it_says_so(project, undisturbed):
    disturb = deleting("before commit", "after move", "before done")
    with ArgoFlights(project, before_pod=disturb) as flights:
        assert flights.run("one") == "Succeeded", flights.workflow("one").logs[-5000:]

        pods = flights.workflow("one").pods
        assert {path for path, code in pods if code == DELETED} == {path for path, _ in pods if is_committing(path)}
        assert flights.end() == undisturbed


def is_committing(path):
    return path not in {"main.observe-champion", "main.deploy-model"}


def test_two_workflows_at_once_share_the_work_and_end_as_one(project, undisturbed, s3):
    store = {name: value for name, value in os.environ.items() if name.startswith("AWS_")} | {"ARGOSY_STORE": s3}
    with ArgoFlights(project, store) as flights:
        for name in ("one", "two"):
            flights.start(name)
        for name in ("one", "two"):
            assert flights.ended(name) == "Succeeded", flights.workflow(name).logs[-5000:]

        ran = [key for name in ("one", "two") for _, key in endings(flights, name, "ran")]
        assert sorted(ran) == sorted(set(ran))
        assert flights.end() == undisturbed


def test_what_failed_goes_on_with_new_code_and_with_a_retry_and_again(project, undisturbed):
    with ArgoFlights(project) as flights:
        with broken(project):
            flights.compile()
            assert flights.run("broken") == "Failed"
        before = endings(flights, "broken", "ran")
        assert bad(flights, "broken") == ["train-model"]

        flights.compile()
        flights.controller.before_pod = failing("register-model")
        assert flights.run("mended") == "Failed"
        assert bad(flights, "mended") == ["register-model"]
        mended = endings(flights, "mended", "ran")
        assert before.isdisjoint(mended)
        assert "train_model" in {step for step, _ in mended}
        assert endings(flights, "mended", "reused") == before

        flights.controller.before_pod = lambda _pod: None
        assert flights.retry("mended") == "Succeeded", flights.workflow("mended").logs[-5000:]
        retried = {path.removeprefix("main.") for path, _ in flights.workflow("mended").pods}
        assert retried == {"register-model", "promote-model", "deploy-model"}

        assert flights.run("again") == "Succeeded"
        assert endings(flights, "again", "ran") == set()
        assert flights.end() == undisturbed


def broken(project):
    return project.edited({TRAINING: ("def train(", "def train(*_, **__): raise RuntimeError\n\n\ndef _train(")})


def endings(flights, name, status):
    """Return the steps of a workflow that ended so, each with its key."""
    return set(re.findall(rf"argosy: ([\w-]+): {status} (sha256:\w+)", flights.workflow(name).logs))


def bad(flights, name):
    """Return the tasks whose pods failed."""
    return sorted({path.removeprefix("main.") for path, code in flights.workflow(name).pods if code})

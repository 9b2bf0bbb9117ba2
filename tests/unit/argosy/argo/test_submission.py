"""Submissions against a cluster in memory; that it answers as a real one does, `test_submit_argo` sees over HTTP."""

from dataclasses import dataclass, field

import pytest

from argosy.argo.submission import Submitted, plan_name, submit_workflow
from argosy.cluster import Exists
from argosy.errors import Outage
from argosy.launcher.registration import run_path
from argosy.launcher.store import open_store

BODY = {"kind": "Workflow", "metadata": {"generateName": "train-", "labels": {"a": "b"}}, "spec": {}}


@dataclass
class MemoryCluster:
    """Workflows by name; `before` is done ahead of a creation, `lost` answers get lost after it, `down` before."""

    held: dict = field(default_factory=dict)
    before: object = lambda _name: None
    lost: int = 0
    down: int = 0

    def workflow(self, name):
        return self.held.get(name)

    def create_workflow(self, body):
        name = body["metadata"]["name"]
        self.before(name)
        if self.down:
            self.down -= 1
            raise Outage("away")
        if name in self.held:
            raise Exists(name)
        self.held[name] = {**body, "status": {}}
        if self.lost:
            self.lost -= 1
            raise Outage("away")
        return body


@pytest.fixture
def store(tmp_path):
    return open_store(str(tmp_path / "store"))


@pytest.fixture
def cluster():
    return MemoryCluster()


def test_a_plan_is_named_by_its_pipeline_and_all_that_is_run():
    name = plan_name("Train a Model!" * 9, {"spec": 1}, {"n": 2})

    assert name == plan_name("Train a Model!" * 9, {"spec": 1}, {"n": 2})
    assert name != plan_name("Train a Model!" * 9, {"spec": 1}, {"n": 3})
    assert len(name) <= 52, "of 63 letters, some are left for a number"


def test_a_workflow_is_created_under_the_name_of_its_plan(cluster, store):
    assert submit_workflow(cluster, store, "train-1", BODY) == Submitted("train-1", attached=False)
    assert cluster.held["train-1"]["metadata"]["labels"] == {"a": "b"}
    assert "generateName" not in cluster.held["train-1"]["metadata"]


@pytest.mark.parametrize("phase", ["", "Pending", "Running"])
def test_one_that_goes_on_is_attached_to(cluster, store, phase):
    cluster.held["train-1"] = {"metadata": {}, "status": {"phase": phase}}

    assert submit_workflow(cluster, store, "train-1", BODY) == Submitted("train-1", attached=True)


@pytest.mark.parametrize("phase", ["Succeeded", "Failed", "Error"])
def test_after_one_that_has_ended_comes_the_next_number(cluster, store, phase):
    cluster.held["train-1"] = {"metadata": {}, "status": {"phase": phase}}
    # Its workflow is gone, as after a week.
    store.write_json(run_path("train-1-2"), {"run": "train-1-2"})

    assert submit_workflow(cluster, store, "train-1", BODY) == Submitted("train-1-3", attached=False)


def test_of_twins_one_creates_the_workflow_and_the_other_attaches(cluster, store):
    cluster.before = lambda name: cluster.held.setdefault(name, {"metadata": {}, "status": {}})

    assert submit_workflow(cluster, store, "train-1", BODY) == Submitted("train-1", attached=True)


def test_an_answer_that_got_lost_is_found_again(cluster, store):
    cluster.lost = 1

    assert submit_workflow(cluster, store, "train-1", BODY) == Submitted("train-1", attached=False)


def test_a_cluster_that_is_down_is_an_outage(cluster, store):
    cluster.down = 1

    with pytest.raises(Outage):
        submit_workflow(cluster, store, "train-1", BODY)
    assert cluster.held == {}

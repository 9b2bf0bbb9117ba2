"""Whole runs with their store on a real S3 server, from several machines."""

import json
import os
import signal

import pytest

from argosy.launcher.refs import read_ref
from argosy.launcher.store import open_store
from tests.fakes.projects import start_argosy
from tests.fakes.s3_faults import faulty
from tests.fakes.s3_server import s3, s3_endpoint
from tests.fakes.small_world import SmallWorld

__all__ = ["s3", "s3_endpoint"]
pytestmark = pytest.mark.slow


@pytest.fixture
def machines(tmp_path, s3):
    """Give machines that share a store and an outside world, each with a checkout of the project."""
    worlds = [SmallWorld(tmp_path / f"machine-{number}") for number in range(2)]
    for world in worlds:
        world.world, world.url = worlds[0].world, s3
    return worlds


def run(world):
    """Run the pipeline to its end; return how each step ended."""
    code, document = world.run(ARGOSY_STORE=world.url)
    assert code == 0, document
    return [step["status"] for step in document["steps"]]


def start(world):
    """Start a run."""
    arguments = ("run", "spec.json", "--output", "json")
    return start_argosy(world.folder, *arguments, WORLD=str(world.world), ARGOSY_STORE=world.url)


def test_what_one_machine_has_done_another_reuses(machines):
    one, another = machines

    assert "ran" in run(one)
    assert "ran" not in run(another)
    assert another.outside() == one.outside()
    assert len(another.outside()["versions"]) == 1


def test_two_machines_at_once_share_the_work(machines):
    runs = [start(world) for world in machines]
    ends = [(each.communicate()[0], each.returncode) for each in runs]

    assert [code for _, code in ends] == [0, 0]
    done = [{step["name"]: step["status"] for step in json.loads(text)["steps"]} for text, _ in ends]
    for name in ("make", "count", "train", "register"):
        assert machines[0].executions(name) <= 1, done
    assert machines[0].outside()["overlap"] is False
    assert len(machines[0].outside()["versions"]) == 1


def test_a_machine_that_is_killed_is_replaced_by_another(machines):
    one, another = machines
    going = start(one)
    while one.world.joinpath("log").exists() is False:
        assert going.poll() is None
    os.killpg(going.pid, signal.SIGKILL)
    going.communicate()

    assert "ran" in run(another)
    assert "ran" not in run(one)
    assert len(one.outside()["versions"]) == 1


def test_a_gc_on_s3_leaves_an_unchanged_run_with_nothing_to_do(machines):
    one, _ = machines
    run(one)

    swept = one.argosy("gc", "--output", "json", ARGOSY_STORE=one.url)
    text = one.argosy("gc", "--dry-run", ARGOSY_STORE=one.url)

    assert swept.returncode == text.returncode == 0, swept.stderr + text.stderr
    assert (json.loads(swept.stdout)["records_deleted"], json.loads(swept.stdout)["blobs_deleted"]) == (0, 0)
    assert "0 would be deleted" in text.stdout
    assert "ran" not in run(one)


def test_a_server_with_faults_is_an_outage_or_not_seen(machines, s3_endpoint, monkeypatch, tmp_path):
    one, _ = machines
    with faulty(s3_endpoint) as (endpoint, faults):
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        faults.use(["500", "lost", "cut", "", "reset", "500 after", "twice", ""] * 4)
        assert "ran" in run(one)
        faults.use(["503"] * 10_000, lambda _method, _path: True)
        code, _ = one.run(ARGOSY_STORE=one.url)
        assert code == 75
        faults.use([])
        assert "ran" not in run(one)

    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_endpoint)
    store = open_store(one.url, state=tmp_path / "state")
    assert read_ref(store, "small/champion").generation == 1
    assert store.paths("audit") == []

"""Steps that share a pod: the same values, keys and records as in pods of their own."""

import json

import pytest

from argosy.argo.wanted import Wanted
from argosy.argo.workflow import manifest
from argosy.launcher.registration import read_pods
from argosy.launcher.store import open_store
from argosy.spec.read import read_pipeline
from tests.fakes.argo_engine import parameters_of, read_outputs, simulate
from tests.fakes.argo_specs import CHAIN, CONSTRUCTS, LOOP_IN_LOOP
from tests.fakes.projects import argosy, write_files

ARGUMENTS = {
    "chain": {"n": 5, "text": 'She said "no"; {{workflow.name}} é $(HOME) $$\n'},
    "loop-over-result": {"n": 2, "text": "x"},
    "loop-in-loop": {"items": [1, 2]},
}


def simulated(spec, arguments, folder, *, fuse=True):
    read = read_pipeline(spec)
    workflow = simulate(manifest(read, Wanted(fuse=fuse)), parameters_of(read, arguments), folder)
    return read, workflow, workflow.run()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["chain", "condition", "loop-over-result", "loop-in-loop", "measurement"])
def test_what_runs_in_one_pod_gives_the_same_and_leaves_nothing_to_do(name, tmp_path):
    spec, arguments = CONSTRUCTS[name], ARGUMENTS.get(name, {})
    read, apart, wanted = simulated(spec, arguments, tmp_path / "apart", fuse=False)
    _, workflow, root = simulated(spec, arguments, tmp_path / "shared")

    assert root.phase == "Succeeded", workflow.logs
    assert len(workflow.pods) == 1 <= len(apart.pods) / 2
    found = read_outputs(read, root.outputs or {}, tmp_path / "shared")
    assert found == read_outputs(read, wanted.outputs or {}, tmp_path / "apart")
    (tmp_path / "spec.json").write_text(json.dumps(spec), encoding="utf-8")
    write_files(tmp_path / "project", {"pyproject.toml": "[tool.argosy]\n"})
    given = [part for key, value in arguments.items() for part in ("-p", f"{key}={told(value)}")]
    words = ["run", tmp_path / "spec.json", *given, "--output", "json", "--store", tmp_path / "shared/store"]
    again = json.loads(argosy(tmp_path / "project", *words).stdout)
    assert {step["status"] for step in again["steps"]} <= {"reused", "skipped"}, again
    assert again["outputs"] == found


def told(value):
    return value if isinstance(value, str) else json.dumps(value)


def test_each_step_of_a_shared_pod_is_told_of_in_the_store(tmp_path):
    _, workflow, root = simulated(CHAIN, ARGUMENTS["chain"], tmp_path)

    assert root.phase == "Succeeded", workflow.logs
    entries = read_pods(open_store(str(tmp_path / "store")), workflow.name)
    assert {entry.step: entry.outcome.status for entry in entries if entry.step} == {
        task.name: "ran" for task in read_pipeline(CHAIN).tasks
    }


def test_a_step_that_fails_fails_its_pod_and_what_went_well_is_not_done_again(tmp_path):
    broken = json.loads(json.dumps(CHAIN).replace("def count(", "def count_(", 1))
    _, workflow, root = simulated(broken, ARGUMENTS["chain"], tmp_path)
    store = open_store(str(tmp_path / "store"))
    ended = {entry.step: entry.outcome.status for entry in read_pods(store, workflow.name) if entry.step}

    assert root.phase == "Failed"
    assert [code for _, code in workflow.pods] == [1]
    assert (ended["count"], ended["count-2"], ended["say"]) == ("failed", "skipped", "ran")
    assert len(store.paths("steps")) == list(ended.values()).count("ran")


def test_a_shared_pod_that_is_deleted_goes_on_where_it_was(tmp_path):
    read = read_pipeline(LOOP_IN_LOOP)
    workflow = simulate(manifest(read, Wanted(fuse=True)), parameters_of(read, {"items": [1, 2]}), tmp_path)
    workflow.deleted_after_s = 1.5

    root = workflow.run()

    assert root.phase == "Succeeded", workflow.logs
    assert [code for _, code in workflow.pods] in ([-1, 0], [0])

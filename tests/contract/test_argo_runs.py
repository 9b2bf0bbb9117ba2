"""What a manifest comes to where it is run: the values of a run on this machine, and its keys."""

import json

import pytest

from argosy.argo.wanted import Wanted
from argosy.argo.workflow import manifest
from argosy.launcher.store import open_store
from argosy.spec.read import read_pipeline
from tests.fakes.argo_engine import parameters_of, read_outputs, simulate
from tests.fakes.argo_specs import CHAIN, CONSTRUCTS, EXIT_HANDLER, LOOP_IN_LOOP, a_task, constant, pipeline
from tests.fakes.projects import argosy, write_files
from tests.fakes.specs import a_lightweight, with_field

ARGUMENTS = {
    "chain": {"n": 5, "text": 'She said "no"; {{workflow.name}} $$ $(HOME) é\n'},
    "loop-over-result": {"n": 2, "text": "x"},
    "loop-in-loop": {"items": [1, 2]},
}


def simulated(spec, arguments, folder):
    read = read_pipeline(spec)
    workflow = simulate(manifest(read, Wanted()), parameters_of(read, arguments), folder)
    root = workflow.run()
    return read, workflow, root


def pods(workflow):
    return [path.removeprefix("main.") for path, _ in workflow.pods]


def phases(workflow):
    return {path.removeprefix("main."): node.phase for path, node in workflow.nodes.items()}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["chain", "condition", "loop-over-result", "loop-in-loop", "program", "measurement"])
def test_a_run_here_reuses_every_step_that_ran_on_argo(name, tmp_path):
    spec, arguments = CONSTRUCTS[name], ARGUMENTS.get(name, {})
    read, workflow, root = simulated(spec, arguments, tmp_path)
    assert root.phase == "Succeeded", workflow.logs
    (tmp_path / "spec.json").write_text(json.dumps(spec), encoding="utf-8")
    write_files(tmp_path / "project", {"pyproject.toml": "[tool.argosy]\n"})
    given = [
        part
        for key, value in arguments.items()
        for part in ("-p", f"{key}={value if isinstance(value, str) else json.dumps(value)}")
    ]

    ended = argosy(
        tmp_path / "project", "run", tmp_path / "spec.json", *given, "--output", "json", "--store", tmp_path / "store"
    )

    found = json.loads(ended.stdout)
    assert {step["status"] for step in found["steps"]} <= {"reused", "skipped"}, found
    assert found["outputs"] == read_outputs(read, root.outputs or {}, tmp_path)


def test_a_second_workflow_runs_no_step_again(tmp_path):
    simulated(CHAIN, ARGUMENTS["chain"], tmp_path)
    records = open_store(str(tmp_path / "store")).paths("steps")

    _, workflow, root = simulated(CHAIN, ARGUMENTS["chain"], tmp_path)

    assert root.phase == "Succeeded"
    assert open_store(str(tmp_path / "store")).paths("steps") == records
    assert "reused" in workflow.logs
    assert ": ran " not in workflow.logs


def test_what_failed_in_an_exit_handlers_group_fails_the_run_after_it(tmp_path):
    broken = with_field(
        EXIT_HANDLER,
        "deploymentSpec.executors.exec-count",
        {"container": {"image": "python:3.11", "command": ["python3", "-c", "raise SystemExit(7)"]}},
    )

    _, workflow, root = simulated(broken, {}, tmp_path)

    assert root.phase == "Failed"
    assert phases(workflow) == {
        "count": "Failed", "spread": "Omitted", "report": "Succeeded", "fail-if-any-failed": "Failed",
    }  # fmt: skip


def test_a_deleted_pod_is_tried_again_and_the_values_are_the_same(tmp_path):
    read = read_pipeline(CHAIN)
    parameters = parameters_of(read, ARGUMENTS["chain"])
    workflow = simulate(manifest(read, Wanted()), parameters, tmp_path / "deleted")
    workflow.deleted_after_s = 0.1

    root = workflow.run()

    assert root.phase == "Succeeded", workflow.logs
    assert [code for _, code in workflow.pods] == [-1, 0] * len(read.tasks)
    assert read_outputs(read, root.outputs, tmp_path / "deleted") == {"number": 7}


@pytest.mark.parametrize(
    ("raised", "codes"),
    [("ValueError('by itself')", [1]), ("errors.Mistake('asked for')", [2]), ("errors.Outage('away')", [75, 75, 75])],
)
def test_only_what_is_no_fault_of_the_step_is_tried_again(tmp_path, raised, codes):
    source = f"def count(n: int) -> int:\n    from argosy import errors\n    raise {raised}\n"
    broken = with_field(CHAIN, "deploymentSpec.executors.exec-count", a_lightweight(source, "count"))

    _, workflow, root = simulated(broken, ARGUMENTS["chain"], tmp_path)

    assert root.phase == "Failed"
    assert [code for path, code in workflow.pods if path == "main.count"] == codes
    assert phases(workflow)["count-2"] == "Omitted"
    assert phases(workflow)["measure"] == "Succeeded"


def test_an_empty_loop_succeeds_and_gives_empty_lists(tmp_path):
    _, workflow, root = simulated(LOOP_IN_LOOP, {"items": []}, tmp_path)

    assert root.phase == "Succeeded", workflow.logs
    assert pods(workflow) == ["say"]


@pytest.mark.parametrize("padding", ["", "x" * 3000])
def test_values_that_argo_or_kubernetes_would_change_arrive_unchanged(tmp_path, padding):
    text = "{{=workflow.name}} {{item}} $$ $(HOME) $$(HOME) $ \x7f \U000e0001 \U0001f600 \u2028 '\" \\ \n" + padding
    spec = pipeline(
        {"say": a_task("comp-say", text=constant(text))},
        outputs={"said": ("say", "Output", {"parameterType": "STRING"})},
    )

    read, workflow, root = simulated(spec, {}, tmp_path)

    assert root.phase == "Succeeded", workflow.logs
    assert read_outputs(read, root.outputs, tmp_path) == {"said": text}

"""What pods are given beside their code, as their manifests say it, comes to the values and keys of a run here."""

import json

import obstore
import pytest
from obstore.store import from_url

from argosy.argo.wanted import Wanted
from argosy.argo.workflow import manifest
from argosy.spec.read import read_pipeline
from tests.fakes.argo_engine import parameters_of, read_outputs, simulate
from tests.fakes.argo_pod_specs import (
    a_claim,
    a_program,
    a_workspace,
    an_import,
    an_init_container,
    fields_of_the_pod,
    names_of_the_run,
)
from tests.fakes.projects import argosy, write_files
from tests.fakes.s3_server import s3, s3_endpoint

__all__ = ["s3", "s3_endpoint"]


def simulated(spec, folder, objects=None, name="simulated-1", **arguments):
    read = read_pipeline(spec)
    workflow = simulate(manifest(read, Wanted()), parameters_of(read, arguments), folder)
    workflow.objects, workflow.name = objects or {}, name
    root = workflow.run()
    assert root.phase == "Succeeded", f"{root.message}\n{workflow.logs[-3000:]}"
    return workflow, read_outputs(read, root.outputs, folder)


def run_here(spec, folder, **env):
    """Run a pipeline on this machine, with the store of the pods; return its outputs, and how each step ended."""
    (folder / "spec.json").write_text(json.dumps(spec), encoding="utf-8")
    write_files(folder / "project", {"pyproject.toml": "[tool.argosy]\n"})
    options = ("--output", "json", "--store", folder / "store")
    ended = argosy(folder / "project", "run", folder / "spec.json", *options, **env)
    assert ended.returncode == 0, ended.stderr
    document = json.loads(ended.stdout)
    return document["outputs"], {step["name"]: step["status"] for step in document["steps"]}


@pytest.mark.slow
def test_an_import_in_a_pod_is_an_import_here(s3, tmp_path):
    obstore.put(from_url(s3, client_options={"allow_http": True}), "table/a.csv", b"1,2")
    spec = an_import(f"{s3}/table/a.csv")

    workflow, outputs = simulated(spec, tmp_path)
    outputs_here, ends = run_here(spec, tmp_path)

    uri = f"{s3}/table/a.csv"
    assert outputs == {"said": "1,2 [('rows', 3)]", "said-2": f"1,2 [('from', '{uri}')]"} == outputs_here
    assert "importer: observed sha256:" in workflow.logs
    assert ends == {
        "importer": "observed", "name": "reused", "importer-2": "observed", "read": "reused", "read-2": "reused",
    }  # fmt: skip


@pytest.mark.slow
def test_an_import_of_what_changed_runs_what_reads_it_again(s3, tmp_path):
    bucket = from_url(s3, client_options={"allow_http": True})
    obstore.put(bucket, "a", b"1")
    simulated(an_import(f"{s3}/a"), tmp_path)
    obstore.put(bucket, "a", b"2")

    workflow, outputs = simulated(an_import(f"{s3}/a"), tmp_path)

    assert outputs["said"].startswith("2 ")
    assert workflow.logs.count("read: ran ") == 2
    assert "name: reused " in workflow.logs


@pytest.mark.slow
def test_a_program_beside_the_launcher_gives_what_it_gives_here(tmp_path):
    workflow, outputs = simulated(a_program(), tmp_path)
    outputs_here, ends = run_here(a_program(), tmp_path)

    assert outputs == {"said": 'it\'s "said" 3\n', "copied": 'it\'s "said"'} == outputs_here
    assert set(ends.values()) == {"reused"}
    assert 'it\'s "said"shout: ran' in workflow.logs.replace("argosy: ", "")


def test_a_program_that_ran_is_not_run_again_and_its_container_ends(tmp_path):
    simulated(a_program(), tmp_path)

    workflow, outputs = simulated(a_program(), tmp_path)

    assert outputs["said"] == 'it\'s "said" 3\n'
    assert "shout: reused " in workflow.logs


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("exit 3", "the step's process exited with 3"),
        ("no-such-program", "exited with 127: a command was not found"),
        ("kill -9 $$", "exited with 137: a command of it was killed (signal 9)"),
        ("exit 0", "shout: returned no value for its output 'Output'"),
    ],
)
def test_a_program_that_fails_fails_its_step_alone(tmp_path, script, said):
    read = read_pipeline(a_program(script=script))
    workflow = simulate(manifest(read, Wanted()), {}, tmp_path)

    root = workflow.run()

    assert root.phase == "Failed"
    assert dict(workflow.pods) == {"main.write": 0, "main.shout": 1}
    assert said in workflow.logs


@pytest.mark.slow
def test_a_secret_whose_name_comes_up_in_the_run_is_what_its_variables_are_here(tmp_path):
    objects = {"database": {"password": "p w", "user": "u"}, "other": {"password": "q", "user": "v"}}
    objects_here = {"PASSWORD": "p w", "USER": "u"}

    workflow, outputs = simulated(names_of_the_run(), tmp_path, objects)
    _, others = simulated(names_of_the_run(), tmp_path, objects, **{"secret": "other"})
    outputs_here, ends = run_here(names_of_the_run(), tmp_path, **objects_here)

    assert outputs == {"said": "x p w u"} == outputs_here
    assert others == {"said": "x q v"}
    assert ends == {"name": "reused", "login": "ran"}, "no key holds what is in a secret"
    assert "login: ran " in workflow.logs


def test_a_step_is_told_fields_of_its_pod_and_is_never_reused(tmp_path):
    simulated(fields_of_the_pod(), tmp_path)

    workflow, outputs = simulated(fields_of_the_pod(), tmp_path)

    assert outputs == {"said": "x two words ml"}
    assert "login: ran " in workflow.logs


def test_what_one_run_left_in_its_workspace_no_other_takes(tmp_path):
    _, first = simulated(a_workspace(), tmp_path)

    second, outputs = simulated(a_workspace(), tmp_path, name="another-run")

    assert (first, outputs) == ({"said": "simulated-1\n"}, {"said": "another-run\n"})
    assert [f"{step}: ran " in second.logs for step in ("leave", "take", "name")] == [True, True, True]


def test_a_claim_carries_files_between_steps_that_are_never_reused(tmp_path):
    spec = a_claim(f"{tmp_path}/data")
    simulated(spec, tmp_path)

    workflow, outputs = simulated(spec, tmp_path, text="another note", suffix="-others")

    assert outputs == {"said": "another note"}
    assert [f"{step}: ran " in workflow.logs for step in ("leave", "take")] == [True, True]
    assert workflow.applied == [
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": "simulated-1-others"},
            "spec": {
                "accessModes": ["ReadWriteMany"],
                "resources": {"requests": {"storage": "1Gi"}},
                "storageClassName": "",
            },
        }
    ]
    assert not (workflow.folder / "claims" / "simulated-1-others").exists()


def test_what_an_init_container_does_is_there_when_the_step_starts(tmp_path):
    spec = an_init_container(f"{tmp_path}/data")
    simulated(spec, tmp_path)

    workflow, outputs = simulated(spec, tmp_path)

    assert outputs == {"said": "brought\n"}
    assert "take: ran " in workflow.logs, "no key holds what it does"

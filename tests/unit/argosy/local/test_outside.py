import json

import pytest

from argosy.launcher.artifacts import materialize
from argosy.local.outside import is_claim, is_outside
from argosy.local.runner import Run, run_tasks
from argosy.spec.model import (
    ArtifactSlot,
    Component,
    Constant,
    Executor,
    Importer,
    Parameter,
    Pipeline,
    Start,
    Task,
    TaskOutput,
)
from tests.fakes.plans import a_plan, a_task

SAY = "def step(uri: str) -> str:\n    return uri\n"


def an_importer(uri, metadata=None, **more):
    component = Component(
        "import", {}, {"artifact": ArtifactSlot("artifact", "system.Dataset")}, Importer("", "uri", metadata or {})
    )
    return Task("import", component, {"uri": Constant(uri)}, **more)


def a_claim(image, outputs, **inputs):
    component = Component("claim", {}, {name: Parameter(name, "STRING") for name in outputs}, Executor(image))
    return Task("claim", component, {name: Constant(value) for name, value in inputs.items()})


def ended(lab, *tasks):
    run = Run(a_plan(*tasks), {}, lab.context())
    run_tasks(run, concurrency=1)
    return run.outcomes


def test_an_importer_stores_a_file_or_a_folder_with_its_metadata(lab, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a.csv").write_text("a\n1\n")

    metadata = {"from": "{{$.inputs.parameters['uri']}}", "columns": 1.0}
    outcome = ended(lab, an_importer(str(tmp_path / "folder"), metadata))["import"]
    artifact = outcome.outputs["artifact"].value
    materialize(lab.store, artifact.digest, tmp_path / "out")

    assert outcome.status == "observed"
    assert json.dumps(artifact.metadata) == json.dumps({"columns": 1, "from": str(tmp_path / "folder")})
    assert (tmp_path / "out" / "a.csv").read_text() == "a\n1\n"


def test_an_importer_finds_a_relative_path_from_where_the_run_was_started(lab, tmp_path, monkeypatch):
    (tmp_path / "a.csv").write_text("a\n")
    monkeypatch.chdir(tmp_path)

    assert ended(lab, an_importer("a.csv"))["import"].status == "observed"


def test_an_importer_looks_again_in_every_run(lab, tmp_path):
    file = tmp_path / "a.csv"
    file.write_text("1")
    before = ended(lab, an_importer(f"file://{file}"))["import"].outputs["artifact"].value.digest
    file.write_text("2")

    assert ended(lab, an_importer(f"file://{file}"))["import"].outputs["artifact"].value.digest != before


def test_an_importer_says_which_path_is_not_there(lab, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    outcome = ended(lab, an_importer("none.csv"))["import"]

    assert (outcome.status, outcome.exit_code) == ("failed", 2)
    assert outcome.error == (
        f"tasks.import: importer (none.csv): {tmp_path}/none.csv is not there; give a path that is"
    )


def test_a_uri_that_a_step_gave_is_refused_by_name(lab):
    give = a_task("give", SAY, inputs={"uri": "oci://r/a"}, outputs={"Output": "STRING"})
    task = an_importer("", start=Start(after=("give",)))
    given = Task("import", task.component, {"uri": TaskOutput("give", "Output")}, task.start)

    outcome = ended(lab, give, given)["import"]

    assert outcome.error == (
        "tasks.import: importer (oci://r/a): cannot be imported: only files, s3://, gs://, az://, http:// and https:// "
        "can be reached; copy it to one of these first"
    )


@pytest.mark.parametrize("image", ["argostub/createpvc", "docker.io/argostub/deletepvc"])
def test_claims_of_storage_need_no_process(image):
    assert is_claim(Executor(image))
    assert is_outside(a_claim(image, []))
    assert not is_claim(Executor("alpine"))


def test_a_claim_has_the_name_it_was_given_or_one_of_the_run(lab):
    named = ended(lab, a_claim("argostub/createpvc", ["name"], pvc_name="mine", size="1Gi"))["claim"]
    suffixed = ended(lab, a_claim("argostub/createpvc", ["name"], pvc_name_suffix="-data"))["claim"]

    assert named.values() == {"name": "mine"}
    assert suffixed.values()["name"].endswith("-data")


def test_deleting_a_claim_gives_nothing(lab):
    assert ended(lab, a_claim("argostub/deletepvc", [], pvc_name="mine"))["claim"].values() == {}


def test_a_plan_without_processes_starts_none(lab, tmp_path):
    (tmp_path / "a").write_text("1")
    pipeline = Pipeline("small", "", {}, (an_importer(str(tmp_path / "a")),))
    run = Run(pipeline, {}, lab.context())

    run_tasks(run, concurrency=1)

    assert run.started_s == {}

"""`argosy submit` against a small Kubeflow, and `argosy compile`."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from argosy.__main__ import main
from argosy.launcher.store import open_store
from argosy.spec.documents import parse_documents
from argosy.spec.wrapped import containers
from tests.fakes.kubeflow_server import a_kubeflow_server
from tests.fakes.projects import PYPROJECT, Answer, a_project, argosy

FILE = Path("manifests/workflows/kubeflow/small.yaml")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Give a project whose pipeline is compiled."""
    project = a_project(tmp_path_factory.mktemp("submitting") / "project")
    assert argosy(project, "compile").returncode == 0
    return project


@pytest.fixture
def server():
    with a_kubeflow_server(states=["RUNNING"]) as server:
        yield server


@pytest.fixture
def submit(project, monkeypatch, capsys):
    """Give a function that submits in this process; a compiled file is read much faster than one is compiled."""
    for name in ("ARGOSY_STORE", "ARGOSY_STATE", "ARGOSY_PROJECT", "MLFLOW_TRACKING_URI"):
        # What the command sets is taken back at the end of the test.
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.chdir(project)

    def run(server, *more, pipeline=FILE):
        monkeypatch.setattr(
            sys, "argv", ["argosy", "submit", str(pipeline), "--target", "kubeflow", "--host", server.url, *more]
        )
        with pytest.raises(SystemExit) as ended:
            main()
        return Answer(ended.value.code, *capsys.readouterr())

    return run


def told(answer):
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


# Submitting


def test_a_pipeline_is_submitted_wrapped_and_with_every_argument(submit, server):
    answer = submit(server, "-p", "n=5", "--store", "s3://bucket/prefix", "--experiment", "trials")

    (body,) = server.posts("runs")
    assert answer.stdout == f"{server.url}/#/runs/details/{server.runs[0]['run_id']}\n"
    assert f"run {body['display_name']} created" in answer.stderr
    assert body["runtime_config"] == {"parameters": {"n": 5}}
    assert server.posts("experiments") == [{"display_name": "trials"}]
    for container in containers(body["pipeline_spec"]).values():
        assert container["command"][2] == "argosy.launcher.pod"
        assert {"name": "ARGOSY_STORE", "value": "s3://bucket/prefix"} in container["env"]


def test_the_same_plan_again_is_attached_and_another_is_not(submit, server):
    first = submit(server, "--output", "json").document
    second = submit(server, "--output", "json").document
    other = submit(server, "-p", "n=5", "--output", "json").document

    assert (first["attached"], second["attached"], other["attached"]) == (False, True, False)
    assert first["run"] == second["run"] != other["run"]


def test_the_host_may_stand_in_the_environment(project, server):
    assert argosy(project, "submit", FILE, "--target", "kubeflow", ARGOSY_KUBEFLOW_HOST=server.url).returncode == 0


@pytest.mark.parametrize(
    ("states", "error", "code"),
    [(["RUNNING", "SUCCEEDED"], "", 0), (["FAILED"], "", 1), (["FAILED"], "check: exit status 3", 3)],
)
def test_watching_ends_as_the_run_does(submit, states, error, code):
    with a_kubeflow_server(
        states=states[-1:], tasks={state: {"double": state} for state in states}, error=error
    ) as server:
        answer = submit(server, "--watch")

    assert answer.code == code
    assert f"double: {states[-1].lower()}" in answer.stderr


def test_a_recurring_run_is_created_once(submit, server):
    first = submit(server, "--cron", "0 6 * * *", "--output", "json").document
    second = submit(server, "--cron", "0 6 * * *", "--output", "json").document

    assert (first["attached"], second["attached"]) == (False, True)
    assert [run["trigger"]["cron_schedule"]["cron"] for run in server.recurring] == ["0 0 6 * * *"]


def test_a_recurring_run_says_that_its_time_stands_still(submit, server, tmp_path):
    spec = yaml.safe_load(Path(FILE).read_text())
    spec["root"]["inputDefinitions"]["parameters"]["as_of"] = {"parameterType": "STRING", "defaultValue": "2013-12-31"}
    (tmp_path / "dated.yaml").write_text(yaml.safe_dump(spec))

    answer = submit(server, "--cron", "0 6 * * *", pipeline=tmp_path / "dated.yaml")

    assert "as_of is 2013-12-31 each time" in answer.stderr


def test_a_compiled_file_is_submitted_as_the_pipeline_that_it_is(submit, server):
    by_name = submit(server, "--output", "json", pipeline="small").document
    by_file = submit(server, "--output", "json").document

    assert by_file["run"] == by_name["run"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--target", "argo"), 2, "--host: said to Kubeflow alone"),
        (("-p", "m=1"), 2, "parameter 'm': unknown"),
        (("-p", "n=x"), 2, "parameter 'n': got"),
        (("--cron", "daily"), 2, "five fields are needed"),
        (("--cron", "0 6 * * *", "--watch"), 2, "a recurring run has no end"),
        (("--host", "http://127.0.0.1:1"), 75, "no answer (Failed to establish a new connection"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_message(submit, server, arguments, code, said):
    answer = submit(server, *arguments)

    assert (answer.code, answer.stdout) == (code, "")
    assert said in answer.stderr
    assert "Traceback" not in answer.stderr
    assert server.runs == []


def test_a_lost_answer_makes_no_second_run(submit, server):
    server.failures["POST runs"] = ["lost"]

    assert submit(server).code == 0
    assert submit(server).code == 0
    assert len(server.runs) == 1


# Compiling


def test_compiling_is_repeatable_byte_for_byte(project):
    texts = set()
    for seed in ("1", "2"):
        assert argosy(project, "compile", PYTHONHASHSEED=seed).returncode == 0
        texts.add((project / FILE).read_text())

    assert len(texts) == 1


def test_a_stale_file_is_noticed(project):
    whole = (project / FILE).read_text()
    fresh = argosy(project, "compile", "--check")
    (project / FILE).write_text(whole + "\n")
    stale = argosy(project, "compile", "--check")
    (project / FILE).write_text(whole)

    assert (fresh.returncode, stale.returncode) == (0, 2)
    assert "stale: " in stale.stderr


def test_a_reviewer_reads_sources_as_they_were_written(project):
    text = (project / FILE).read_text()
    assert '\n          def double(n: int) -> int:\n              """Double a number."""\n' in text
    assert parse_documents(text) == parse_documents(yaml.safe_dump(yaml.safe_load(text)))


def test_what_is_compiled_is_accepted_by_kfp(project):
    check = (
        "import sys, warnings; warnings.simplefilter('ignore'); from kfp.components import load_component_from_file;"
        "print(load_component_from_file(sys.argv[1]).pipeline_spec.root.dag.tasks.keys())"
    )

    answer = subprocess.run([sys.executable, "-c", check, project / FILE], capture_output=True, text=True)

    assert answer.returncode == 0, answer.stderr


def test_a_compiled_file_runs_with_the_keys_of_the_catalogue(project, tmp_path):
    store = ("--store", tmp_path / "store", "--output", "json")

    first = told(argosy(project, "run", "small", *store))
    second = told(argosy(project, "run", FILE, *store))

    assert [step["status"] for step in second["steps"]] == ["reused", "reused"]
    assert [step["key"] for step in first["steps"]] == [step["key"] for step in second["steps"]]
    assert open_store(str(tmp_path / "store")).paths("steps")


def test_pods_are_told_of_the_projects_lock(tmp_path):
    project = a_project(tmp_path / "project", {"pyproject.toml": f'{PYPROJECT}lock = "the.lock"\n', "the.lock": ""})

    assert argosy(project, "compile").returncode == 0
    assert '"lock":"the.lock"' in (project / FILE).read_text()

"""`argosy submit`, `status`, `logs` and `retry` against a small Kubernetes whose workflows are run by the simulator."""

import json
import os
import subprocess

import pytest

from argosy.__main__ import main
from argosy.features.online.connect import open_online
from argosy.launcher.store import open_store
from tests.fakes.kubernetes_server import a_kubernetes_server
from tests.fakes.projects import ROOT, Answer, a_project, argosy_command

COUNTING = {
    "pipelines/catalog.py": (
        'PIPELINES = {"counting": "pipelines.counting:counting", "filling": "pipelines.filling:filling"}\n'
    ),
    "pipelines/counting.py": """\
from components.shells import double, listed, total
from kfp import dsl


@dsl.pipeline(name="counting")
def counting(n: int = 3) -> int:
    first = double(n=n).output
    with dsl.ParallelFor(listed(n=first).output) as item:
        each = double(n=item).output
    with dsl.If(first > 100):
        double(n=1000)
    return total(numbers=dsl.Collected(each)).output
""",
    "components/shells.py": '''\
from kfp import dsl


@dsl.component(base_image="python:3.11", install_kfp_package=False)
def double(n: int) -> int:
    """Double a number."""
    from components.arithmetic import twice

    print(f"doubling {n}")
    return twice(n)


@dsl.component(base_image="python:3.11", install_kfp_package=False)
def listed(n: int) -> list:
    """List some numbers."""
    return list(range(n // 2))


@dsl.component(base_image="python:3.11", install_kfp_package=False)
def total(numbers: list) -> int:
    """Add numbers up."""
    from components.arithmetic import added

    return added(numbers)
''',
    "pipelines/filling.py": """\
from components.filling import fill, look
from kfp import dsl


@dsl.pipeline(name="filling")
def filling() -> None:
    seen = look().outputs
    with dsl.If(seen["full"] == False):
        fill(held=seen["held"])
""",
    "components/filling.py": '''\
from typing import NamedTuple

from argosy.kubeflow.declare import step
from kfp import dsl


@step(kind="observe")
@dsl.component(base_image="python:3.11", install_kfp_package=False)
def look() -> NamedTuple("Seen", full=bool, held=dict):
    """Say what the online store has marked."""
    import os
    from argosy.features.online.connect import named_online, open_online

    marks = open_online(named_online(os.environ)).marks()
    return bool(marks), marks


@dsl.component(base_image="python:3.11", install_kfp_package=False)
def fill(held: dict) -> int:
    """Mark a view in the online store."""
    import os
    from argosy.features.online.connect import named_online, open_online

    return int(open_online(named_online(os.environ)).mark("view", {"filled": 1}, at_us=1))
''',
    "components/arithmetic.py": "def twice(n):\n    return 2 * n\n\n\ndef added(numbers):\n    return sum(numbers)\n",
}


@pytest.fixture
def project(tmp_path):
    return a_project(tmp_path / "project", COUNTING)


@pytest.fixture
def cluster(tmp_path, project, monkeypatch):
    """Give a cluster whose pods see the project, and have KUBECONFIG name it."""
    store = tmp_path / "store"
    told = {"ARGOSY_STORE": str(store)}
    image = {"ARGOSY_PROJECT": str(project), "PYTHONPATH": os.pathsep.join([str(project), str(ROOT)])}
    image["ARGOSY_ONLINE"] = f"sqlite:///{tmp_path}/of_the_cluster.db"  # from a secret, which the planner does not read
    for name in ("ARGOSY_ONLINE", "ARGOSY_STORE", "ARGOSY_STATE", "ARGOSY_PROJECT", "MLFLOW_TRACKING_URI"):
        # What a command sets is taken back at the end of the test.
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    (tmp_path / "pods").mkdir()
    with a_kubernetes_server(tmp_path / "pods", image=image, config_maps={"argosy": told}, parallel=2) as server:
        monkeypatch.setenv("KUBECONFIG", str(server.kubeconfig(tmp_path / "kubeconfig")))
        yield server


@pytest.fixture
def command(project, cluster, tmp_path, monkeypatch, capfd):
    """Give a function that runs `argosy` in this process, in the project."""
    monkeypatch.chdir(project)
    monkeypatch.setattr("argosy.commands.following.POLL_S", 0.05)

    def run(*words):
        monkeypatch.setattr("sys.argv", ["argosy", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        return Answer(ended.value.code or 0, *capfd.readouterr())

    return run


@pytest.fixture
def store(tmp_path):
    return open_store(str(tmp_path / "store"))


def statuses(document):
    return {step["name"]: step["status"] for step in document["steps"]}


def test_a_pipeline_runs_on_the_cluster_and_a_second_submission_starts_no_pod(command, cluster):
    first = command("submit", "counting", "--watch", "--output", "json").document
    second = command("submit", "counting", "--watch", "--output", "json").document

    assert first["status"] == "succeeded"
    assert statuses(first) == {
        "double": "ran", "double-3": "skipped", "listed": "ran", "total": "ran",
        "double-2[0]": "ran", "double-2[1]": "ran", "double-2[2]": "ran",
    }  # fmt: skip
    assert first["outputs"] == {"Output": 6}
    assert set(statuses(second).values()) == {"reused", "skipped"}
    assert len(cluster.posts()) == 1


def test_a_store_that_only_pods_know_is_observed_by_a_pod_and_not_mistaken_for_the_one_here(cluster, project):
    here = open_online(f"sqlite:///{project}/.argosy/online.db")
    here.mark("view", {"filled": 1}, at_us=1)
    here.close()

    # In processes of their own: what observes imports a part of kfp, and other tests of this process all of it.
    submit = argosy_command("submit", "filling", "--watch", "--output", "json")
    first, second = (json.loads(subprocess.check_output(submit, cwd=project)) for _ in range(2))

    assert statuses(first) == {"look": "observed", "fill": "ran"}
    assert statuses(second) == {"look": "observed", "fill": "skipped"}


def test_alike_steps_share_a_pod_and_are_told_of_one_by_one(command, cluster):
    first = command("submit", "counting", "--fuse", "--watch", "--output", "json").document
    log = command("logs", "@latest", "double-2[1]")
    second = command("submit", "counting", "--watch", "--output", "json").document

    assert (first["status"], first["outputs"]) == ("succeeded", {"Output": 6})
    assert statuses(first) == {
        "double": "ran", "double-3": "skipped", "listed": "ran", "total": "ran",
        "double-2[0]": "ran", "double-2[1]": "ran", "double-2[2]": "ran",
    }  # fmt: skip
    assert pods(cluster) == ["double-to-total"]
    assert log.stdout == "doubling 1\n"
    assert set(statuses(second).values()) == {"reused", "skipped"}


def test_a_step_that_fails_in_a_shared_pod_is_named(command, cluster, project):
    code = (project / "components/arithmetic.py").read_text()
    (project / "components/arithmetic.py").write_text(code.replace("sum(numbers)", "1 / 0"))

    failed = command("submit", "counting", "--fuse", "--watch")
    (project / "components/arithmetic.py").write_text(code)
    mended = command("retry", "@latest", "--watch", "--output", "json").document

    assert failed.code == 1
    assert "Failed at total. ZeroDivisionError: division by zero" in failed.stdout
    assert mended["status"] == "succeeded"
    assert pods(cluster) == ["double-to-total", "double-to-total"]


def pods(cluster):
    return [path.removeprefix("main.") for held in cluster.controller.held.values() for path, _ in held.workflow.pods]


def test_only_the_round_that_is_missing_becomes_a_pod(command, cluster, store):
    command("submit", "counting", "--watch")
    lost = next(path for path in store.paths("steps") if store.read_json(path)["key"]["inputs"] == {"n": 1})
    store.delete(lost)

    again = command("submit", "counting", "--watch", "--output", "json").document

    # The sum cannot be looked up before the round has run; its pod looks, and finds itself done.
    assert pods(cluster)[6:] == ["double-2-1", "total"]
    assert statuses(again)["double-2[1]"] == "ran"
    assert statuses(again)["double-2[0]"] == "reused"
    assert again["outputs"] == {"Output": 6}
    assert [step["name"] for step in again["steps"] if step["status"] == "ran"] == ["double-2[1]"]


def test_who_submits_the_same_plan_while_it_goes_on_is_attached(command, cluster):
    cluster.controller.may_start.clear()
    first = command("submit", "counting", "--output", "json").document
    second = command("submit", "counting", "--output", "json").document
    other = command("submit", "counting", "-p", "n=5", "--output", "json").document
    cluster.controller.may_start.set()

    assert (first["attached"], second["attached"], other["attached"]) == (False, True, False)
    assert first["run"] == second["run"] != other["run"]
    assert command("submit", "counting", "--watch", "--output", "json").document["status"] == "succeeded"


def test_a_lost_answer_makes_no_second_workflow(command, cluster):
    cluster.failures["POST workflows"] = ["lost"]

    answer = command("submit", "counting", "--watch", "--output", "json")

    assert answer.document["status"] == "succeeded"
    assert len(cluster.controller.held) == 1


def test_a_failed_step_is_told_and_retried_with_mended_code(command, cluster, project):
    code = (project / "components/arithmetic.py").read_text()
    (project / "components/arithmetic.py").write_text(code.replace("sum(numbers)", "1 / 0"))

    failed = command("submit", "counting", "--watch")
    shown = command("status", "@latest", "--output", "json")
    log = command("logs", "@latest", "double")
    (project / "components/arithmetic.py").write_text(code)
    mended = command("retry", "@latest", "--watch", "--output", "json").document

    assert failed.code == 1
    assert "ZeroDivisionError: division by zero" in failed.stderr
    assert (shown.code, json.loads(shown.stdout)["phase"]) == (1, "Failed")
    assert log.stdout == "doubling 3\n"
    assert mended["status"] == "succeeded"
    assert {name for name, status in statuses(mended).items() if status == "ran"} == {"total"} | {
        # Their code is in the module that was mended.
        name
        for name in statuses(mended)
        if name.startswith("double") and name != "double-3"
    }
    assert command("runs").stdout.count("counting-") == 2
    assert "succeeded" in command("show", "@latest").stdout


def test_a_pod_that_holds_other_code_than_was_planned_refuses_to_run(command, cluster, project, store):
    cluster.controller.may_start.clear()
    command("submit", "counting")
    code = (project / "components/arithmetic.py").read_text()
    (project / "components/arithmetic.py").write_text(code.replace("2 * n", "n + n"))
    cluster.controller.may_start.set()

    answer = command("status", "@latest", "--watch")

    assert answer.code == 2
    assert (
        "double: this pod does not hold what was planned with: source components/arithmetic.py changed; build the image"
        in command("logs", "@latest", "double").stdout
    )
    assert store.paths("steps") == []


@pytest.mark.parametrize(
    ("failures", "code", "said"),
    [
        ({"GET configmaps": [503]}, 75, "read config map argosy in pipelines"),
        ({"POST workflows": [403]}, 2, "not allowed; ask for the right"),
        ({"POST workflows": ["absent"]}, 2, "Argo Workflows is not installed there"),
        ({"GET configmaps": ["hang up"]}, 75, "does not answer"),
        ({"GET configmaps": [401]}, 2, "not logged in"),
    ],
)
def test_what_the_cluster_says_is_told_in_one_message(command, cluster, failures, code, said):
    cluster.failures |= failures

    answer = command("submit", "counting")

    assert (answer.code, answer.stdout) == (code, "")
    assert said in answer.stderr
    assert cluster.url in answer.stderr
    assert "Traceback" not in answer.stderr


def test_where_a_run_is_to_be_looked_up_is_said_if_that_is_no_usual_place(command, tmp_path):
    answer = command("submit", "counting")

    run = answer.stdout.strip()
    assert f"argosy: `argosy status {run} --store {tmp_path / 'store'}` follows it" in answer.stderr
    assert command("status", run, "--store", str(tmp_path / "store"), "--watch").code == 0


def test_how_a_run_ended_is_kept_when_its_workflow_is_gone(command, cluster):
    run = command("submit", "counting", "--watch", "--output", "json").document["run"]
    del cluster.controller.held[run]

    gone = command("status", run)

    assert gone.code == 2
    assert f"workflow {run}: it is gone from its cluster" in gone.stderr
    assert "succeeded" in command("show", run).stdout


def test_a_folder_that_pods_do_not_know_is_no_store_for_them(command, cluster, tmp_path):
    answer = command("submit", "counting", "--store", str(tmp_path / "another"))

    assert answer.code == 2
    assert "a folder of this machine, which pods do not reach; give --store s3://bucket/prefix" in answer.stderr


def test_a_plan_that_has_ended_is_run_again_under_the_next_name(command, cluster, project, tmp_path):
    switch = tmp_path / "switch"
    code = (project / "components/arithmetic.py").read_text()
    checked = f'import os\n    if os.path.exists("{switch}"):\n        raise ValueError("switched off")\n    return sum'
    (project / "components/arithmetic.py").write_text(code.replace("return sum", checked))
    switch.touch()

    failed = command("submit", "counting", "--watch")
    switch.unlink()
    again = command("submit", "counting", "--watch", "--output", "json").document

    assert failed.code == 1
    first, second = cluster.controller.held
    assert second == f"{first}-2" == again["run"]
    assert {name for name, status in statuses(again).items() if status == "ran"} == {"total"}
    assert pods(cluster)[-1] == "total"

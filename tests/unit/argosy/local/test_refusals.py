import pytest

from argosy.local.refusals import REFUSALS, notices, refusals
from argosy.spec.model import (
    ArtifactSlot,
    Component,
    Constant,
    Executor,
    Importer,
    Parameter,
    Pipeline,
    PipelineInput,
    Task,
    TaskOutput,
)
from tests.fakes.plans import a_plan, a_task

CODE = "def step() -> int:\n    return 1\n"


def a_program(name, *argv, inputs=None, platform=None, **more):
    executor = Executor(image="alpine", command=argv, **more)
    return Task(name, Component(name, {}, {}, executor), inputs or {}, platform=platform or {})


def a_function(name, *, packages=(), title="system.Metrics", code=CODE):
    executor = Executor("python:3.11", source=code, function="step", packages=packages)
    return Task(name, Component(name, {}, {"scores": ArtifactSlot("scores", title)}, executor))


def an_importer(name, *, uri="", given_by=None):
    component = Component(name, {}, {"artifact": ArtifactSlot("artifact", "system.Dataset")}, Importer(uri, "uri"))
    return Task(name, component, {"uri": given_by or Constant(uri)})


def refusal(*tasks):
    found = refusals(a_plan(*tasks), {})
    assert found
    return "\n".join(found)


def test_a_refusal_says_where_what_why_and_what_to_do():
    assert refusal(a_program("fetch", "no-such-program", "x")) == (
        "tasks.fetch: program (no-such-program): cannot run here: it is not installed here, and images are not pulled; "
        "install it, or run the pipeline in a cluster"
    )


def test_tasks_that_lack_the_same_share_a_line():
    said = refusal(a_program("one", "no-such-program"), a_program("two", "no-such-program"), a_program("three", "none"))

    assert [line.partition(" (")[0] for line in said.splitlines()] == [
        "tasks.one, tasks.two: program",
        "tasks.three: program",
    ]


def test_everything_that_is_lacking_is_said_at_once():
    said = refusal(
        an_importer("import", uri="oci://registry/file"),
        a_function("train", packages=("no-such-package>=1",)),
        a_function("judge", title="system.SlicedClassificationMetrics"),
        a_program("start"),
    )

    assert [line.partition(": cannot")[0] for line in said.splitlines()] == [
        "tasks.import: importer (oci://registry/file)",
        "tasks.train: Python packages (no-such-package>=1)",
        "tasks.judge: SlicedClassificationMetrics (scores)",
        "tasks.start: missing command (alpine)",
    ]


def test_what_is_here_is_not_refused():
    plan = a_plan(
        an_importer("import", uri="data/file.csv"),
        an_importer("fetch", uri="s3://bucket/file.csv"),
        a_function("train", packages=("pytest",)),
        a_program("start", "python3", "-c", "print(1)"),
        a_task("plain", CODE),
    )

    assert refusals(plan, {}) == []


def test_a_package_of_another_version_is_named_with_the_one_that_is_here():
    said = refusal(a_function("train", packages=("pytest==1.0", "no-such-package")))

    assert "Python packages (pytest==1.0; no-such-package)" in said
    assert f"this environment does not have them (it has pytest {pytest.__version__})" in said


@pytest.mark.parametrize("uri", ["oci://registry/a:1", "minio://bucket/a", "file://elsewhere/a"])
def test_an_importer_is_refused_what_cannot_be_reached(uri):
    assert refusal(an_importer("import", uri=uri)).startswith(f"tasks.import: importer ({uri}): cannot run here: ")


def test_an_importer_whose_uri_comes_from_a_step_is_judged_when_it_is_known():
    assert refusals(a_plan(an_importer("import", given_by=TaskOutput("train", "Output"))), {}) == []


def test_an_importer_is_refused_a_uri_that_the_pipeline_was_given():
    plan = Pipeline("p", "", {}, (an_importer("import", given_by=PipelineInput("where")),))

    assert refusals(plan, {"where": "folder/file"}) == []
    assert refusals(plan, {}) == []
    (said,) = refusals(plan, {"where": "oci://registry/a"})
    assert said.startswith("tasks.import: importer (oci://registry/a): cannot run here")


MOUNTED = {"pvcMount": [{"mountPath": "/data", "constant": "claim"}]}


@pytest.mark.parametrize("script", ["cat /data/file", "ls /data", "ls '/data/'", "cp x /data"])
def test_a_step_that_names_a_mounted_path_is_refused(script):
    assert "mounted volume (pvcMount at /data)" in refusal(a_program("use", "sh", "-c", script, platform=MOUNTED))


@pytest.mark.parametrize("script", ["echo 1", "ls /database", "echo gs://bucket/data", "echo ./data", "ls /data-2"])
def test_a_step_that_names_another_path_is_not(script):
    assert refusals(a_plan(a_program("use", "sh", "-c", script, platform=MOUNTED)), {}) == []


def test_a_mounted_path_may_also_be_named_by_an_input_or_a_variable():
    given = a_program("given", "sh", "-c", 'ls "$0"', inputs={"place": Constant("/data/x")}, platform=MOUNTED)
    told = a_program("told", "sh", "-c", "ls $PLACE", env={"PLACE": "/data"}, platform=MOUNTED)

    assert refusal(given, told).startswith("tasks.given, tasks.told: mounted volume (pvcMount at /data): ")


def test_a_field_of_the_pod_is_refused_until_its_variable_is_set(monkeypatch):
    platform = {"fieldPathAsEnv": [{"name": "POD_NAME", "fieldPath": "metadata.name"}]}
    task = a_program("tell", "echo", platform=platform)

    assert refusal(task).startswith("tasks.tell: field of the pod (POD_NAME): ")
    monkeypatch.setenv("POD_NAME", "mine")
    assert refusals(a_plan(task), {}) == []


def test_an_init_container_is_refused():
    assert "init container" in refusal(a_program("start", "echo", platform={"initContainers": [{"name": "first"}]}))


def test_a_claim_of_storage_is_no_program():
    executor = Executor(image="docker.io/argostub/deletepvc")
    task = Task("delete", Component("delete", {"pvc_name": Parameter("pvc_name", "STRING")}, {}, executor))

    assert refusals(a_plan(task), {}) == []


def test_a_secret_that_is_not_set_is_noticed(monkeypatch):
    monkeypatch.setenv("SET", "x")
    keys = [{"envVar": "SET", "secretKey": "a"}, {"envVar": "UNSET", "secretKey": "b"}]
    platform = {"secretAsEnv": [{"keyToEnv": keys}], "configMapAsEnv": [{"keyToEnv": [{"envVar": "MISSING"}]}]}

    assert notices(a_plan(a_program("start", "echo", platform=platform))) == [
        "start: UNSET comes from a secret in a cluster and is not set here",
        "start: MISSING comes from a config map in a cluster and is not set here",
    ]


def test_a_secret_that_may_be_missing_is_not_noticed():
    platform = {"secretAsEnv": [{"keyToEnv": [{"envVar": "UNSET", "secretKey": "b"}], "optional": True}]}

    assert notices(a_plan(a_program("start", "echo", platform=platform))) == []


def test_a_volume_that_no_step_names_is_noticed():
    assert notices(a_plan(a_program("start", "echo", platform=MOUNTED))) == [
        "start: nothing is mounted at /data (pvcMount) here"
    ]


def test_every_refusal_has_a_reason_and_something_to_do():
    assert all(reason and instead for reason, instead in REFUSALS.values())

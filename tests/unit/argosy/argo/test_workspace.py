import pytest

from argosy.argo.wanted import Wanted
from argosy.argo.workflow import manifest
from argosy.argo.workspace import workspace_tasks
from argosy.errors import Unsupported
from argosy.spec.model import (
    Component,
    Constant,
    Executor,
    FieldOf,
    FirstOf,
    Loop,
    LoopItem,
    Parameter,
    Pipeline,
    RunValue,
    Task,
    TaskOutput,
    Template,
)
from argosy.spec.read import read_pipeline
from tests.fakes.argo_pod_specs import a_workspace

PATH = RunValue("workspace_path")
MADE = TaskOutput("first", "Output")


def a_plan(source, **more):
    first = Task("first", Component("first", {}, {}, Executor("a", source="", function="f")), {"path": PATH})
    second = Task("second", Component("second", {}, {}, Executor("a", source="", function="f")), {"x": source}, **more)
    loop = Loop("loop", MADE, Parameter("item", "STRING"))
    return Pipeline("p", "", {}, (first, second), loops={"loop": loop}, platform={"workspace": {"size": "1Gi"}})


@pytest.mark.parametrize(
    "source",
    [
        MADE,
        FieldOf(MADE, "a"),
        FirstOf((TaskOutput("other", "Output"), MADE)),
        Template("{{x}}", {"x": MADE}),
        LoopItem("loop"),
        PATH,
    ],
)
def test_what_follows_from_the_path_may_know_it(source):
    assert workspace_tasks(a_plan(source)) == {"first", "second"}


@pytest.mark.parametrize(
    "source", [Constant("/kfp-workspace"), TaskOutput("other", "Output"), RunValue("pipeline_root")]
)
def test_what_does_not_follow_from_the_path_does_not(source):
    assert workspace_tasks(a_plan(source)) == {"first"}


def test_a_path_that_a_pod_is_told_is_known_too():
    assert workspace_tasks(a_plan(Constant(1), channels={"x": MADE})) == {"first", "second"}


def test_the_claim_is_as_the_pipeline_asks_for_it():
    made = manifest(read_pipeline(a_workspace()), Wanted())["spec"]

    assert made["volumeClaimTemplates"] == [
        {
            "metadata": {"name": "workspace"},
            "spec": {
                "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": "1Gi"}},
                "storageClassName": "fast",
            },
        }
    ]


def test_the_workspace_is_mounted_in_the_container_of_a_program():
    templates = {each["name"]: each for each in manifest(read_pipeline(a_workspace()), Wanted())["spec"]["templates"]}
    mount = {"name": "workspace", "mountPath": "/kfp-workspace/{{workflow.name}}"}

    assert mount in templates["leave"]["sidecars"][0]["volumeMounts"]
    assert mount not in templates["leave"]["container"]["volumeMounts"]
    assert mount in templates["take"]["container"]["volumeMounts"]
    assert templates["take"]["securityContext"]["fsGroup"] == 65532


def test_a_path_without_a_workspace_is_refused():
    spec = a_workspace()["pipeline_spec"]

    with pytest.raises(Unsupported, match=r"^tasks\.leave: workspace: cannot compile to Argo"):
        manifest(read_pipeline(spec), Wanted())

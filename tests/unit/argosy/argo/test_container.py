import pytest

from argosy.argo.wanted import Wanted
from argosy.argo.workflow import manifest
from argosy.errors import Unsupported
from argosy.launcher.argo import BRACE, Told, restore_source
from argosy.spec.read import read_pipeline
from tests.fakes.argo_pod import variables
from tests.fakes.argo_specs import PROGRAM, RETRY, a_task, constant, pipeline
from tests.fakes.specs import a_container, a_lightweight, with_field

EXECUTOR = "deploymentSpec.executors.exec-count"


def made(spec):
    return manifest(read_pipeline(spec), Wanted(lock="requirements.lock"))["spec"]["templates"]


def told(template):
    words = template["container"]["args"]
    return Told.from_text(words[words.index("--step") + 1])


def test_the_pod_is_told_what_the_component_is():
    env = [{"name": "LEVEL", "value": "1"}, {"name": "ARGOSY_ENV", "value": '["HOME"]'}]
    source = "def count(n: int) -> int:\n    return n\n"
    executor = a_lightweight(source, "count", install="python3 -m pip install numpy==2", env=env)

    found = told(made(with_field(RETRY, EXECUTOR, executor))[1])

    assert (found.component, found.function, found.packages) == ("count", "count", ("numpy==2",))
    assert (found.inputs, found.outputs) == ({"n": "NUMBER_INTEGER"}, {"Output": "NUMBER_INTEGER"})
    assert (found.env, found.declared_env, found.cache) == (("LEVEL",), ("HOME",), False)
    assert found.lock == "requirements.lock"


def test_braces_of_a_source_are_set_aside_and_come_back():
    source = "def count(n: int) -> int:\n    return len(f'{{{n}}} {{{{') or {1: {2: {}}}\n"

    data = made(with_field(RETRY, EXECUTOR, a_lightweight(source, "count")))[1]["inputs"]["artifacts"][0]["raw"]["data"]

    assert "{{" not in data
    assert restore_source(data).endswith(source)


def test_a_source_that_holds_the_mark_of_a_brace_is_refused():
    with pytest.raises(Unsupported, match=r"^tasks\.count: brace \(\{argosy:\)"):
        made(with_field(RETRY, EXECUTOR, a_lightweight(f"def count():\n    '{BRACE}'\n", "count")))


def test_kubernetes_leaves_the_variables_of_a_component_as_they_are():
    value = "$$5 $(HOME) $$(X) $x"
    executor = a_lightweight("def count(n: int) -> int:\n    return n\n", "count", env=[{"name": "A", "value": value}])

    found = variables(made(with_field(RETRY, EXECUTOR, executor))[1]["container"], {})

    assert found["A"] == value


@pytest.mark.parametrize(
    ("executor", "message"),
    [
        (a_container(image="alpine", command=["sh"]), r"program \(alpine\)"),
        (a_container(image="alpine", command=[]), r"command of the image \(alpine\)"),
        (a_container(env=[{"name": "A", "value": "{{x}}"}]), "placeholder in image or environment"),
        ({"importer": {"artifactUri": {"constant": "gs://b/f"}}}, r"importer \(gs://b/f\)"),
    ],
)
def test_what_no_pod_of_ours_can_run_is_refused(executor, message):
    with pytest.raises(Unsupported, match=rf"^tasks\.count: {message}.*: cannot compile to Argo: "):
        made(with_field(RETRY, EXECUTOR, executor))


def test_a_program_runs_in_an_image_in_which_a_python_component_runs():
    spec = pipeline({"count": a_task("comp-count", n=constant(1)), "shout": a_task("comp-shout", text=constant("x"))})
    spec["components"]["comp-shout"] = PROGRAM["components"]["comp-shout"]
    spec["deploymentSpec"]["executors"]["exec-shout"] = a_container(command=["sh", "-c", "true"])

    assert told(made(spec)[2]).argv == ("sh", "-c", "true")


def test_a_program_is_told_what_its_arguments_name_of_the_run():
    spec = pipeline({"count": a_task("comp-count", n=constant(1))})
    words = ["{{$.pipeline_task_name}}", "{{$.pipeline_job_uuid}}-{{$.pipeline_root}}", "{{$.inputs.parameters['n']}}"]
    spec["deploymentSpec"]["executors"]["exec-count"] = a_container(args=words)

    args = made({**spec, "defaultPipelineRoot": "s3://b/$(x)"})[1]["container"]["args"]

    assert args[args.index("--run") :] == [
        "--run", "pipeline_job_uuid={{workflow.uid}}",
        "--run", "pipeline_root=s3://b/$$(x)",
        "--run", "pipeline_task_name=count",
    ]  # fmt: skip

import pytest

from argosy.errors import Mistake, Unsupported
from argosy.spec.fields import Fields
from argosy.spec.graphs import LocalTask, read_graph
from argosy.spec.model import Constant, PipelineInput, Retry, TaskOutput
from tests.fakes.specs import a_task, artifact_of, constant, outer, output_of

PREPARE = a_task("comp-prepare")


def read(outputs=None, **tasks):
    fields = Fields({"tasks": tasks, "outputs": outputs}, "dag")
    found = read_graph(fields)
    fields.require_all_read()
    return found


def a_changed_task(**fields):
    return {**PREPARE, **fields}


def test_a_task_is_read_whole():
    task = {
        **a_task("comp-train", data=artifact_of("prepare", "out"), rows=outer("rows"), rate=constant(0.5)),
        "dependentTasks": ["check"],
        "cachingOptions": {"enableCache": True, "cacheKey": "v2"},
        "retryPolicy": {"maxRetryCount": 2, "backoffDuration": "1.5s", "backoffFactor": 3.0},
        "triggerPolicy": {"condition": "true == true", "strategy": "ALL_UPSTREAM_TASKS_SUCCEEDED"},
    }

    assert read(prepare=PREPARE, check=PREPARE, train=task).tasks["train"] == LocalTask(
        name="train",
        place="dag.tasks.train",
        component="comp-train",
        inputs={"data": TaskOutput("prepare", "out"), "rows": PipelineInput("rows"), "rate": Constant(0.5)},
        artifacts=frozenset({"data"}),
        after=("check", "prepare"),
        condition="true == true",
        retry=Retry(max_count=2, backoff_s=1.5, factor=3.0, max_backoff_s=3600.0),
        cache=True,
        cache_salt="v2",
    )


def test_a_cache_that_is_not_enabled_is_off():
    assert not read(a=a_changed_task(cachingOptions={})).tasks["a"].cache


def test_no_retries_are_no_retry():
    assert read(a=a_changed_task(retryPolicy={"backoffDuration": "1s"})).tasks["a"].retry is None


def test_a_constant_may_be_null():
    assert read(a=a_task("c", x=constant(None))).tasks["a"].inputs == {"x": Constant(None)}


def test_outputs_name_a_task_and_its_output():
    outputs = {
        "parameters": {"p": {"valueFromParameter": {"producerSubtask": "a", "outputParameterKey": "x"}}},
        "artifacts": {"m": {"artifactSelectors": [{"producerSubtask": "a", "outputArtifactKey": "y"}]}},
    }

    assert read(outputs, a=PREPARE).outputs == {"p": TaskOutput("a", "x"), "m": TaskOutput("a", "y")}


@pytest.mark.parametrize(
    ("task", "message"),
    [
        (a_changed_task(componentRef={}), "dag.tasks.a.componentRef.name: missing"),
        (a_changed_task(retry=1), "dag.tasks.a.retry: unread field (did you mean 'retryPolicy'?)"),
        (
            a_changed_task(retryPolicy={"backoffDuration": "soon"}),
            "dag.tasks.a.retryPolicy.backoffDuration: got 'soon'",
        ),
        (a_changed_task(dependentTasks=["b"]), "dag.tasks.a: waits for 'b', which is not a task of this DAG"),
        (a_task("c", x=output_of("b")), "dag.tasks.a: waits for 'b', which is not a task of this DAG"),
        (a_changed_task(triggerPolicy={"strategy": "ANY"}), "dag.tasks.a.triggerPolicy.strategy: got 'ANY'; allowed: "),
        (
            a_changed_task(inputs={"parameters": {"x": {"runtimeValue": {}}}}),
            "dag.tasks.a.inputs.parameters.x: no source; allowed: runtimeValue.constant, ",
        ),
        (
            a_changed_task(inputs={"artifacts": {"x": {}}}),
            "dag.tasks.a.inputs.artifacts.x: no source; allowed: componentInputArtifact, taskOutputArtifact",
        ),
        (
            a_changed_task(inputs={"artifacts": {"x": artifact_of("a", "b")}, "parameters": {"x": outer("b")}}),
            "dag.tasks.a.inputs.artifacts.x: 'x' is given as a parameter too",
        ),
    ],
)
def test_a_wrong_task_is_refused_with_its_place(task, message):
    with pytest.raises(Mistake) as caught:
        read(a=task)

    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("task", "message"),
    [
        (a_changed_task(parameterIterator={"items": {}}), "dag.tasks.a.parameterIterator: loop over parameters: "),
        (a_changed_task(artifactIterator={"items": {}}), "dag.tasks.a.artifactIterator: loop over artifacts: "),
        (
            a_changed_task(triggerPolicy={"strategy": "ALL_UPSTREAM_TASKS_COMPLETED"}),
            "dag.tasks.a.triggerPolicy.strategy: exit handler (ALL_UPSTREAM_TASKS_COMPLETED): ",
        ),
        (
            a_task("c", x={**outer("b"), "parameterExpressionSelector": "x"}),
            "dag.tasks.a.inputs.parameters.x.parameterExpressionSelector: expression on a loop item: ",
        ),
        (
            a_task("c", x={"taskFinalStatus": {"producerTask": "b"}}),
            "dag.tasks.a.inputs.parameters.x.taskFinalStatus: final status input: ",
        ),
    ],
)
def test_a_task_that_is_not_planned_yet_is_refused_by_name(task, message):
    with pytest.raises(Unsupported) as caught:
        read(a=task)

    assert str(caught.value).startswith(f"{message}unsupported: ")


@pytest.mark.parametrize(
    ("outputs", "place"),
    [
        ({"parameters": {"x": {"valueFromOneof": {}}}}, "dag.outputs.parameters.x.valueFromOneof"),
        ({"artifacts": {"x": {"artifactSelectors": [{}, {}]}}}, "dag.outputs.artifacts.x.artifactSelectors"),
    ],
)
def test_one_of_is_refused_by_name(outputs, place):
    with pytest.raises(Unsupported) as caught:
        read(outputs, a=PREPARE)

    assert str(caught.value).startswith(f"{place}: OneOf: unsupported: ")


def test_a_dag_needs_a_task():
    with pytest.raises(Mistake, match=r"^dag\.tasks: no tasks"):
        read()

import pytest

from argosy.errors import Mistake
from argosy.spec.fields import Fields
from argosy.spec.graphs import Iterator, LocalTask, read_graph
from argosy.spec.model import Constant, FieldOf, FinalStatus, FirstOf, PipelineInput, Retry, TaskOutput
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
        survives=False,
        iterator=None,
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


def a_loop(**iterator):
    return {**a_task("c", x=outer("b")), "parameterIterator": {"itemInput": "item", **iterator}}


def test_a_loop_has_its_items_in_the_spec_or_from_an_input():
    raw = a_loop(items={"raw": "[1, 2]"})
    given = {**a_loop(items={"inputParameter": "x"}), "iteratorPolicy": {"parallelismLimit": 2}}

    assert read(a=raw).tasks["a"].iterator == Iterator("item", Constant([1, 2]), over_artifacts=False, limit=None)
    assert read(a=given).tasks["a"].iterator == Iterator("item", "x", over_artifacts=False, limit=2)


@pytest.mark.parametrize(
    ("task", "message"),
    [
        (a_loop(items={"raw": "[1"}), 'parameterIterator.items.raw: got "[1"; a list in JSON is needed here'),
        (a_loop(items={"raw": "{}"}), "parameterIterator.items.raw: got {}; a list in JSON is needed here"),
        (a_loop(items={"inputParameter": "y"}), "parameterIterator.items.inputParameter: 'y' is not an input"),
        (a_loop(items={}), "parameterIterator.items.inputParameter: missing"),
        ({**a_loop(items={"raw": "[]"}), "artifactIterator": {}}, "both parameterIterator and artifactIterator"),
        (a_task("c", x={**outer("b"), "parameterExpressionSelector": "x"}), "inputs.parameters.x.parameterExpression"),
        (a_changed_task(triggerPolicy={"strategy": "SOMETIMES"}), "triggerPolicy.strategy: got 'SOMETIMES'; allowed"),
    ],
)
def test_a_wrong_loop_or_trigger_is_refused_with_its_place(task, message):
    with pytest.raises(Mistake) as caught:
        read(a=task)

    assert str(caught.value).removeprefix("dag.tasks.a").lstrip(".: ").startswith(message)


def test_a_field_of_a_value_is_selected_by_name():
    selected = {**outer("b"), "parameterExpressionSelector": 'parseJson(string_value)["k"]'}
    assert read(a=a_task("c", x=selected)).tasks["a"].inputs == {"x": FieldOf(PipelineInput("b"), "k")}


def test_a_final_status_waits_for_the_task_that_it_is_of():
    task = {
        **a_task("c", x={"taskFinalStatus": {"producerTask": "prepare"}}),
        "triggerPolicy": {"strategy": "ALL_UPSTREAM_TASKS_COMPLETED"},
    }
    found = read(prepare=PREPARE, a=task).tasks["a"]
    assert (found.inputs, found.after, found.survives) == (
        {"x": FinalStatus("prepare", ("prepare",))}, ("prepare",), True,
    )  # fmt: skip


def test_one_of_is_the_first_of_several_outputs():
    def selected(key):
        return [{"producerSubtask": task, key: "x"} for task in ("prepare", "a")]

    found = read(
        {
            "parameters": {"p": {"valueFromOneof": {"parameterSelectors": selected("outputParameterKey")}}},
            "artifacts": {"d": {"artifactSelectors": selected("outputArtifactKey")}},
        },
        prepare=PREPARE,
        a=PREPARE,
    )
    first = FirstOf((TaskOutput("prepare", "x"), TaskOutput("a", "x")))
    assert found.outputs == {"p": first, "d": first}

    with pytest.raises(Mistake, match=r"^dag\.outputs\.parameters\.x\.valueFromOneof\.parameterSelectors: empty"):
        read({"parameters": {"x": {"valueFromOneof": {}}}}, a=PREPARE)


def test_a_dag_needs_a_task():
    with pytest.raises(Mistake, match=r"^dag\.tasks: no tasks"):
        read()

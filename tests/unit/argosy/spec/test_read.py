import cProfile
import gc
import json
import os
import pstats
from pathlib import Path

import pytest

from argosy.errors import BadInput, Mistake, Unsupported
from argosy.spec.conditions import read_expression
from argosy.spec.model import (
    Component,
    Condition,
    Executor,
    Parameter,
    Pipeline,
    PipelineInput,
    Retry,
    Start,
    Task,
    TaskOutput,
    Template,
)
from argosy.spec.read import read_pipeline
from tests.fakes.specs import (
    a_chain,
    a_component,
    a_condition_task,
    a_group,
    a_parameter,
    a_spec,
    a_task,
    constant,
    outer,
    output_of,
    train_spec,
    with_field,
)
from tests.fakes.unrolled import unroll

CHANNEL = "pipelinechannel--check-Output"
CONDITION = f"inputs.parameter_values['{CHANNEL}'] == true"


def a_whole_spec():
    """Return a spec in which a plan's every part occurs: a template, a group, retry, timeout, resources."""
    spec = a_spec(
        {
            "check": {
                **a_task("comp-check", rows=outer("rows")),
                "retryPolicy": {"maxRetryCount": 1, "backoffDuration": "5s"},
            },
            "condition-1": {
                **a_condition_task("comp-condition-1", CONDITION, **{CHANNEL: output_of("check"), "n": outer("note")}),
                "dependentTasks": ["check"],
            },
        },
        {
            "comp-check": a_component(
                "exec-check",
                inputs={"rows": a_parameter("NUMBER_INTEGER")},
                outputs={"Output": a_parameter("BOOLEAN")},
            ),
            "comp-condition-1": a_group(
                {
                    "tell": a_task(
                        "comp-tell",
                        texts=constant(["{{$.inputs.parameters['pipelinechannel--n']}}!", 1.0]),
                        **{"pipelinechannel--n": outer("n")},
                    )
                },
                inputs={CHANNEL: a_parameter("BOOLEAN"), "n": a_parameter()},
            ),
            "comp-tell": a_component(
                "exec-tell", inputs={"texts": a_parameter("LIST"), "tag": a_parameter(isOptional=True)}
            ),
        },
        parameters={"rows": a_parameter("NUMBER_INTEGER", defaultValue=3.0), "note": a_parameter()},
    )
    outputs = {"ok": {"valueFromParameter": {"producerSubtask": "check", "outputParameterKey": "Output"}}}
    spec = with_field(spec, "root.dag.outputs.parameters", outputs)
    spec = with_field(spec, "root.outputDefinitions.parameters", {"ok": a_parameter("BOOLEAN")})
    return with_field(spec, "deploymentSpec.executors.exec-check.container.resources", {"resourceCpuLimit": "2"})


PLATFORM = {
    "platforms": {
        "kubernetes": {
            "deploymentSpec": {"executors": {"exec-tell": {"activeDeadlineSeconds": "60"}}},
            "pipelineConfig": {"resourceTtlOnCompletion": 60},
        }
    }
}


def test_a_whole_spec_becomes_this_plan():
    executor = Executor("python:3.11", ("python", "-c", "pass"))
    check = Component(
        "comp-check",
        {"rows": Parameter("rows", "NUMBER_INTEGER")},
        {"Output": Parameter("Output", "BOOLEAN")},
        executor,
    )
    texts = {"texts": Parameter("texts", "LIST"), "tag": Parameter("tag", "STRING", optional=True)}
    expression = read_expression(CONDITION, {CHANNEL: "BOOLEAN"}, "")
    template = Template(
        ["{{$.inputs.parameters['pipelinechannel--n']}}!", 1], {"pipelinechannel--n": PipelineInput("note")}
    )

    assert read_pipeline({"pipeline_spec": a_whole_spec(), "platform_spec": PLATFORM}) == Pipeline(
        name="small",
        description="A small one.",
        inputs={
            "rows": Parameter("rows", "NUMBER_INTEGER", optional=True, default=3),
            "note": Parameter("note", "STRING"),
        },
        tasks=(
            Task(
                "check",
                check,
                inputs={"rows": PipelineInput("rows")},
                retry=Retry(1, 5.0, 2.0, 3600.0),
                platform={"resources": {"resourceCpuLimit": "2"}},
            ),
            Task(
                "tell",
                Component("comp-tell", texts, {}, executor),
                inputs={"texts": template},
                start=Start(
                    after=("check",),
                    conditions=(Condition(CONDITION, expression, {CHANNEL: TaskOutput("check", "Output")}),),
                ),
                timeout_s=60.0,
            ),
        ),
        outputs={"ok": TaskOutput("check", "Output")},
        platform={"resourceTtlOnCompletion": 60},
    )


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("pipelineInfo.name", None, "pipelineInfo.name: missing"),
        ("pipelineInfo.nmae", "x", "pipelineInfo.nmae: unread field (did you mean 'name'?)"),
        ("componentz", {}, "componentz: unread field (did you mean 'components'?)"),
        ("root.dag", None, "root.dag: missing; the tasks of the pipeline are needed here"),
        ("root.executorLabel", "x", "root.executorLabel: unread field"),
        ("components.comp-train.executorLabel", "exec-tain", "components.comp-train.executorLabel: 'exec-tain' is not"),
        (
            "deploymentSpec.executors.exec-train.container.resources.gpuu",
            1,
            "deploymentSpec.executors.exec-train.container.resources.gpuu: unread field",
        ),
        (
            "root.dag.tasks.train.componentRef.name",
            "comp-trian",
            "root.dag.tasks.train.componentRef.name: 'comp-trian'",
        ),
        (
            "deploymentSpec.executors.exec-train.container.env",
            [{"name": "ARGOSY_MEASUREMENTS", "value": '["output"]'}],
            "deploymentSpec.executors.exec-train.container.env.ARGOSY_MEASUREMENTS: 'output' is unknown "
            "(did you mean 'Output'?)",
        ),
    ],
)
def test_a_wrong_field_is_refused_with_its_place(path, value, message):
    with pytest.raises(Mistake) as caught:
        read_pipeline(with_field(train_spec(), path, value))

    assert not isinstance(caught.value, Unsupported)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("schemaVersion", "2.2.0", "schemaVersion: schema version (2.2.0): "),
        ("components.comp-train.singlePlatformSpecs", [{}], "components.comp-train.singlePlatformSpecs: platform part"),
        (
            "components.comp-train.taskConfigPassthroughs",
            [{}],
            "components.comp-train.taskConfigPassthroughs: task config",
        ),
    ],
)
def test_a_construct_that_no_target_runs_is_refused_by_name(path, value, message):
    with pytest.raises(Unsupported) as caught:
        read_pipeline(with_field(train_spec(), path, value))

    assert str(caught.value).startswith(message)


def test_a_platform_for_an_executor_that_is_not_there_is_refused():
    platform = {"platforms": {"kubernetes": {"deploymentSpec": {"executors": {"exec-tain": {}}}}}}

    with pytest.raises(Mistake, match=r"executors\.exec-tain: no such executor \(did you mean 'exec-train'\?\)"):
        read_pipeline({"pipeline_spec": train_spec(), "platform_spec": platform})


def test_a_file_is_named_in_its_mistakes(tmp_path):
    path = tmp_path / "spec.yaml"
    path.write_text("a: 1\n")

    with pytest.raises(Mistake, match=r"spec\.yaml: pipelineInfo\.name: missing"):
        read_pipeline(path)
    with pytest.raises(Mistake, match=r"none\.yaml: cannot be read: "):
        read_pipeline(tmp_path / "none.yaml")


def test_the_order_of_tasks_does_not_depend_on_the_order_of_the_file():
    spec = a_chain(12)
    turned = with_field(spec, "root.dag.tasks", dict(reversed(spec["root"]["dag"]["tasks"].items())))

    assert [task.name for task in read_pipeline(turned).tasks] == [f"step-{i}" for i in range(12)]


def a_wide_loop(rounds):
    """Return a pipeline of a loop with two tasks in each round, and one task that takes what all rounds gave."""
    item = "pipelinechannel--item"
    slots, outputs = {"text": a_parameter()}, {"Output": a_parameter()}
    steps = {
        f"comp-{name}": a_component(f"exec-{name}", inputs=slots, outputs=outputs) for name in ("one", "two", "all")
    }
    body = a_group(
        {"one": a_task("comp-one", text=outer(item)), "two": a_task("comp-two", text=output_of("one"))},
        inputs={item: a_parameter()},
        outputs={"texts": ("two", "Output")},
    )
    body = with_field(body, "outputDefinitions.parameters.texts", a_parameter("LIST"))
    items = {"itemInput": item, "items": {"raw": json.dumps(list(range(rounds)))}}
    tasks = {
        "loop": {**a_task("comp-loop"), "parameterIterator": items},
        "all": a_task("comp-all", text=output_of("loop", "texts")),
    }
    return a_spec(tasks, {**steps, "comp-loop": body})


def unrolled(spec):
    ended = unroll(read_pipeline(spec), compute=lambda _instance, _given: {"Output": "x"}).so_far
    return [ended.upstream(instance) for made in ended.instances.values() for instance in made]


@pytest.mark.slow
@pytest.mark.parametrize(("work", "form"), [(read_pipeline, a_chain), (unrolled, a_chain), (unrolled, a_wide_loop)])
def test_ten_times_the_tasks_take_no_more_than_twelve_times_the_work(work, form):
    def calls(length):
        spec, profile = form(length), cProfile.Profile()
        profile.runcall(work, spec)
        return pstats.Stats(profile).total_calls

    assert calls(3000) < 12 * calls(300)


def test_reading_leaves_the_collector_of_garbage_as_it_was():
    read_pipeline(train_spec())
    assert gc.isenabled()

    with pytest.raises(Mistake):
        read_pipeline({})
    assert gc.isenabled()


def corpus():
    folder = os.environ.get("ARGOSY_CORPUS")
    return sorted(Path(folder).rglob("*.yaml")) if folder else []


def outcome(path):
    """Return the plan of a file, or the mistake that refused it; anything else it raises is a defect."""
    try:
        return read_pipeline(path)
    except Mistake as error:
        return error


needs_corpus = pytest.mark.skipif("ARGOSY_CORPUS" not in os.environ, reason="ARGOSY_CORPUS is not set")


@needs_corpus
@pytest.mark.parametrize("path", corpus(), ids=lambda path: path.stem)
def test_a_file_of_the_corpus_is_read_or_refused_by_name_unless_it_is_invalid(path):
    found = outcome(path)

    if path.parent.name == "invalid":
        assert type(found) in {Mistake, BadInput}
    else:
        assert isinstance(found, Pipeline) or ": unsupported: " in str(found)


@needs_corpus
def test_no_fewer_files_of_the_corpus_are_read_than_before():
    assert sum(isinstance(outcome(path), Pipeline) for path in corpus()) >= 100
